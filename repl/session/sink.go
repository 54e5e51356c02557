package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"vlab/repl/session/display"
	"vlab/repl/session/internal/wire"
	"vlab/repl/session/widgets"
)

// Show sends a value to the front and waits until it has taken it over, so that
// what is printed next comes next.
func (s *server) Show(id string, d display.Data) error {
	return s.display(id, d, false)
}

// Update sends a value that replaces the one shown under id.
func (s *server) Update(id string, d display.Data) error {
	return s.display(id, d, true)
}

func (s *server) display(id string, d display.Data, update bool) error {
	m := wire.Message{Op: wire.Display, Display: id, Update: update}
	m.Data, m.Metadata = bundle(d)
	_, err := s.call(context.Background(), m)
	return err
}

// Clear asks the front to remove what the cell has shown.
func (s *server) Clear(wait bool) error {
	_, err := s.call(context.Background(), wire.Message{Op: wire.Clear, Wait: wait})
	return err
}

// comm sends a message of a widget. Without a front there is nobody to miss it.
func (s *server) comm(c widgets.Comm) {
	m := wire.CommMessage(c)
	_ = s.write(wire.Message{Op: wire.Comm, Comm: &m})
}

// input asks the person for a line, until the cell is interrupted.
func (s *server) input(ctx context.Context, prompt string, password bool) (string, error) {
	r, err := s.call(ctx, wire.Message{Op: wire.Input, Prompt: prompt, Password: password})
	if err != nil {
		return "", err
	}
	if r.Err != "" {
		return "", errors.New(r.Err)
	}
	return r.Text, nil
}

// call sends a message and waits for the front's reply.
func (s *server) call(ctx context.Context, m wire.Message) (wire.Request, error) {
	reply := make(chan wire.Request, 1)
	s.mu.Lock()
	s.nextID++
	m.ID = s.nextID
	s.waiting[m.ID] = reply
	s.mu.Unlock()
	if err := s.write(m); err != nil {
		return wire.Request{}, err
	}
	select {
	case r := <-reply:
		return r, nil
	case <-ctx.Done():
		return wire.Request{}, fmt.Errorf("wait for the front: %w", context.Cause(ctx))
	}
}

// bundle makes data fit for the front: text and bytes stay, anything else becomes
// JSON text.
func bundle(d display.Data) (wire.Bundle, map[string]any) {
	data := make(map[string]any, len(d.Data))
	for mime, v := range d.Data {
		switch v := v.(type) {
		case string, []byte:
			data[mime] = v
		default:
			b, err := json.Marshal(v)
			if err != nil {
				data[display.MIMETypeText] = fmt.Sprintf("encode %s: %v", mime, err)
				continue
			}
			data[mime] = string(b)
		}
	}
	if _, err := json.Marshal(d.Metadata); err != nil {
		return wire.Pack(data), nil // metadata that JSON cannot say is of no use to a front
	}
	return wire.Pack(data), d.Metadata
}
