// Command vlab is an interactive vision-language lab: a terminal, a Jupyter
// kernel and the tasks of ALBEF as subcommands, one file each.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

// command is one subcommand.
type command struct {
	name      string
	summary   string
	run       runner // nil where [withTorch] has it
	ownSIGINT bool
}

// runner does what a command is for. It gets the arguments after the command's
// name. Its context ends at SIGTERM, and at SIGINT unless the command handles that
// itself.
type runner func(ctx context.Context, e env, args []string) error

// env is what a subcommand sees of the world.
type env struct {
	stdout, stderr io.Writer
}

// The exit statuses that scripts rely on.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	runtime.LockOSThread() // all commands compute on one thread, see torch.Pin
	os.Exit(Main(os.Args[1:], env{os.Stdout, os.Stderr}))
}

// Main runs one subcommand and returns the exit status.
func Main(args []string, e env) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(e.stdout)
		return 0
	}
	name := args[0]
	if name == "--version" {
		name = "version"
	}
	for _, c := range commands() {
		if c.name != name {
			continue
		}
		if c.run == nil {
			var err error
			if c.run, err = withTorch(name, args[1:]); err != nil {
				return status(e, err)
			}
		}
		return status(e, c.call(e, args[1:]))
	}
	return status(e, &usageError{what: fmt.Sprintf("unknown command %q", args[0]), hint: near(args[0])})
}

// call runs the command. After the first signal a second one ends the process
// at once, whatever the first has asked to be saved.
func (c command) call(e env, args []string) error {
	signals := []os.Signal{syscall.SIGTERM, os.Interrupt}
	if c.ownSIGINT {
		signals = signals[:1]
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	context.AfterFunc(ctx, stop)
	return c.run(ctx, e, args)
}

// status prints err as CONTRACT has it, "vlab: what: why" and a hint, and
// returns the exit status that belongs to it.
func status(e env, err error) int {
	if err == nil {
		return 0
	}
	var wrong *usageError
	var interrupted *interruptedError
	if errors.Is(err, errHelp) {
		return 0
	}
	fmt.Fprintf(e.stderr, "vlab: %v\n", err)
	if hint := hintOf(err); hint != "" {
		fmt.Fprintf(e.stderr, "hint: %s\n", hint)
	}
	switch {
	case errors.As(err, &wrong):
		return exitUsage
	case errors.As(err, &interrupted), errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitFailed
}

// usageError is a command line that can't be understood.
type usageError struct{ what, hint string }

func (e *usageError) Error() string { return e.what }

// Hint says what to type instead.
func (e *usageError) Hint() string { return e.hint }

// hintedError is an error with a sentence on what to do next.
type hintedError struct {
	error
	hint string
}

// Hint says what to do next.
func (e *hintedError) Hint() string { return e.hint }

// Unwrap returns the error without the hint.
func (e *hintedError) Unwrap() error { return e.error }

// interruptedError is the end of a run that was interrupted and has saved
// everything.
type interruptedError struct{ error }

// Unwrap returns what the run said.
func (e *interruptedError) Unwrap() error { return e.error }

func usage(w io.Writer) {
	fmt.Fprint(w, "vlab is an interactive vision-language lab.\n\n")
	for _, c := range commands() {
		if c.summary != "" {
			fmt.Fprintf(w, "  vlab %-9s %s\n", c.name, c.summary)
		}
	}
	fmt.Fprint(w, "\nvlab COMMAND --help tells the flags of a command.\n")
}

// hintOf is what to do about an error, "" where it doesn't say.
func hintOf(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	return ""
}
