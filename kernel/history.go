package kernel

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"vlab/repl/session"
	"vlab/repl/session/history"
)

// The history knows the session of the kernel's own, and takes all earlier ones, of
// the terminal's too, for another.
const (
	earlierSessions = 0
	historySession  = 1
)

type historyEntry struct {
	session       int
	line          int
	input, output string
}

// recall takes in what was run before this kernel began.
func (k *kernel) recall(path string) {
	if path == "" {
		return
	}
	cells, err := history.Read(path)
	if err != nil {
		k.log.Warn("the history can't be read", "error", err)
	}
	for i, cell := range cells {
		k.history = append(k.history, historyEntry{session: earlierSessions, line: i + 1, input: cell})
	}
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
	k.history = append(k.history, historyEntry{session: historySession, line: line, input: input, output: output})
	if k.past == "" {
		return
	}
	if err := history.Append(k.past, input); err != nil {
		k.log.Warn("the history can't be written", "error", err)
		k.past = ""
	}
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
			list = append(list, []any{e.session, e.line, []any{e.input, nullable(e.output)}})
		} else {
			list = append(list, []any{e.session, e.line, e.input})
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

// lines chooses by number; session 0 is the current one, and those below it are the
// earlier ones.
func (req historyRequest) lines(all []historyEntry) []historyEntry {
	var found []historyEntry
	for _, e := range all {
		inSession := e.session == historySession && (req.Session == 0 || req.Session == historySession) || e.session == earlierSessions && req.Session < 0
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
