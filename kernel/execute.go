package kernel

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"vlab/repl/session"
)

// settle is how long the reply to a failed cell is held back for requests that
// its client sent along with it to arrive; they are aborted then. Clients that
// run all cells send them in one go.
const settle = 10 * time.Millisecond

type executeRequest struct {
	Code            string            `json:"code"`
	Silent          bool              `json:"silent"`
	StoreHistory    bool              `json:"store_history"`
	UserExpressions map[string]string `json:"user_expressions"`
	AllowStdin      bool              `json:"allow_stdin"`
	StopOnError     bool              `json:"stop_on_error"`
}

// execute runs a cell. A silent one leaves no trace but its reply: no output,
// no number, no history.
func (k *kernel) execute(ctx context.Context, r *request) (any, error) {
	if r.arrival <= k.aborted {
		return map[string]any{"status": "aborted"}, nil
	}
	req := executeRequest{StoreHistory: true, AllowStdin: true, StopOnError: true}
	if err := readContent(r, &req); err != nil {
		return nil, err
	}
	k.runs(r)
	req.StoreHistory = req.StoreHistory && !req.Silent
	count := k.count + 1
	if req.StoreHistory {
		k.count = count
	}
	// From here on an interrupt reaches the cell, also one sent at the sight of
	// its execute_input.
	cell, end := k.begin(ctx)
	defer end()
	out := &output{kernel: k, parent: r, silent: req.Silent, allowStdin: req.AllowStdin, ended: cell.Done()}
	out.publish("execute_input", map[string]any{"code": req.Code, "execution_count": count})
	result, err := k.runCell(cell, req.Code, out)
	if req.StoreHistory {
		k.remember(count, req.Code, result)
	}
	if cell, ok := errors.AsType[cellError](err); ok && cell.Restarted {
		k.closeComms(r)
	}
	if err != nil {
		return k.failed(ctx, req, out, count, err), nil
	}
	payload := []any{}
	if result.Page {
		payload = append(payload, map[string]any{"source": "page", "data": mimeBundle(result.Data), "start": 0})
	} else if len(result.Data) > 0 {
		out.publish("execute_result", map[string]any{
			"execution_count": count,
			"data":            mimeBundle(result.Data),
			"metadata":        orEmpty(result.Metadata),
		})
	}
	return map[string]any{
		"status": "ok", "execution_count": count, "payload": payload,
		"user_expressions": k.userExpressions(cell, r, req.UserExpressions),
	}, nil
}

// failed publishes the error of a cell and has the cells that wait behind it
// aborted if the client wants that.
func (k *kernel) failed(ctx context.Context, req executeRequest, out *output, count int, err error) map[string]any {
	content := errorContent(err)
	out.publish("error", map[string]any{
		"ename": content["ename"], "evalue": content["evalue"], "traceback": content["traceback"],
	})
	if req.StopOnError && !req.Silent {
		select {
		case <-time.After(settle):
		case <-ctx.Done():
		}
		k.aborted = k.shell.inbox.last()
	}
	content["execution_count"] = count
	content["user_expressions"] = map[string]any{}
	return content
}

// runCell evaluates code and flushes what it printed. The errors that it
// returns are the user's to see.
func (k *kernel) runCell(ctx context.Context, code string, out *output) (result session.Result, err error) {
	defer out.flush()
	defer func() {
		if p := recover(); p != nil {
			err = cellError{&session.CellError{Name: "panic", Value: fmt.Sprint(p)}}
		}
	}()
	result, err = k.session.Eval(ctx, code, out)
	if err == nil {
		return result, nil
	}
	if cell, ok := errors.AsType[*session.CellError](err); ok {
		return result, cellError{cell}
	}
	name := "error"
	if ctx.Err() != nil {
		name = "interrupted"
	}
	return result, cellError{&session.CellError{Name: name, Value: err.Error()}}
}

// userExpressions evaluates what a client wants to know beside the cell, each
// with a result or an error of its own.
func (k *kernel) userExpressions(ctx context.Context, r *request, expressions map[string]string) map[string]any {
	answers := map[string]any{}
	for name, code := range expressions {
		out := &output{kernel: k, parent: r, silent: true, ended: ctx.Done()}
		result, err := k.runCell(ctx, code, out)
		if err != nil {
			answers[name] = errorContent(err)
			continue
		}
		answers[name] = map[string]any{
			"status": "ok", "data": mimeBundle(result.Data), "metadata": orEmpty(result.Metadata),
		}
	}
	return answers
}

// cellError is the error of a cell as a front end shows it.
type cellError struct{ *session.CellError }

// traceback is what a front end prints: the error in red, the place below it,
// and what was lost with a session that had to be started anew.
func (e cellError) traceback() []string {
	lines := []string{"\x1b[31m" + e.Name + "\x1b[0m: " + e.Value}
	lines = append(lines, e.Traceback...)
	if e.Restarted && len(e.Lost) > 0 {
		lines = append(lines, "lost: "+strings.Join(e.Lost, ", "))
	}
	if hint := e.Hint(); hint != "" {
		lines = append(lines, "hint: "+hint)
	}
	return lines
}
