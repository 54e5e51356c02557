package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// errHelp ends a command whose flags were asked for.
var errHelp = errors.New("help")

// flags is a command's flag set, whose errors say what to type instead.
type flags struct {
	*flag.FlagSet
	e env
}

func newFlags(e env, name, synopsis string) *flags {
	f := &flags{flag.NewFlagSet(name, flag.ContinueOnError), e}
	f.SetOutput(io.Discard)
	f.Usage = func() {
		fmt.Fprintf(e.stdout, "usage: vlab %s %s\n", name, synopsis)
		f.list(e.stdout)
	}
	return f
}

// list prints the flags with two hyphens, as they are documented.
func (f *flags) list(w io.Writer) {
	f.VisitAll(func(one *flag.Flag) {
		value, usage := flag.UnquoteUsage(one)
		line := "  --" + one.Name
		if value != "" {
			line += " " + value
		}
		if d := one.DefValue; d != "" && d != "0" && d != "0s" && d != "false" {
			usage += " (default " + d + ")"
		}
		fmt.Fprintf(w, "%s\n        %s\n", line, usage)
	})
}

// parse reads args; flags may stand before and after at most n positional
// arguments, which come back.
func (f *flags) parse(args []string, n int) ([]string, error) {
	var rest []string
	for {
		err := f.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			return nil, errHelp
		}
		if err != nil {
			return nil, &usageError{f.Name() + ": " + err.Error(), f.flagHint(err)}
		}
		if f.NArg() == 0 {
			break
		}
		rest = append(rest, f.Arg(0))
		args = f.Args()[1:]
	}
	if len(rest) > n {
		return nil, &usageError{fmt.Sprintf("%s: unexpected argument %q", f.Name(), rest[n]), f.help()}
	}
	return rest, nil
}

// help is the hint that always fits.
func (f *flags) help() string { return "vlab " + f.Name() + " --help lists the flags" }

// flagHint guesses which flag was meant.
func (f *flags) flagHint(err error) string {
	_, typed, unknown := strings.Cut(err.Error(), "flag provided but not defined: -")
	var names []string
	f.VisitAll(func(one *flag.Flag) { names = append(names, one.Name) })
	if near := nearest(typed, names); unknown && near != "" {
		return "did you mean --" + near + "?"
	}
	return f.help()
}

// need reports the first of the named flags that was left out.
func (f *flags) need(names ...string) error {
	for _, name := range names {
		if f.Lookup(name).Value.String() == "" {
			return &usageError{fmt.Sprintf("%s: --%s is missing", f.Name(), name), f.help()}
		}
	}
	return nil
}

// given reports whether the command line has the flag.
func (f *flags) given(name string) bool {
	found := false
	f.Visit(func(one *flag.Flag) { found = found || one.Name == name })
	return found
}

// oneOf reports a flag whose value is none of those allowed.
func (f *flags) oneOf(name string, allowed ...string) error {
	if v := f.Lookup(name).Value.String(); !slices.Contains(allowed, v) {
		return &usageError{fmt.Sprintf("%s: --%s is %q", f.Name(), name, v), "one of " + strings.Join(allowed, ", ")}
	}
	return nil
}

// settings collects --set key=value.
type settings []string

func (s *settings) String() string { return strings.Join(*s, " ") }

func (s *settings) Set(v string) error {
	if !strings.Contains(v, "=") {
		return fmt.Errorf("want key=value, not %q", v)
	}
	*s = append(*s, v)
	return nil
}

// printJSON prints the one object of a --json command.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("print json: %w", err)
	}
	return nil
}
