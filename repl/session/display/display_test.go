package display_test

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlab/repl/session/display"

	"github.com/google/go-cmp/cmp"
)

type page struct{}

func (page) HTML() string   { return "<b>x</b>" }
func (page) String() string { return "a page" }

type broken struct{}

func (broken) HTML() string { panic("no ink") }

func TestRenderFindsTheFormsOfAValue(t *testing.T) {
	tests := []struct {
		name  string
		value any
		want  display.MIMEMap
	}{
		{"plain", 3, display.MIMEMap{"text/plain": "3"}},
		{"nil", nil, display.MIMEMap{"text/plain": "<nil>"}},
		{"error", errors.New("bad"), display.MIMEMap{"text/plain": "bad"}},
		{"html with text", page{}, display.MIMEMap{"text/html": "<b>x</b>", "text/plain": "a page"}},
		{"data", display.Math("$x$"), display.MIMEMap{"text/latex": "$$x$$", "text/plain": "$x$"}},
		{"panic", broken{}, display.MIMEMap{"text/plain": "draw a display_test.broken: panic: no ink"}},
		{"nil picture", (*image.RGBA)(nil), display.MIMEMap{"text/plain": "<nil>"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, display.Render(tt.value).Data); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestRenderEncodesPictures(t *testing.T) {
	d := display.Render(image.NewGray(image.Rect(0, 0, 4, 3)))
	b, ok := d.Data["image/png"].([]byte)
	if !ok {
		t.Fatalf("image/png is a %T", d.Data["image/png"])
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil || img.Bounds().Dx() != 4 || img.Bounds().Dy() != 3 {
		t.Errorf("decoded %v, %v, want 4x3", img, err)
	}
	want := display.MIMEMap{"image/png": display.MIMEMap{"width": 4, "height": 3}}
	if diff := cmp.Diff(want, d.Metadata); diff != "" {
		t.Error(diff)
	}
}

func TestFileTellsTheMimeTypeFromTheBytes(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x")
	var buf bytes.Buffer
	if err := png.Encode(&buf, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := display.File("", name).Data["image/png"].([]byte); !ok {
		t.Errorf("forms %v, want image/png", display.File("", name).Data)
	}
	defer func() {
		if r := recover(); r == nil {
			t.Error("no panic for a missing file")
		}
	}()
	display.File("", name+".none")
}

// record is a sink that keeps what it takes.
type record struct{ shown, updated []string }

func (r *record) Show(id string, d display.Data) error {
	r.shown = append(r.shown, id+": "+d.String())
	return nil
}

func (r *record) Update(id string, d display.Data) error {
	r.updated = append(r.updated, id+": "+d.String())
	return nil
}
func (r *record) Clear(bool) error { return nil }

func TestProgressUpdatesInPlace(t *testing.T) {
	r := &record{}
	bar := display.NewScreen(r).Progress("work", 4)
	bar.Add(2)
	bar.Note("half")
	bar.Add(2)
	bar.Done()
	if len(r.shown) != 1 || !strings.Contains(r.shown[0], "0/4") {
		t.Fatalf("shown %q, want one bar at 0/4", r.shown)
	}
	id, _, _ := strings.Cut(r.shown[0], ":")
	last := r.updated[len(r.updated)-1]
	if !strings.HasPrefix(last, id+":") || !strings.Contains(last, "4/4") || !strings.Contains(last, "half") {
		t.Errorf("last update %q, want 4/4 and the note under id %s", last, id)
	}
	if len(r.updated) > 3 {
		t.Errorf("%d updates within a moment, want them limited", len(r.updated))
	}
}

func TestContextCarriesTheSink(t *testing.T) {
	if display.From(t.Context()) != nil {
		t.Error("a sink out of nowhere")
	}
	r := &record{}
	if display.From(display.WithSink(t.Context(), r)) != r {
		t.Error("another sink than the one put in")
	}
}
