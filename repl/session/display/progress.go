package display

import (
	"fmt"
	"html"
	"strings"
	"sync"
	"time"
)

// barEvery is how often a bar is redrawn at most; a faster one would cost more
// than the work that it shows.
const barEvery = 100 * time.Millisecond

// barWidth is the width of a bar in text, in characters.
const barWidth = 30

// Bar is a progress bar that updates in place. Its methods may be called from
// several goroutines.
type Bar struct {
	screen *Screen
	id     string
	label  string
	total  int
	begun  time.Time

	mu    sync.Mutex
	n     int
	note  string
	drawn time.Time
}

// Progress shows a bar for total steps; a total of 0 or less counts without an
// end.
func (s *Screen) Progress(label string, total int) *Bar {
	b := &Bar{screen: s, label: label, total: total, begun: time.Now()}
	b.id = fmt.Sprintf("progress-%d-%p", b.begun.UnixNano(), b)
	b.drawn = b.begun
	s.sink.Show(b.id, b.data()) //nolint:errcheck // a bar nobody can see must not stop the work
	return b
}

// Add moves the bar by n steps.
func (b *Bar) Add(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n += n
	b.draw(false)
}

// Set moves the bar to step n.
func (b *Bar) Set(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n = n
	b.draw(false)
}

// Note shows text behind the bar, such as a loss.
func (b *Bar) Note(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note = text
	b.draw(false)
}

// Done draws the bar as it stands, however recently it was drawn.
func (b *Bar) Done() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.draw(true)
}

// draw shows the bar when it is due, or at its end. The caller holds the lock.
func (b *Bar) draw(now bool) {
	if !now && time.Since(b.drawn) < barEvery && (b.n < b.total || b.total <= 0) {
		return
	}
	b.drawn = time.Now()
	b.screen.sink.Update(b.id, b.data()) //nolint:errcheck // a bar nobody can see must not stop the work
}

// data is the bar as text and as markup.
func (b *Bar) data() Data {
	took := time.Since(b.begun).Round(100 * time.Millisecond)
	if b.total <= 0 {
		text := strings.TrimSpace(fmt.Sprintf("%s %d, %v %s", b.label, b.n, took, b.note))
		return MakeData3(MIMETypeHTML, text, html.EscapeString(text))
	}
	share := min(max(float64(b.n)/float64(b.total), 0), 1)
	full := int(share * barWidth)
	tail := strings.TrimSpace(fmt.Sprintf("%d/%d, %v %s", b.n, b.total, took, b.note))
	text := fmt.Sprintf("%s [%s%s] %s", b.label, strings.Repeat("█", full), strings.Repeat("░", barWidth-full), tail)
	markup := fmt.Sprintf(`%s <progress value="%d" max="%d"></progress> %s`,
		html.EscapeString(b.label), min(b.n, b.total), b.total, html.EscapeString(tail))
	return MakeData3(MIMETypeHTML, strings.TrimSpace(text), markup)
}
