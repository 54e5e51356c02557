package display

import (
	"errors"
	"fmt"
)

// Screen shows values on a sink. In a cell its methods are the functions
// display.Display, display.Update, display.Clear and display.Progress.
type Screen struct {
	sink Sink
}

// NewScreen returns a screen over s, which must not be nil.
func NewScreen(s Sink) *Screen { return &Screen{sink: s} }

// Display shows a value in all its forms, at once.
func (s *Screen) Display(value any) error {
	d := Render(value)
	id, _ := d.Transient["display_id"].(string)
	if err := s.sink.Show(id, d); err != nil {
		return fmt.Errorf("display: %w", err)
	}
	return nil
}

// DisplayID shows a value that Update can replace.
func (s *Screen) DisplayID(id string, value any) error {
	if id == "" {
		return errors.New("display: the id is empty")
	}
	if err := s.sink.Show(id, Render(value)); err != nil {
		return fmt.Errorf("display %s: %w", id, err)
	}
	return nil
}

// Update replaces what DisplayID has shown under id.
func (s *Screen) Update(id string, value any) error {
	if err := s.sink.Update(id, Render(value)); err != nil {
		return fmt.Errorf("update display %s: %w", id, err)
	}
	return nil
}

// Clear removes what the cell has shown so far, once something new arrives, so
// that a picture drawn again and again does not flicker.
func (s *Screen) Clear() error {
	if err := s.sink.Clear(true); err != nil {
		return fmt.Errorf("clear display: %w", err)
	}
	return nil
}
