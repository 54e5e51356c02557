package main

import (
	"context"

	"vlab/repl/script"
	"vlab/repl/session"
)

func runScript(ctx context.Context, e env, args []string) error {
	f := newFlags(e, "run", "FILE [--out DIR] [--param NAME=VALUE ...] [--timeout D]")
	out := f.String("out", "", "`folder` for pictures; created (default the working folder)")
	write := f.String("write", "", "`file` for the executed copy of a notebook; may be the notebook itself")
	timeout := f.Duration("timeout", 0, "how long each cell may run, such as 90s; 0: without end")
	var params []script.Param
	f.Func("param", "give a variable of the file a value, as `NAME=VALUE`: behind the cell of parameters (// %% parameters, or tagged so in a notebook), else before all cells", func(text string) error {
		p, err := script.ParseParam(text)
		params = append(params, p)
		return err
	})
	files, err := f.parse(args, 1)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return &usageError{"run: no file", "vlab run FILE takes a .go script whose cells begin with // %%, or an .ipynb"}
	}
	if *timeout < 0 {
		return &usageError{"run: --timeout is negative", "0 lets a cell run without end"}
	}
	s, err := session.Start(ctx, session.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	return script.Run(ctx, files[0], s, script.Options{Out: *out, Write: *write, Stdout: e.stdout, Stderr: e.stderr, Params: params, Timeout: *timeout})
}
