package repl

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"vlab/repl/session"

	"github.com/google/go-cmp/cmp"
)

func TestFeedGathersInOrder(t *testing.T) {
	f := newFeed()
	out := cellOutput{feed: f, block: 1}
	out.Stream("stdout", "a")
	out.Stream("stdout", "b")
	out.Stream("stderr", "c")
	out.Display(session.Display{ID: "x"})
	out.Stream("stdout", "d")
	cellOutput{feed: f, block: 2}.Stream("stdout", "e")
	want := outputMsg{
		{Block: 1, Stream: "stdout", Text: "ab"},
		{Block: 1, Stream: "stderr", Text: "c"},
		{Block: 1, Display: &session.Display{ID: "x"}},
		{Block: 1, Stream: "stdout", Text: "d"},
		{Block: 2, Stream: "stdout", Text: "e"},
	}
	if d := cmp.Diff(want, f.next()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestFeedHoldsUpAFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed()
		out := cellOutput{feed: f}
		out.Stream("stdout", strings.Repeat("x", maxWaiting+1))
		printed := false
		go func() {
			out.Stream("stdout", "more")
			printed = true
		}()
		synctest.Wait()
		if printed {
			t.Error("a cell that floods was not held up")
		}
		f.next()
		synctest.Wait()
		if !printed {
			t.Error("a look at the output did not let the cell go on")
		}
	})
}

func TestClosedFeedHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed()
		out := cellOutput{feed: f}
		var inputErr error
		go func() {
			_, inputErr = out.Input("name? ", false)
			out.Stream("stdout", strings.Repeat("x", maxWaiting+1))
			out.Stream("stdout", "more")
		}()
		synctest.Wait()
		f.close()
		synctest.Wait() // the test ends only when the goroutine does
		if !errors.Is(inputErr, errClosed) {
			t.Errorf("got %v, want errClosed", inputErr)
		}
	})
}

func TestInputEndsWithTheCell(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (cellOutput{feed: newFeed(), done: ctx.Done()}).Input("name? ", false); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
