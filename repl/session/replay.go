package session

import (
	"context"
	"fmt"
	"strings"
)

// forget is the command %reset.
func (s *Session) forget(ctx context.Context) (Result, error) {
	count := s.begin(func() {})
	s.end()
	if err := s.renew(ctx, count); err != nil {
		return Result{Count: count}, err
	}
	return Result{Count: count, Data: map[string]any{"text/plain": "all names are forgotten"}}, nil
}

// replay is the command %replay: it runs the cells again that have ended without an
// error since the last reset, and ends at the first that fails. A session that was
// lost is built up by it.
func (s *Session) replay(ctx context.Context, out Output) (Result, error) {
	s.mu.Lock()
	list := s.ran[s.since:]
	s.mu.Unlock()
	n := 0
	r := Result{}
	for _, in := range list {
		if !in.OK || strings.HasPrefix(strings.TrimSpace(in.Cell), "!") {
			continue
		}
		var err error
		if r, err = s.eval(ctx, in.Cell, out); err != nil {
			if out != nil {
				out.Stream("stderr", fmt.Sprintf("%%replay: cell %d failed after %d were run again\n", in.Count, n))
			}
			return r, err
		}
		n++
	}
	r.Data, r.Metadata = map[string]any{"text/plain": fmt.Sprintf("%d cells run again", n)}, nil
	return r, nil
}
