package repl

import (
	"context"
	"errors"
	"sync"

	"vlab/repl/session"

	tea "charm.land/bubbletea/v2"
)

// maxWaiting is how many bytes of printed text may wait to be shown before the
// cell that prints them is held up.
const maxWaiting = 1 << 20

// errClosed is what a cell's read gets when the terminal is being left.
var errClosed = errors.New("the terminal was closed")

// outputMsg brings what cells did since the last one, in order.
type outputMsg []event

// event is one thing that a cell did; exactly one of the fields beside Block is set.
type event struct {
	Block   int    // which block of the transcript it belongs to
	Stream  string // the name of a stream, with Text
	Text    string
	Display *session.Display
	Clear   *clearing
	Input   *question
	Done    *outcome
}

// clearing asks for a cell's output to be removed, at once or when more arrives.
type clearing struct{ Wait bool }

// question is a read of a cell that waits for an answer.
type question struct {
	Prompt   string
	Password bool
	Answer   chan<- string
}

// outcome is how a cell ended.
type outcome struct {
	Result session.Result
	Err    error
}

// feed gathers what cells do until the program has time to show it. Text of one
// stream that arrives in a row becomes one event, and a cell that prints faster
// than the screen can show is held up rather than remembered without end.
type feed struct {
	mu      sync.Mutex
	room    sync.Cond
	events  []event
	waiting int           // bytes of text in events
	ready   chan struct{} // holds one token while events are there
	closed  chan struct{}
}

// newFeed returns an empty feed.
func newFeed() *feed {
	f := &feed{ready: make(chan struct{}, 1), closed: make(chan struct{})}
	f.room.L = &f.mu
	return f
}

// put adds an event, and waits first while too much text is there.
func (f *feed) put(e event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.waiting > maxWaiting && !f.isClosed() {
		f.room.Wait()
	}
	if last := len(f.events) - 1; e.Stream != "" && last >= 0 &&
		f.events[last].Stream == e.Stream && f.events[last].Block == e.Block {
		f.events[last].Text += e.Text
	} else {
		f.events = append(f.events, e)
	}
	f.waiting += len(e.Text)
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

// next is the command that waits for events and brings all of them.
func (f *feed) next() tea.Msg {
	select {
	case <-f.ready:
	case <-f.closed:
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	events := f.events
	f.events, f.waiting = nil, 0
	f.room.Broadcast()
	return outputMsg(events)
}

// close lets everyone who waits go on. It is called once, when nobody looks any more.
func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.closed)
	f.room.Broadcast()
}

func (f *feed) isClosed() bool {
	select {
	case <-f.closed:
		return true
	default:
		return false
	}
}

// cellOutput is the [session.Output] of the cell of one block.
type cellOutput struct {
	feed  *feed
	block int
	done  <-chan struct{} // closed when the cell's context ends
}

var _ session.Output = cellOutput{}

// Stream implements [session.Output].
func (o cellOutput) Stream(name, text string) {
	o.feed.put(event{Block: o.block, Stream: name, Text: text})
}

// Display implements [session.Output].
func (o cellOutput) Display(d session.Display) {
	o.feed.put(event{Block: o.block, Display: &d})
}

// ClearOutput implements [session.Output].
func (o cellOutput) ClearOutput(wait bool) {
	o.feed.put(event{Block: o.block, Clear: &clearing{Wait: wait}})
}

// Input implements [session.Output]. It waits for the person's answer, the end
// of the cell or that of the program.
func (o cellOutput) Input(prompt string, password bool) (string, error) {
	answer := make(chan string, 1)
	o.feed.put(event{Block: o.block, Input: &question{Prompt: prompt, Password: password, Answer: answer}})
	select {
	case line, ok := <-answer:
		if !ok {
			return "", context.Canceled
		}
		return line, nil
	case <-o.done:
		return "", context.Canceled
	case <-o.feed.closed:
		return "", errClosed
	}
}
