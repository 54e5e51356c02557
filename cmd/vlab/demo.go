package main

import (
	"context"
	_ "embed" // for the tour
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"vlab/repl/script"
	"vlab/repl/session"
)

// tour is the demo's cells, a file that a person can read and vlab run can run.
//
//go:embed demo/tour.go.txt
var tour string

// tourSteps is the line of the tour that says how many steps are trained.
const tourSteps = "steps := 20"

func runDemo(ctx context.Context, e env, args []string) error {
	f := newFlags(e, "demo", "[--out DIR] [--steps N]")
	out := f.String("out", "demo-out", "`folder` for pictures; created")
	steps := f.Int("steps", 20, "how many training steps to see")
	if _, err := f.parse(args, 0); err != nil {
		return err
	}
	if *steps < 2 {
		return &usageError{fmt.Sprintf("demo: --steps is %d", *steps), "2 or more, to see the loss go down"}
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	dir, err := os.MkdirTemp("", "vlab-demo-")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return errors.Join(takeTour(ctx, e, dir, *out, *steps), os.RemoveAll(dir))
}

// takeTour runs the cells in a session of their own, as vlab run does.
func takeTour(ctx context.Context, e env, dir, out string, steps int) error {
	file := filepath.Join(dir, "tour.go")
	text := strings.Replace(tour, tourSteps, fmt.Sprintf("steps := %d", steps), 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	s, err := session.Start(ctx, session.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	return script.Run(ctx, file, s, script.Options{Out: out, Stdout: e.stdout, Stderr: e.stderr})
}
