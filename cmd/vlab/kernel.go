package main

import (
	"context"
	"fmt"

	"vlab/kernel"
	"vlab/repl/session"
	"vlab/repl/session/history"
)

func runKernel(ctx context.Context, e env, args []string) error {
	actions := []command{
		{name: "install", run: installKernel},
		{name: "uninstall", run: uninstallKernel},
		{name: "run", run: serveKernel},
	}
	const hint = "vlab kernel install, vlab kernel uninstall, or vlab kernel run --connection-file F"
	if len(args) == 0 {
		return &usageError{"kernel: install or run it?", hint}
	}
	if args[0] == "-h" || args[0] == "--help" {
		fmt.Fprintln(e.stdout, "usage: "+hint)
		return errHelp
	}
	for _, a := range actions {
		if a.name == args[0] {
			return a.run(ctx, e, args[1:])
		}
	}
	return &usageError{fmt.Sprintf("kernel: unknown action %q", args[0]), hint}
}

// placeFlags adds the flags that say where a kernel specification is.
func (f *flags) placeFlags() *kernel.InstallOptions {
	o := &kernel.InstallOptions{}
	f.BoolVar(&o.User, "user", false, "your own Jupyter folder, which is the default")
	f.BoolVar(&o.SysPrefix, "sys-prefix", false, "the environment of the python3 on the PATH")
	f.StringVar(&o.Prefix, "prefix", "", "a `folder` such as /usr/local")
	f.StringVar(&o.Name, "name", "", "the kernel's `name` (default vlab)")
	return o
}

func installKernel(_ context.Context, e env, args []string) error {
	f := newFlags(e, "kernel install", "[--user|--prefix DIR|--sys-prefix] [--name N]")
	o := f.placeFlags()
	if _, err := f.parse(args, 0); err != nil {
		return err
	}
	dir, err := kernel.Install(*o)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "kernel installed in %s\n", dir)
	return nil
}

func uninstallKernel(_ context.Context, e env, args []string) error {
	f := newFlags(e, "kernel uninstall", "[--user|--prefix DIR|--sys-prefix] [--name N]")
	o := f.placeFlags()
	if _, err := f.parse(args, 0); err != nil {
		return err
	}
	dir, err := kernel.Uninstall(*o)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "kernel removed from %s\n", dir)
	return nil
}

// serveKernel is what Jupyter starts.
func serveKernel(ctx context.Context, e env, args []string) error {
	f := newFlags(e, "kernel run", "--connection-file F")
	file := f.String("connection-file", "", "`file` that the Jupyter client has written")
	if _, err := f.parse(args, 0); err != nil {
		return err
	}
	if err := f.need("connection-file"); err != nil {
		return err
	}
	s, err := session.Start(ctx, session.Options{Patient: true})
	if err != nil {
		return err
	}
	defer s.Close()
	past, err := history.File()
	if err != nil {
		past = "" // without a home there is no history
	}
	return kernel.Serve(ctx, *file, s, kernel.Options{Version: version(), History: past})
}
