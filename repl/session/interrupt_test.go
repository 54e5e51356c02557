package session_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"vlab/repl/session"
)

// TestInterruptTimes tells how long after an interrupt cells end; in interpreted code
// that is at once.
func TestInterruptTimes(t *testing.T) {
	for _, tt := range []struct{ name, cell string }{
		{"an empty loop", "for { }"},
		{"a loop in a function literal", "func() { n := 0; for { n++ } }()"},
		{"a channel wait", "<-make(chan int)"},
		{"a select", "select {}"},
		{"a sleep of ten minutes", "time.Sleep(10 * time.Minute)"},
		{"a call that looks at its context", "lab.Wait(ctx, time.Hour)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t)
			eval(t, s, "kept := 41")
			var asked time.Time
			timer := time.AfterFunc(200*time.Millisecond, func() { asked = time.Now(); s.Interrupt() })
			defer timer.Stop()
			_, err := s.Eval(bounded(t), tt.cell, newRecord())
			took := time.Since(asked)
			var ce *session.CellError
			if !errors.As(err, &ce) || ce.Name != "interrupted" || ce.Restarted {
				t.Fatalf("error %v, want an interrupt that keeps the session", err)
			}
			if got, _ := eval(t, s, "kept + 1"); got != "42" {
				t.Errorf("kept + 1 = %s in the next cell", got)
			}
			t.Logf("ended after %v", took.Round(time.Millisecond))
		})
	}
}

// TestSecondInterruptEndsTheChild waits in a lock, which nothing can end.
func TestSecondInterruptEndsTheChild(t *testing.T) {
	s := startWith(t, session.Options{Patient: true})
	eval(t, s, "kept := 41")
	rec := newRecord()
	done := make(chan error, 1)
	go func() {
		_, err := s.Eval(bounded(t), "import \"sync\"\nvar mu sync.Mutex\nmu.Lock()\nfunc() { println(\"locked\"); mu.Lock() }()", rec)
		done <- err
	}()
	told := func(what string) {
		t.Helper()
		for {
			select {
			case event := <-rec.seen:
				if strings.Contains(event, what) {
					return
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("nothing says %q", what)
			}
		}
	}
	told("locked")
	s.Interrupt()
	told("another interrupt")
	select {
	case err := <-done:
		t.Fatalf("the cell has ended before the second interrupt: %v", err)
	default:
	}
	asked := time.Now()
	s.Interrupt()
	err := <-done
	var ce *session.CellError
	if !errors.As(err, &ce) || !ce.Restarted || len(ce.Lost) != 1 || ce.Lost[0] != "kept" {
		t.Errorf("error %#v, want a new session that has lost kept", err)
	}
	t.Logf("ended %v after the second interrupt", time.Since(asked).Round(time.Millisecond))
	if _, err := s.Eval(bounded(t), "%replay", newRecord()); err != nil {
		t.Fatal(err)
	}
	if got, _ := eval(t, s, "kept"); got != "41" {
		t.Errorf("kept = %s after %%replay", got)
	}
}
