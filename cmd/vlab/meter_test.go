package main

import (
	"bytes"
	"fmt"
	"testing"
	"time"
)

// testMeter returns a meter whose clock the caller sets.
func testMeter(columns int) (m *meter, out *bytes.Buffer, now *time.Time) {
	out, now = &bytes.Buffer{}, &time.Time{}
	*now = time.Unix(1000, 0)
	return &meter{w: out, columns: columns, clock: func() time.Time { return *now }}, out, now
}

func TestMeterPrintsPlainLinesSeldom(t *testing.T) {
	m, out, now := testMeter(0)
	for i := 1; i <= 100; i++ {
		m.show("work", i, 100, "")
		*now = now.Add(200 * time.Millisecond)
	}
	want := "work 1/100\nwork 26/100\nwork 51/100\nwork 76/100\nwork 100/100\n"
	if out.String() != want {
		t.Errorf("got %q, want a line every five seconds and the last: %q", out, want)
	}
}

func TestMeterDrawsABarInPlace(t *testing.T) {
	m, out, now := testMeter(30)
	m.show("work", 1, 4, "note")
	m.show("work", 2, 4, "too soon")
	*now = now.Add(time.Second)
	fmt.Fprintln(m, "a log line")
	m.show("work", 4, 4, "a note that is cut off")
	m.end()
	const first, last = "work [██████░░░░░░░░░░░░░░░░░░", "work [████████████████████████"
	want := "\r\x1b[K" + cut(first+"] 1/4  note", 29) + "\r\x1b[Ka log line\n" + cut(first+"] 1/4  note", 29) + "\r\x1b[K" + cut(last+"] 4/4  a note", 29) + "\n"
	if out.String() != want {
		t.Errorf("got  %q,\nwant %q", out, want)
	}
}

func TestMeterShowsTheProgressOfQueries(t *testing.T) {
	m, out, _ := testMeter(0)
	s := meterSink{m}
	s.Show("id", map[string]any{"text/plain": "reading [██] 3/9", "text/html": "<b>"})
	s.Update("id", map[string]any{"text/plain": "too soon"})
	s.Show("plot", map[string]any{"image/png": []byte{1}})
	if want := "reading [██] 3/9\n"; out.String() != want {
		t.Errorf("got %q, want %q", out, want)
	}
}
