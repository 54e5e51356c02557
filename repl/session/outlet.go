package session

import (
	"errors"
	"fmt"
	"sync"
	"unicode/utf8"
)

// textLimit is how much text of one cell is delivered as it comes, in bytes: some
// hundred thousand lines, more than a notebook can hold. Of the rest the last endLimit
// are delivered at the cell's end, so that a runaway print fills nobody's memory.
const (
	textLimit = 8 << 20
	endLimit  = 64 << 10
)

// outlet delivers what one cell shows to its Output, one call at a time.
type outlet struct {
	mu   sync.Mutex
	out  Output // nil: nobody listens
	left int    // bytes of text that may still be delivered
	cut  bool   // the limit was reached; left then counts what is left out, below zero
	end  []printed
	held int // bytes in end
	rest map[string][]byte
}

func newOutlet(out Output) *outlet {
	return &outlet{out: out, left: textLimit, rest: map[string][]byte{}}
}

// print delivers text, holding back a character that is not whole yet.
func (o *outlet) print(name string, text []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.out == nil {
		return
	}
	text = append(o.rest[name], text...)
	whole := len(text) - partial(text)
	o.rest[name] = append([]byte(nil), text[whole:]...)
	o.deliver(name, text[:whole])
}

// deliver hands text on while the limit allows it, and keeps the last of the rest.
func (o *outlet) deliver(name string, text []byte) {
	if o.cut {
		o.keep(name, text)
		return
	}
	now := text
	if len(text) > o.left {
		n := o.left
		for n > 0 && !utf8.RuneStart(text[n]) {
			n--
		}
		now, o.cut = text[:n], true
	}
	o.left -= len(now)
	if len(now) > 0 {
		o.out.Stream(name, string(now))
	}
	if o.cut {
		o.left = 0
		o.out.Stream(stderrName, "\n... the limit is 8 MiB of text for a cell; what comes now is held back, and its end shown with the cell's\n")
		o.keep(name, text[len(now):])
	}
}

// printed is some text of one stream.
type printed struct {
	name string
	text []byte
}

// keep holds text beyond the limit back, the newest endLimit of it.
func (o *outlet) keep(name string, text []byte) {
	if len(text) == 0 {
		return
	}
	o.end, o.held = append(o.end, printed{name, append([]byte(nil), text...)}), o.held+len(text)
	for o.held > endLimit {
		first := &o.end[0]
		n := min(o.held-endLimit, len(first.text))
		for n < len(first.text) && !utf8.RuneStart(first.text[n]) {
			n++
		}
		first.text, o.held, o.left = first.text[n:], o.held-n, o.left-n
		if len(first.text) == 0 {
			o.end = o.end[1:]
		}
	}
}

// showEnd delivers what was held back, and says how much before it is left out.
func (o *outlet) showEnd() {
	if o.out == nil || len(o.end) == 0 {
		return
	}
	if o.left < 0 {
		o.out.Stream(stderrName, fmt.Sprintf("... %d bytes are left out here ...\n", -o.left))
	}
	for _, p := range o.end {
		o.out.Stream(p.name, string(p.text))
	}
	o.end, o.held, o.left = nil, 0, 0
}

// flush delivers what was held back.
func (o *outlet) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, name := range []string{stdoutName, stderrName} {
		if b := o.rest[name]; len(b) > 0 && o.out != nil {
			o.deliver(name, b)
		}
		o.rest[name] = nil
	}
	o.showEnd()
}

func (o *outlet) display(d Display) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.out != nil {
		o.out.Display(d)
	}
}

func (o *outlet) clear(wait bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.out != nil {
		o.out.ClearOutput(wait)
	}
}

func (o *outlet) comm(c Comm) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if out, ok := o.out.(CommOutput); ok {
		out.Comm(c)
	}
}

// input asks the person, outside the lock: the cell's other output goes on.
func (o *outlet) input(prompt string, password bool) (string, error) {
	if o.out == nil {
		return "", errors.New("nobody to ask")
	}
	return o.out.Input(prompt, password)
}

// partial returns how many bytes at the end of text begin a character that is
// not whole.
func partial(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		b := text[len(text)-n]
		if utf8.RuneStart(b) {
			if b >= utf8.RuneSelf && !utf8.FullRune(text[len(text)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}
