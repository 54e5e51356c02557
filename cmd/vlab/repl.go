package main

import (
	"context"
	"log/slog"
	"os"

	"vlab/repl"
	"vlab/repl/session"
)

func runREPL(ctx context.Context, e env, args []string) error {
	f := newFlags(e, "repl", "")
	if _, err := f.parse(args, 0); err != nil {
		return err
	}
	if columnsOf(os.Stdin) == 0 || columnsOf(os.Stdout) == 0 {
		return &usageError{"repl: standard input and output are no terminal", "vlab run FILE runs cells with nobody there"}
	}
	// What the session has to say is shown in the cell it is about: a log on
	// standard error would be drawn over.
	s, err := session.Start(ctx, session.Options{Patient: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer s.Close()
	return repl.Run(ctx, s, repl.WithBanner(s.About()))
}
