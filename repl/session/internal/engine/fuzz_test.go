package engine

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"vlab/repl/session/display"
	"vlab/repl/session/internal/corpus"
	"vlab/repl/session/widgets"
)

// nowhere is a sink that shows nothing.
type nowhere struct{}

func (nowhere) Show(string, display.Data) error   { return nil }
func (nowhere) Update(string, display.Data) error { return nil }
func (nowhere) Clear(bool) error                  { return nil }

// FuzzPrepare looks for cells that the check or the rewriting fall over.
func FuzzPrepare(f *testing.F) {
	sources, err := corpus.Sources(filepath.Join("..", "..", "testdata", "cells"))
	if err != nil {
		f.Fatal(err)
	}
	for _, src := range sources {
		f.Add(src)
	}
	e, err := New(Options{Sink: nowhere{}, Widgets: widgets.NewHub(func(widgets.Comm) {}), Input: func(context.Context, string, bool) (string, error) {
		return "", errors.New("nobody is there")
	}})
	if err != nil {
		f.Fatal(err)
	}
	num := 0
	f.Fuzz(func(t *testing.T, src string) {
		num++
		p, err := e.prepare(num, src)
		var fault *Fault
		if err != nil && !errors.As(err, &fault) {
			t.Errorf("%q: %v is no error of a cell", src, err)
		}
		if err == nil && p == nil {
			t.Errorf("%q: neither a plan nor an error", src)
		}
		e.Complete(src, len(src)/2)
		e.Inspect(src, len(src)/2)
		e.Signature(src, len(src)/2)
	})
}
