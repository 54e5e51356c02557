package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// How often a meter speaks: a bar on a terminal is redrawn, anywhere else each
// time is a further line of a log.
const (
	barEvery  = 100 * time.Millisecond
	lineEvery = 5 * time.Second
)

// barWidth is the bar's own width, in characters.
const barWidth = 24

// meter shows how far a command is: one bar in place on a terminal, a plain
// line now and then elsewhere. What is logged meanwhile goes through Write, so
// that bar and log do not run into each other. Several goroutines may use it.
type meter struct {
	w       io.Writer
	columns int // of the terminal, 0 where it is none
	clock   func() time.Time

	mu    sync.Mutex
	label string
	drawn time.Time
	bar   string // on the screen now, or ""
}

func newMeter(e env) *meter {
	m := &meter{w: e.stderr, clock: time.Now}
	if f, ok := e.stderr.(*os.File); ok {
		m.columns = columnsOf(f)
	}
	return m
}

// columnsOf returns the width of the terminal that f is, 0 if it is none.
func columnsOf(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	if size.Col == 0 {
		return 80 // a terminal that does not tell
	}
	return int(size.Col)
}

// show says that done of total steps of label are over. Calls that come too
// soon after the last are left out, but for the first and the last of a label.
func (m *meter) show(label string, done, total int, note string) {
	if m.columns == 0 {
		m.put(label, fmt.Sprintf("%s %d/%d  %s", label, done, total, note), done == total)
		return
	}
	share := 0.0
	if total > 0 {
		share = min(1, float64(done)/float64(total))
	}
	full := int(share * barWidth)
	bar := strings.Repeat("█", full) + strings.Repeat("░", barWidth-full)
	m.put(label, fmt.Sprintf("%s [%s] %d/%d  %s", label, bar, done, total, note), done == total)
}

// put shows a line about label, unless it comes too soon and is not the last.
func (m *meter) put(label, line string, last bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	every := lineEvery
	if m.columns > 0 {
		every = barEvery
	}
	now := m.clock()
	if label == m.label && now.Sub(m.drawn) < every && !last {
		return
	}
	m.label, m.drawn = label, now
	line = strings.TrimRight(line, " ")
	if m.columns == 0 {
		fmt.Fprintln(m.w, line)
		return
	}
	m.bar = cut(line, m.columns-1)
	fmt.Fprintf(m.w, "\r\x1b[K%s", m.bar)
}

// cut shortens a line to n characters, since a bar that wraps cannot be redrawn
// in place.
func cut(line string, n int) string {
	runes := []rune(line)
	return string(runes[:min(len(runes), max(n, 0))])
}

// Write writes whole lines of a log above the bar.
func (m *meter) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bar == "" {
		return m.w.Write(p)
	}
	fmt.Fprint(m.w, "\r\x1b[K")
	n, err := m.w.Write(p)
	fmt.Fprint(m.w, m.bar)
	return n, err
}

// end leaves the bar as it stands and goes on to the next line.
func (m *meter) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bar != "" {
		fmt.Fprintln(m.w)
		m.bar = ""
	}
}

// meterSink shows the progress of a query, the only thing that it shows on the
// way, on a meter. It is a lab.Sink.
type meterSink struct{ *meter }

// Show implements lab.Sink.
func (s meterSink) Show(id string, forms map[string]any) { s.Update(id, forms) }

// Update implements lab.Sink.
func (s meterSink) Update(id string, forms map[string]any) {
	if text, ok := forms["text/plain"].(string); ok {
		s.put(id, text, false)
	}
}
