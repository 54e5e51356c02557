package repl

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vlab/repl/session"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file, or writes the file with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", path, d)
	}
}

// checker returns a PNG of two colours, w by h pixels.
func checker(t *testing.T, w, h int) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{R: 200, A: 255}
			if (x*8/w+y*4/h)%2 == 0 {
				c = color.NRGBA{B: 200, A: 255}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// drawAll does the drawing of every picture that waits for it.
func (b *bench) drawAll() {
	for _, block := range b.model.blocks {
		for _, it := range block.items {
			if cmd := b.draw(it); cmd != nil {
				b.Update(cmd())
			}
		}
	}
}

func TestViewGolden(t *testing.T) {
	scenes := []struct {
		name string
		play func(t *testing.T, b *bench)
	}{
		{"start", func(*testing.T, *bench) {}},
		{"outputs", func(_ *testing.T, b *bench) {
			b.write("for i := range 2 {\nfmt.Println(i)\n}\n")
			b.prints("stdout", "0\n1\n")
			b.prints("stderr", "careful\n")
			b.ends(nil, nil)
			b.runs("x", text("42"), nil)
			b.runs("grid", text("[1 2 3]\n[4 5 6]"), nil)
			b.runs("html", map[string]any{"text/html": "<b>"}, nil)
		}},
		{"running", func(_ *testing.T, b *bench) {
			b.write("train()\n")
			b.shows(session.Display{ID: "bar", Data: text("  0 %")})
			b.shows(session.Display{ID: "bar", Update: true, Data: text(" 40 % ━━━━")})
			b.prints("stdout", "loss 3.2\rloss 2.9")
			b.write("next()\nlater")
			start := time.Unix(100, 0)
			b.send(tickMsg(start), tickMsg(start.Add(3*time.Second)))
		}},
		{"error", func(_ *testing.T, b *bench) {
			b.runs("m := lab.Open(\"nowhere\")", nil, &session.CellError{
				Name: "error", Value: "open nowhere: no such file", Line: 1, Col: 6,
				Traceback: []string{"1 | m := lab.Open(\"nowhere\")", "  |      ^"},
			})
			b.runs("os.Exit(3)", nil, &session.CellError{
				Name: "session ended", Value: "exit status 3", Restarted: true, Lost: []string{"g", "m"},
			})
			b.runs("later", text("here again"), nil)
		}},
		{"popup", func(_ *testing.T, b *bench) {
			b.write("m.G")
			c := completionMsg{code: "m.G", pos: 3}
			c.Start, c.End = 2, 3
			for i := range 12 {
				c.Matches = append(c.Matches, session.Match{Text: fmt.Sprintf("Ground%02d", i), Kind: "method", Type: "func(ctx context.Context, img any, text string) (*lab.Grounding, error)", Doc: "Ground asks where each word looks."})
			}
			b.send(c)
			b.press("down", "down", "down", "down", "down", "down")
		}},
		{"signature", func(_ *testing.T, b *bench) {
			b.write("m.Ground(ctx, ")
			sig := session.Signature{Text: "Ground(ctx context.Context, img any, text string) (*lab.Grounding, error)", Start: 28, End: 35, Doc: "Ground asks where each word looks."}
			b.send(signatureMsg{at: place{"m.Ground(ctx, ", 14}, signature: &sig})
		}},
		{"search", func(_ *testing.T, b *bench) {
			b.send(historyMsg{cells: []string{"m := lab.Open(\"demo\")", "g := lab.Scenes(1, 2)"}})
			b.press("ctrl+r")
			b.write("open")
		}},
		{"question", func(_ *testing.T, b *bench) {
			b.write("ask()\n")
			b.prints("stdout", "hello\n")
			b.send(outputMsg{{Block: b.running(), Input: &question{Prompt: "password: ", Password: true, Answer: make(chan string, 1)}}})
			b.write("abc")
		}},
		{"picture", func(t *testing.T, b *bench) {
			b.write("show()\n")
			b.shows(session.Display{Data: map[string]any{"image/png": checker(t, 32, 16)}})
			b.ends(map[string]any{"image/png": checker(t, 300, 300), "text/plain": "big"}, nil)
			b.drawAll()
		}},
		{"undrawn", func(_ *testing.T, b *bench) {
			b.runs("x", map[string]any{"image/png": []byte("broken")}, nil)
			b.drawAll()
		}},
		{"scrolled", func(_ *testing.T, b *bench) {
			b.write("count()\n")
			for i := range 100 {
				b.prints("stdout", fmt.Sprintf("line %d\n", i))
			}
			b.press("pgup", "pgup")
			b.prints("stdout", "what is read stays\n")
			b.ends(nil, nil)
		}},
		{"description", func(_ *testing.T, b *bench) {
			b.write("lab.Open")
			b.send(inspectionMsg{code: "lab.Open", text: "func Open(path string) (*Model, error)\n\nOpen reads a model from a file, or the embedded one where path is demo."})
		}},
		{"keys", func(_ *testing.T, b *bench) { b.press("f1") }},
		{"wide", func(_ *testing.T, b *bench) {
			b.runs(`s := "日本語"`, text(strings.Repeat("日本語 é 🙂 ", 12)), nil)
			b.write("\x1b[31mnot red")
		}},
	}
	for _, scene := range scenes {
		for _, size := range []cells{{80, 24}, {40, 12}} {
			name := fmt.Sprintf("%s_%dx%d", scene.name, size.w, size.h)
			t.Run(name, func(t *testing.T) {
				b := newBench(t, size.w, size.h)
				scene.play(t, b)
				got := b.screen()
				for i, line := range strings.Split(strings.TrimSuffix(got, "\n"), "\n") {
					if w := ansi.StringWidth(line); w > size.w || i >= size.h {
						t.Errorf("row %d is %d cells wide on a screen of %dx%d", i, w, size.w, size.h)
					}
				}
				if c := b.View().Cursor; c != nil {
					got += fmt.Sprintf("cursor %d,%d\n", c.X, c.Y)
				}
				golden(t, name, got)
			})
		}
	}
}

func TestViewFitsSmallScreens(t *testing.T) {
	for _, size := range []cells{{8, 4}, {9, 5}, {20, 6}, {200, 4}} {
		b := newBench(t, size.w, size.h)
		b.runs("x", text("a value that is longer than the screen is wide"), nil)
		b.write("if a {\nb\nc\nd\ne")
		screens := []string{b.screen()}
		b.press("f1")
		screens = append(screens, b.screen())
		b.send(inspectionMsg{code: b.input.Value(), text: "words about it, more than fit"})
		screens = append(screens, b.screen())
		for i, screen := range screens {
			lines := strings.Split(strings.TrimSuffix(screen, "\n"), "\n")
			if len(lines) != size.h {
				t.Errorf("screen %d at %v has %d rows:\n%s", i, size, len(lines), screen)
			}
			for _, line := range lines {
				if w := ansi.StringWidth(line); w > size.w {
					t.Errorf("screen %d at %v has a row of %d cells: %q", i, size, w, line)
				}
			}
		}
	}
}

func TestViewOnlyReads(t *testing.T) {
	b := newBench(t, 80, 24)
	b.runs("x", text("42"), nil)
	first := b.View().Content
	if second := b.View().Content; second != first {
		t.Errorf("a second look shows another screen:\n%s", cmp.Diff(first, second))
	}
}

func TestTableOfPictureStandsBelowIt(t *testing.T) {
	b := newBench(t, 40, 30)
	b.runs("x", map[string]any{"image/png": checker(t, 8, 8), "text/plain": "word  peak\nred   1, 2"}, nil)
	b.drawAll()
	got := b.screen()
	if picture, table := strings.LastIndex(got, "▀"), strings.Index(got, "red   1, 2"); picture < 0 || table < picture {
		t.Errorf("got\n%s\nwant the picture and the table below it", got)
	}
}

func TestPictureNeedsColours(t *testing.T) {
	b := newBench(t, 40, 12)
	b.send(tea.ColorProfileMsg{Profile: colorprofile.ASCII})
	b.runs("x", map[string]any{"image/png": checker(t, 8, 8), "text/plain": "a sheet"}, nil)
	b.drawAll()
	if got, want := b.screen(), "(a picture: a sheet)"; !strings.Contains(got, want) {
		t.Errorf("got %q, want %q in it", got, want)
	}
}
