package widgets

import (
	"fmt"
	"html"
	"maps"
	"sync"

	"vlab/repl/session/display"
)

// mimeType is that of a widget's place in a notebook.
const mimeType = "application/vnd.jupyter.widget-view+json"

// Widget is anything of this package that can be shown.
type Widget interface {
	Render() display.Data
	self() *model
}

// model is what all widgets have: a state that front ends share.
type model struct {
	hub *Hub
	id  string

	mu      sync.Mutex
	state   map[string]any
	changed func() // the person has changed the state
	clicked func()
	due     bool // changed waits to be called
}

func (m *model) self() *model { return m }

// snapshot returns the state, or of it the keys that are named, with bytes apart: where
// each was, and what.
func (m *model) snapshot(keys []string) (state map[string]any, paths [][]any, buffers [][]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	state, paths, buffers = map[string]any{}, [][]any{}, [][]byte{}
	take := func(key string, v any) {
		if b, ok := v.([]byte); ok {
			paths, buffers = append(paths, []any{key}), append(buffers, b)
			return
		}
		state[key] = v
	}
	if keys == nil {
		for key, v := range m.state {
			take(key, v)
		}
	}
	for _, key := range keys {
		take(key, m.state[key])
	}
	return state, paths, buffers
}

// set changes the state here and in front ends.
func (m *model) set(values map[string]any) {
	m.mu.Lock()
	maps.Copy(m.state, values)
	m.mu.Unlock()
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	m.tell(keys)
}

// tell sends keys of the state, all of them for nil.
func (m *model) tell(keys []string) {
	state, paths, buffers := m.snapshot(keys)
	m.hub.send(Comm{
		Kind: Msg, ID: m.id, Buffers: buffers,
		Data: map[string]any{"method": "update", "state": state, "buffer_paths": paths},
	})
}

func (m *model) get(key string) any {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state[key]
}

// number is a value of the state that a front end may have set, which by JSON is a
// float64.
func (m *model) number(key string) int {
	switch v := m.get(key).(type) {
	case float64:
		return int(v)
	case int:
		return v
	}
	return 0
}

// received takes a message of a front end.
func (m *model) received(c Comm) {
	switch method, _ := c.Data["method"].(string); method {
	case "update":
		if state, ok := c.Data["state"].(map[string]any); ok {
			m.update(state)
		}
	case "request_state":
		m.tell(nil)
	case "custom":
		content, _ := c.Data["content"].(map[string]any)
		if event, _ := content["event"].(string); event == "click" {
			m.mu.Lock()
			f := m.clicked
			m.mu.Unlock()
			if f != nil {
				m.hub.call(f)
			}
		}
	}
}

// update takes what a person has changed, and tells the other front ends. Of changes
// that come faster than the widget's function takes them, it sees the last.
func (m *model) update(state map[string]any) {
	m.mu.Lock()
	keys := make([]string, 0, len(state))
	for key, v := range state {
		if _, known := m.state[key]; known {
			m.state[key] = v
			keys = append(keys, key)
		}
	}
	f := m.changed
	wanted := f != nil && !m.due && len(keys) > 0
	m.due = m.due || wanted
	m.mu.Unlock()
	if len(keys) > 0 {
		m.echo(keys)
	}
	if wanted {
		m.hub.call(func() {
			m.mu.Lock()
			m.due = false
			m.mu.Unlock()
			f()
		})
	}
}

// echo tells all front ends what one of them has set.
func (m *model) echo(keys []string) {
	state, paths, buffers := m.snapshot(keys)
	m.hub.send(Comm{
		Kind: Msg, ID: m.id, Buffers: buffers,
		Data: map[string]any{"method": "echo_update", "state": state, "buffer_paths": paths},
	})
}

// on makes f the function that is called when a person changes the widget.
func (m *model) on(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changed = f
}

// view is the widget's place in a notebook; markup is for front ends without widgets,
// and text for a terminal.
func (m *model) view(text, markup string) display.Data {
	return display.MIME(display.MIMEMap{
		mimeType:             map[string]any{"version_major": 2, "version_minor": 0, "model_id": m.id},
		display.MIMETypeHTML: markup,
		display.MIMETypeText: text,
	}, nil)
}

// labelled is a label and a value, as text and as markup.
func (m *model) labelled(value any) display.Data {
	text := fmt.Sprintf("%v: %v", m.get("description"), value)
	return m.view(text, html.EscapeString(text))
}

// Close takes the widget off every notebook.
func (m *model) Close() {
	m.hub.mu.Lock()
	delete(m.hub.widgets, m.id)
	m.hub.mu.Unlock()
	m.hub.send(Comm{Kind: Close, ID: m.id, Data: map[string]any{}})
}

// child is a widget's name within another's state.
func child(m *model) string { return "IPY_MODEL_" + m.id }
