package display

import "context"

// Sink takes what is shown. It may be called from any goroutine; a call returns
// when the front has taken the value over.
type Sink interface {
	// Show shows d; with an id, later updates can replace it.
	Show(id string, d Data) error
	// Update replaces what was shown under id.
	Update(id string, d Data) error
	// Clear removes what the cell has shown, with wait only when the next
	// value arrives.
	Clear(wait bool) error
}

// sinkKey is the key of the sink in a context.
type sinkKey struct{}

// WithSink returns a context that carries s.
func WithSink(ctx context.Context, s Sink) context.Context {
	return context.WithValue(ctx, sinkKey{}, s)
}

// From returns the sink of a running cell's context, nil where there is none.
func From(ctx context.Context) Sink {
	s, _ := ctx.Value(sinkKey{}).(Sink)
	return s
}
