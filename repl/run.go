package repl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	historyfile "vlab/repl/session/history"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

// maxLeft is how many rows of the transcript stay on the terminal when the
// program has ended.
const maxLeft = 2000

// Option changes how [Run] works.
type Option func(*settings)

// settings is what options change.
type settings struct {
	in      io.Reader
	out     io.Writer
	history string
	known   bool // history is given
	banner  []string
}

// WithInput reads keys from r instead of the terminal.
func WithInput(r io.Reader) Option { return func(s *settings) { s.in = r } }

// WithOutput draws on w instead of standard output.
func WithOutput(w io.Writer) Option { return func(s *settings) { s.out = w } }

// WithHistory keeps the history in the file at path, which need not exist; an
// empty path keeps none. Without this option it is in [history.File].
func WithHistory(path string) Option {
	return func(s *settings) { s.history, s.known = path, true }
}

// WithBanner adds lines below the title, such as the device in use.
func WithBanner(lines ...string) Option {
	return func(s *settings) { s.banner = append(s.banner, lines...) }
}

// Run shows the terminal and returns when the person leaves it, or with ctx's
// error when that ends first. It does not close s. The end of the transcript
// stays on the terminal.
func Run(ctx context.Context, s Session, o ...Option) error {
	set := settings{in: os.Stdin, out: os.Stdout}
	for _, option := range o {
		option(&set)
	}
	if !set.known {
		path, err := historyfile.File()
		if err != nil {
			return err
		}
		set.history = path
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f := newFeed()
	defer f.close()
	m := newModel(newBackend(ctx, s, f), banner(newStyles(), set.banner), set.history)
	// Signals are the caller's: it ends ctx.
	p := tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(set.in), tea.WithOutput(set.out), tea.WithoutSignalHandler())
	_, err := p.Run()
	if ctx.Err() != nil && errors.Is(err, tea.ErrProgramKilled) {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("run the terminal: %w", err)
	}
	return m.leave(set.out)
}

// banner returns the title with hints, and lines below it.
func banner(s styles, lines []string) []string {
	return slices.Concat([]string{
		s.Title.Render("vlab") + "  ALBEF in interpreted Go",
		s.Faint.Render(`m := lab.Open("demo")  opens a model · %help lists commands · f1 shows keys`),
	}, lines, []string{""})
}

// leave writes the end of the transcript, as it was on the screen.
func (m *model) leave(w io.Writer) error {
	if len(m.blocks) == 0 {
		return nil
	}
	m.scrolled = 0
	rows := m.visible(maxLeft)
	out := colorprofile.NewWriter(w, os.Environ())
	if _, err := out.WriteString(strings.Join(rows, "\n") + "\n"); err != nil {
		return fmt.Errorf("leave the terminal: %w", err)
	}
	return nil
}
