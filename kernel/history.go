package kernel

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"vlab/repl/session"
)

// historySession is the number of the one session that the history knows: it
// lasts as long as the kernel.
const historySession = 1

type historyEntry struct {
	line          int
	input, output string
}

type historyRequest struct {
	Output  bool   `json:"output"`
	Type    string `json:"hist_access_type"`
	Session int    `json:"session"`
	Start   int    `json:"start"`
	Stop    int    `json:"stop"` // the line after the last; 0 means all
	N       int    `json:"n"`    // 0 means all
	Pattern string `json:"pattern"`
	Unique  bool   `json:"unique"`
}

func (k *kernel) remember(line int, input string, result session.Result) {
	output, _ := result.Data["text/plain"].(string)
	k.history = append(k.history, historyEntry{line: line, input: input, output: output})
}

// historyOf answers with [session, line, input], or with [input, output] in the
// third place.
func (k *kernel) historyOf(_ context.Context, r *request) (any, error) {
	var req historyRequest
	if err := readContent(r, &req); err != nil {
		return nil, err
	}
	entries, err := req.choose(k.history)
	if err != nil {
		return nil, err
	}
	list := make([][]any, 0, len(entries))
	for _, e := range entries {
		if req.Output {
			list = append(list, []any{historySession, e.line, []any{e.input, nullable(e.output)}})
		} else {
			list = append(list, []any{historySession, e.line, e.input})
		}
	}
	return map[string]any{"status": "ok", "history": list}, nil
}

func (req historyRequest) choose(all []historyEntry) ([]historyEntry, error) {
	switch req.Type {
	case "tail":
		return req.newest(all), nil
	case "range":
		return req.lines(all), nil
	case "search":
		return req.newest(req.search(all)), nil
	}
	return nil, fmt.Errorf("history of type %q is not one of range, search, tail", req.Type)
}

func (req historyRequest) newest(entries []historyEntry) []historyEntry {
	if req.N <= 0 {
		return entries
	}
	return entries[max(len(entries)-req.N, 0):]
}

// lines chooses by number; session 0 is the current one, and no earlier one is known.
func (req historyRequest) lines(all []historyEntry) []historyEntry {
	var found []historyEntry
	for _, e := range all {
		inSession := req.Session == 0 || req.Session == historySession
		if inSession && e.line >= req.Start && (req.Stop <= 0 || e.line < req.Stop) {
			found = append(found, e)
		}
	}
	return found
}

// search finds the inputs that match a pattern of * and ?; unique keeps the
// newest of equal ones.
func (req historyRequest) search(all []historyEntry) []historyEntry {
	pattern := regexp.QuoteMeta(req.Pattern)
	pattern = strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(pattern)
	match := regexp.MustCompile(`(?s)^` + pattern + `$`) // quoted, so it compiles
	seen := map[string]bool{}
	var found []historyEntry
	for _, e := range slices.Backward(all) {
		if !match.MatchString(e.input) || req.Unique && seen[e.input] {
			continue
		}
		seen[e.input] = true
		found = append(found, e)
	}
	slices.Reverse(found)
	return found
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}
