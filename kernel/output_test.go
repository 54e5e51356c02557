package kernel

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMimeBundle(t *testing.T) {
	tests := []struct {
		mime  string
		value any
		want  string
	}{
		{"text/plain", "a<b", `"a<b"`},
		{"text/html", []byte("<b>"), `"<b>"`},
		{"image/png", []byte{1, 2, 3}, `"AQID"`},
		{"image/svg+xml", []byte("<svg/>"), `"<svg/>"`},
		{"application/json", `{"a":[1]}`, `{"a":[1]}`},
		{"application/geo+json", []byte(`[1]`), `[1]`},
		{"application/json", `not json`, `"not json"`},
		{"application/json", map[string]any{"a": 1}, `{"a":1}`},
	}
	for _, tt := range tests {
		data, err := encodeJSON(mimeBundle(map[string]any{tt.mime: tt.value}))
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]json.RawMessage
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, string(got[tt.mime])); diff != "" {
			t.Errorf("%s of %v (-want +got):\n%s", tt.mime, tt.value, diff)
		}
	}
}
