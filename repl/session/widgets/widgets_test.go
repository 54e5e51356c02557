package widgets_test

import (
	"fmt"
	"image"
	"strings"
	"sync"
	"testing"
	"time"

	"vlab/repl/session/widgets"
)

// wire is what a hub sends.
type wire struct {
	mu   sync.Mutex
	sent []widgets.Comm
}

func (w *wire) send(c widgets.Comm) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, c)
}

// last returns the newest message.
func (w *wire) last() widgets.Comm {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent[len(w.sent)-1]
}

func update(id string, state map[string]any) widgets.Comm {
	return widgets.Comm{Kind: widgets.Msg, ID: id, Data: map[string]any{"method": "update", "state": state}}
}

func TestQuickMovesAreSeenOnce(t *testing.T) {
	w := &wire{}
	h := widgets.NewHub(w.send)
	s := h.IntSlider("n", 0, 100, 200)
	id := w.last().ID
	if s.Value() != 100 {
		t.Errorf("a slider made beyond its end stands at %d, want 100", s.Value())
	}
	hold, seen := make(chan bool), make(chan int, 100)
	s.OnChange(func(v int) { seen <- v; <-hold })
	for v := range 50 {
		h.Receive(update(id, map[string]any{"value": float64(v)}))
		if v == 0 {
			<-seen // the first is being worked on while the others come
		}
	}
	hold <- true
	if v := <-seen; v != 49 {
		t.Errorf("the next call sees %d, want the last move, 49", v)
	}
	hold <- true
	select {
	case v := <-seen:
		t.Errorf("a third call, with %d", v)
	case <-time.After(20 * time.Millisecond):
	}
	h.Receive(update(id, map[string]any{"unknown": 1.0}))
	h.Receive(update("nobody", map[string]any{"value": 1.0}))
	if c := w.last(); c.Kind != widgets.Close || c.ID != "nobody" {
		t.Errorf("a message for a widget that is no more: answered by %+v, want its close", c)
	}
}

func TestPanicOfAFunctionLeavesTheRestAlive(t *testing.T) {
	w := &wire{}
	h := widgets.NewHub(w.send)
	b := h.Button("x")
	id := w.last().ID
	done := make(chan bool)
	n := 0
	b.OnClick(func() {
		if n++; n == 1 {
			panic("first")
		}
		close(done)
	})
	for range 2 {
		h.Receive(widgets.Comm{Kind: widgets.Msg, ID: id, Data: map[string]any{"method": "custom", "content": map[string]any{"event": "click"}}})
	}
	<-done
}

func TestFallbacks(t *testing.T) {
	w := &wire{}
	h := widgets.NewHub(w.send)
	m := h.Dropdown("head", "mean", "0")
	if err := m.Set("1"); err == nil || !strings.Contains(err.Error(), "mean, 0") {
		t.Errorf("a choice that isn't there: %v", err)
	}
	if err := m.Set("0"); err != nil || m.Value() != "0" {
		t.Errorf("%v, %q", err, m.Value())
	}
	o := h.Output()
	o.Print("a", 1)
	o.Show(image.NewGray(image.Rect(0, 0, 1, 1)))
	if list := fmt.Sprint(w.last().Data["state"]); !strings.Contains(list, "a 1") || !strings.Contains(list, "image/png:iVBOR") {
		t.Errorf("outputs %s, want the text and the picture", list)
	}
	p := h.Image(image.NewGray(image.Rect(0, 0, 1, 1)))
	if _, ok := p.Render().Data["image/png"].([]byte); !ok {
		t.Error("a picture has no form of image/png")
	}
	g := h.IntProgress("work", 4)
	g.Set(1)
	box := h.VBox(m, g, h.Button("<stop>"), h.HTML("<b>x</b>")).Render()
	for _, want := range []string{"head: 0", `value="1" max="4"`, "&lt;stop&gt;", "<b>x</b>"} {
		if markup := fmt.Sprint(box.Data["text/html"]); !strings.Contains(markup, want) {
			t.Errorf("the markup lacks %q: %s", want, markup)
		}
	}
	m.Close()
	if c := w.last(); c.Kind != widgets.Close {
		t.Errorf("after Close: %+v", c)
	}
}
