package session

import (
	"errors"
	"sync"
	"unicode/utf8"
)

// textLimit is how much text of one cell is delivered, in bytes: some hundred
// thousand lines, more than a notebook can hold. The rest is dropped, so that a
// runaway print fills nobody's memory.
const textLimit = 8 << 20

// outlet delivers what one cell shows to its Output, one call at a time.
type outlet struct {
	mu   sync.Mutex
	out  Output // nil: nobody listens
	left int    // bytes of text that may still be delivered
	cut  bool   // the notice has been given
	rest map[string][]byte
}

func newOutlet(out Output) *outlet {
	return &outlet{out: out, left: textLimit, rest: map[string][]byte{}}
}

// print delivers text, holding back a character that is not whole yet.
func (o *outlet) print(name string, text []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.out == nil || o.cut {
		return
	}
	text = append(o.rest[name], text...)
	whole := len(text) - partial(text)
	o.rest[name] = append([]byte(nil), text[whole:]...)
	o.deliver(name, text[:whole])
}

// deliver hands text on while the limit allows it.
func (o *outlet) deliver(name string, text []byte) {
	if len(text) > o.left {
		n := o.left
		for n > 0 && !utf8.RuneStart(text[n]) {
			n--
		}
		text, o.cut = text[:n], true
	}
	o.left -= len(text)
	if len(text) > 0 {
		o.out.Stream(name, string(text))
	}
	if o.cut {
		o.out.Stream(stderrName, "\n... the rest of this cell's text is dropped, the limit is 8 MiB\n")
	}
}

// flush delivers what was held back.
func (o *outlet) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, name := range []string{stdoutName, stderrName} {
		if b := o.rest[name]; len(b) > 0 && o.out != nil && !o.cut {
			o.deliver(name, b)
		}
		o.rest[name] = nil
	}
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
