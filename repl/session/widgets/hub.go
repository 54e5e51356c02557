package widgets

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// The kinds of a message of a comm.
const (
	Open  = "open"
	Msg   = "msg"
	Close = "close"
)

// The targets of comms: of a widget, and of a front end that asks for all there are.
const (
	target        = "jupyter.widget"
	controlTarget = "jupyter.widget.control"
)

// Versions of the protocols and of ipywidgets' models, as of ipywidgets 8.
const (
	protocolVersion = "2.1.0"
	controlProtocol = "1.0.0"
	modelVersion    = "2.0.0"
	outputVersion   = "1.0.0"
)

// Comm is a message of a comm, to a front end or from it.
type Comm struct {
	Kind     string // Open, Msg or Close
	ID       string
	Target   string // with Open
	Data     map[string]any
	Metadata map[string]any
	Buffers  [][]byte
}

// Hub makes widgets, tells front ends of them and takes what those say. Its methods
// may be called from several goroutines.
type Hub struct {
	send func(Comm)

	live atomic.Bool

	mu      sync.Mutex
	widgets map[string]*model
	due     []func() // functions of the person's that wait for their turn
	running bool     // a goroutine calls them
}

// NewHub returns a hub whose messages go to send.
func NewHub(send func(Comm)) *Hub {
	return &Hub{send: send, widgets: map[string]*model{}}
}

// SetLive says whether the front end of the cell that runs has widgets.
func (h *Hub) SetLive(live bool) { h.live.Store(live) }

// Live reports whether the front end of the cell that runs has widgets.
func (h *Hub) Live() bool { return h.live.Load() }

type hubKey struct{}

// WithHub returns a context that carries h.
func WithHub(ctx context.Context, h *Hub) context.Context { return context.WithValue(ctx, hubKey{}, h) }

// From returns the hub of a running cell's context, nil where there is none.
func From(ctx context.Context) *Hub {
	h, _ := ctx.Value(hubKey{}).(*Hub)
	return h
}

// Receive takes a message of a front end. It returns at once: functions of the
// person's run in a goroutine of their own, one after the other.
func (h *Hub) Receive(c Comm) {
	switch c.Kind {
	case Open:
		h.opened(c)
	case Msg:
		h.mu.Lock()
		m := h.widgets[c.ID]
		h.mu.Unlock()
		method, _ := c.Data["method"].(string)
		switch {
		case m != nil:
			m.received(c)
		case method == "request_states":
			h.tellAll(c.ID)
		default: // a widget of a session that is over
			h.send(Comm{Kind: Close, ID: c.ID, Data: map[string]any{}})
		}
	case Close:
		h.mu.Lock()
		delete(h.widgets, c.ID)
		h.mu.Unlock()
	}
}

// opened answers a comm that a front end has opened: for any other target than the
// control of widgets there is nobody here, which its close says.
func (h *Hub) opened(c Comm) {
	if c.Target != controlTarget {
		h.send(Comm{Kind: Close, ID: c.ID, Data: map[string]any{}})
	}
}

// tellAll sends the state of every widget to a front end that has come later.
func (h *Hub) tellAll(id string) {
	h.mu.Lock()
	all := make([]*model, 0, len(h.widgets))
	for _, m := range h.widgets {
		all = append(all, m)
	}
	h.mu.Unlock()
	slices.SortFunc(all, func(a, b *model) int { return strings.Compare(a.id, b.id) })
	states, paths, buffers := map[string]any{}, []any{}, [][]byte{}
	for _, m := range all {
		state, own, bytes := m.snapshot(nil)
		states[m.id] = map[string]any{
			"model_name": state["_model_name"], "model_module": state["_model_module"],
			"model_module_version": state["_model_module_version"], "state": state,
		}
		for _, p := range own {
			paths = append(paths, append([]any{m.id, "state"}, p...))
		}
		buffers = append(buffers, bytes...)
	}
	h.send(Comm{
		Kind: Msg, ID: id, Buffers: buffers, Metadata: map[string]any{"version": controlProtocol},
		Data: map[string]any{"method": "update_states", "states": states, "buffer_paths": paths},
	})
}

// call runs a function of the person's when those before it are through.
func (h *Hub) call(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.due = append(h.due, f)
	if !h.running {
		h.running = true
		go h.work()
	}
}

func (h *Hub) work() {
	for {
		h.mu.Lock()
		if len(h.due) == 0 {
			h.running = false
			h.mu.Unlock()
			return
		}
		f := h.due[0]
		h.due = h.due[1:]
		h.mu.Unlock()
		guarded(f)
	}
}

// guarded runs f; what it panics with is printed, as nobody waits for it.
func guarded(f func()) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(os.Stderr, "a widget's function: %v\n", p)
		}
	}()
	f()
}

// add makes a widget known here and to front ends.
func (h *Hub) add(name, view string, state map[string]any) *model {
	m := &model{hub: h, id: strings.ToLower(rand.Text()), state: state}
	module, version := "@jupyter-widgets/controls", modelVersion
	if name == "OutputModel" {
		module, version = "@jupyter-widgets/output", outputVersion
	}
	for key, v := range map[string]any{
		"_model_module": module, "_model_module_version": version, "_model_name": name,
		"_view_module": module, "_view_module_version": version, "_view_name": view, "_view_count": nil,
		"_dom_classes": []string{}, "tabbable": nil, "tooltip": nil, "layout": nil,
	} {
		state[key] = v
	}
	h.mu.Lock()
	h.widgets[m.id] = m
	h.mu.Unlock()
	all, paths, buffers := m.snapshot(nil)
	h.send(Comm{
		Kind: Open, ID: m.id, Target: target, Metadata: map[string]any{"version": protocolVersion}, Buffers: buffers,
		Data: map[string]any{"state": all, "buffer_paths": paths},
	})
	return m
}
