package kernel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"strconv"
	"strings"
	"testing"

	"vlab/repl/session"
)

// runKernel names the environment variable that makes this test binary a
// kernel over the language below, as clients start it.
const runKernel = "VLAB_TEST_KERNEL"

func TestMain(m *testing.M) {
	if os.Getenv(runKernel) == "" {
		os.Exit(m.Run())
	}
	if err := Serve(context.Background(), os.Args[len(os.Args)-1], fake{}, Options{}); err != nil {
		fmt.Fprintln(os.Stderr, "kernel:", err)
		os.Exit(1)
	}
}

// fake is a language of one command a line, each of which makes one kind of
// output.
type fake struct{}

// Interrupt has nothing to end: all that a fake does looks at its context.
func (fake) Interrupt() {}

// Comm has the messages of front ends reach nobody.
func (fake) Comm(session.Comm) error { return errors.New("no widgets here") }

func (f fake) Eval(ctx context.Context, cell string, out session.Output) (session.Result, error) {
	var result session.Result
	for line := range strings.Lines(cell) {
		command, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if command == "page" {
			result.Data, result.Page = map[string]any{"text/plain": rest}, true
			continue
		}
		if command == "value" {
			result.Data = map[string]any{"text/plain": rest}
			continue
		}
		if err := f.do(ctx, command, rest, out); err != nil {
			return result, err
		}
	}
	return result, nil
}

func (f fake) do(ctx context.Context, command, rest string, out session.Output) error {
	switch command {
	case "":
	case "print":
		out.Stream("stdout", rest+"\n")
	case "eprint":
		out.Stream("stderr", rest+"\n")
	case "flood":
		n, err := strconv.Atoi(rest)
		if err != nil {
			return err
		}
		for i := range n {
			out.Stream("stdout", fmt.Sprintf("line %d %s\n", i, strings.Repeat(".", 80)))
		}
	case "show", "update":
		id, text, _ := strings.Cut(rest, " ")
		out.Display(session.Display{Data: map[string]any{"text/plain": text}, ID: id, Update: command == "update"})
	case "png":
		var b bytes.Buffer
		if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 2, 2))); err != nil {
			return err
		}
		out.Display(session.Display{Data: map[string]any{"image/png": b.Bytes()}})
	case "mime":
		mime, text, _ := strings.Cut(rest, " ")
		out.Display(session.Display{Data: map[string]any{mime: text}})
	case "clear":
		out.ClearOutput(rest == "wait")
	case "input":
		text, err := out.Input(rest, false)
		if err != nil {
			return err
		}
		out.Stream("stdout", "got "+text+"\n")
	case "loop":
		<-ctx.Done()
		return &session.CellError{Name: "interrupted", Value: "the cell was interrupted"}
	case "stubborn":
		select {}
	case "panic":
		panic(rest)
	case "crash":
		return &session.CellError{Name: "session ended", Value: rest, Restarted: true, Lost: []string{"x", "y"}}
	case "plain-error":
		return errors.New(rest)
	default:
		return &session.CellError{
			Name: "compile error", Value: "undefined: " + command, Traceback: []string{line(command), "^"}, Line: 1, Col: 1,
		}
	}
	return nil
}

func line(text string) string { return "1 | " + text }

func (fake) Complete(ctx context.Context, code string, pos int) (session.Completion, error) {
	start := strings.LastIndexByte(code[:pos], ' ') + 1
	c := session.Completion{Start: start, End: pos}
	for _, word := range []string{"print", "png", "panic"} {
		if strings.HasPrefix(word, code[start:pos]) {
			c.Matches = append(c.Matches, session.Match{Text: word, Kind: "function", Type: "func()"})
		}
	}
	return c, ctx.Err()
}

func (fake) Inspect(ctx context.Context, code string, pos int) (map[string]any, bool, error) {
	if strings.HasPrefix(code, "hang") {
		<-ctx.Done()
		return nil, false, ctx.Err()
	}
	if !strings.HasPrefix(code, "print") {
		return nil, false, nil
	}
	return map[string]any{"text/plain": fmt.Sprintf("print, byte %d", pos)}, true, nil
}

func (fake) IsComplete(code string) (status, indent string) {
	switch {
	case strings.HasSuffix(code, "{"):
		return "incomplete", "\t"
	case strings.HasSuffix(code, "}}"):
		return "invalid", ""
	}
	return "complete", ""
}
