package lab

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"image"
	"image/png"
	"strings"
	"time"
)

// Sink takes what is shown while a query or a run is at work: forms by mime
// type, text/plain, text/html (strings) and image/png ([]byte). Update replaces
// what was shown under an id. Its methods may be called from any goroutine, one
// call at a time for an id.
type Sink interface {
	Show(id string, mime map[string]any)
	Update(id string, mime map[string]any)
}

// Controls is a [Sink] of a front end that has buttons.
type Controls interface {
	Sink
	// Button shows a button; pressed is called when a person presses it. The function
	// that it returns takes the button away.
	Button(label string, pressed func()) (remove func())
}

type sinkKey struct{}

// WithSink returns a context whose queries and runs show their progress on s.
func WithSink(ctx context.Context, s Sink) context.Context {
	return context.WithValue(ctx, sinkKey{}, s)
}

// sinkOf returns the context's sink, nil where there is none.
func sinkOf(ctx context.Context) Sink {
	s, _ := ctx.Value(sinkKey{}).(Sink)
	return s
}

// newID names a display after the moment that it begins.
func newID(what string) string { return fmt.Sprintf("lab-%s-%d", what, time.Now().UnixNano()) }

// bar is a progress bar on a sink. A nil bar does nothing.
type bar struct {
	sink  Sink
	id    string
	label string
	total int
	begun time.Time
	drawn time.Time
	n     int
}

// barEvery is how often a bar is drawn at most.
const barEvery = 150 * time.Millisecond

// newBar shows a bar, or returns nil where nobody looks or the work is smaller
// than least.
func newBar(ctx context.Context, label string, total, least int) *bar {
	sink := sinkOf(ctx)
	if sink == nil || total < least {
		return nil
	}
	b := &bar{sink: sink, id: newID("bar"), label: label, total: total, begun: time.Now(), drawn: time.Now()}
	sink.Show(b.id, barForms(label, 0, total, ""))
	return b
}

func (b *bar) set(n int) {
	if b == nil {
		return
	}
	b.n = n
	if time.Since(b.drawn) >= barEvery {
		b.draw()
	}
}

func (b *bar) done() {
	if b != nil {
		b.draw()
	}
}

func (b *bar) draw() {
	b.drawn = time.Now()
	b.sink.Update(b.id, barForms(b.label, b.n, b.total, time.Since(b.begun).Round(100*time.Millisecond).String()))
}

// barForms draws a bar as text and as markup.
func barForms(label string, n, total int, note string) map[string]any {
	const width = 30
	full := 0
	if total > 0 {
		full = min(max(n*width/total, 0), width)
	}
	tail := strings.TrimSpace(fmt.Sprintf("%d/%d %s", n, total, note))
	return map[string]any{
		"text/plain": fmt.Sprintf("%s [%s%s] %s", label, strings.Repeat("█", full), strings.Repeat("░", width-full), tail),
		"text/html": fmt.Sprintf(`%s <progress value="%d" max="%d"></progress> %s`,
			html.EscapeString(label), n, max(total, 1), html.EscapeString(tail)),
	}
}

// encodePNG returns a picture as a PNG file, nil without one.
func encodePNG(img image.Image) []byte {
	if img == nil {
		return nil
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil // only an empty picture can't be written
	}
	return b.Bytes()
}
