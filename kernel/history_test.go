package kernel

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHistoryChoice(t *testing.T) {
	all := []historyEntry{{session: earlierSessions, line: 7, input: "old"}}
	for i, input := range []string{"a := 1", "b", "a", "a"} {
		all = append(all, historyEntry{session: historySession, line: i + 1, input: input})
	}
	tests := []struct {
		name string
		req  historyRequest
		want []int
	}{
		{"tail", historyRequest{Type: "tail", N: 2}, []int{3, 4}},
		{"tail longer than all", historyRequest{Type: "tail", N: 9}, []int{7, 1, 2, 3, 4}},
		{"range", historyRequest{Type: "range", Start: 2, Stop: 4}, []int{2, 3}},
		{"open range", historyRequest{Type: "range", Session: historySession, Start: 3}, []int{3, 4}},
		{"range of earlier sessions", historyRequest{Type: "range", Session: -1}, []int{7}},
		{"range of an unknown session", historyRequest{Type: "range", Session: 5}, nil},
		{"search", historyRequest{Type: "search", Pattern: "a*"}, []int{1, 3, 4}},
		{"search one character", historyRequest{Type: "search", Pattern: "?"}, []int{2, 3, 4}},
		{"search unique", historyRequest{Type: "search", Pattern: "a*", Unique: true}, []int{1, 4}},
		{"search newest", historyRequest{Type: "search", Pattern: "*", N: 1}, []int{4}},
		{"search takes the rest literally", historyRequest{Type: "search", Pattern: "(a|b)"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			entries, err := tt.req.choose(all)
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, e := range entries {
				got = append(got, e.line)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := (historyRequest{Type: "guess"}).choose(all); err == nil {
		t.Error("history of type guess is accepted")
	}
}
