package kernel

import (
	"context"
	"fmt"
	"unicode/utf8"
)

type cursorRequest struct {
	Code      string `json:"code"`
	CursorPos int    `json:"cursor_pos"` // in code points
}

func (k *kernel) complete(ctx context.Context, r *request) (any, error) {
	req, err := readCursor(r)
	if err != nil {
		return nil, err
	}
	ctx, end := k.begin(ctx)
	defer end()
	c, err := k.session.Complete(ctx, req.Code, byteOffset(req.Code, req.CursorPos))
	if err != nil {
		return nil, fmt.Errorf("ask session: %w", err)
	}
	from, to := codePoints(req.Code, c.Start), codePoints(req.Code, c.End)
	matches, kinds := make([]string, len(c.Matches)), make([]any, len(c.Matches))
	for i, m := range c.Matches {
		matches[i] = m.Text
		kinds[i] = map[string]any{"start": from, "end": to, "text": m.Text, "type": kindOf(m.Kind), "signature": m.Type}
	}
	return map[string]any{
		"status": "ok", "matches": matches, "cursor_start": from, "cursor_end": to,
		// What ipykernel says of its matches, and JupyterLab shows beside them.
		"metadata": map[string]any{"_jupyter_types_experimental": kinds},
	}, nil
}

// kindOf is the word of front ends for a kind of match.
func kindOf(kind string) string {
	switch kind {
	case "variable", "constant":
		return "instance"
	case "method":
		return "function"
	case "field":
		return "property"
	case "type":
		return "class"
	case "package":
		return "module"
	case "command":
		return "magic"
	case "file":
		return "path"
	}
	return kind
}

func (k *kernel) inspect(ctx context.Context, r *request) (any, error) {
	req, err := readCursor(r)
	if err != nil {
		return nil, err
	}
	ctx, end := k.begin(ctx)
	defer end()
	data, found, err := k.session.Inspect(ctx, req.Code, byteOffset(req.Code, req.CursorPos))
	if err != nil {
		return nil, fmt.Errorf("ask session: %w", err)
	}
	return map[string]any{
		"status": "ok", "found": found, "data": mimeBundle(data), "metadata": map[string]any{},
	}, nil
}

func (k *kernel) isComplete(_ context.Context, r *request) (any, error) {
	var req struct {
		Code string `json:"code"`
	}
	if err := readContent(r, &req); err != nil {
		return nil, err
	}
	status, indent := k.session.IsComplete(req.Code)
	content := map[string]any{"status": status}
	if status == "incomplete" {
		content["indent"] = indent
	}
	return content, nil
}

// readCursor reads a request about a place in code; one without a place means
// the code's end.
func readCursor(r *request) (cursorRequest, error) {
	req := cursorRequest{CursorPos: -1}
	if err := readContent(r, &req); err != nil {
		return req, err
	}
	if req.CursorPos < 0 {
		req.CursorPos = utf8.RuneCountInString(req.Code)
	}
	return req, nil
}

// byteOffset is where the n-th code point of s begins; the end for n beyond it.
func byteOffset(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// codePoints counts the code points of s before a byte offset.
func codePoints(s string, offset int) int {
	return utf8.RuneCountInString(s[:min(max(offset, 0), len(s))])
}
