package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
)

// Order is the order in which a [Loader] takes records.
type Order int

const (
	// Shuffled takes them in another random order each epoch.
	Shuffled Order = iota
	// InOrder takes them as they stand.
	InOrder
)

// LoaderConfig describes a [Loader]. Batch and Size must be set; other zero
// fields mean what their comments say.
type LoaderConfig struct {
	Batch  int // samples in a batch, on this process
	Size   int // side R of an image in pixels
	Images int // images in a sample; 0 means 1

	Order    Order
	KeepLast bool // keep an incomplete last batch; else it is dropped
	Epochs   int  // 0 means no end
	Seed     uint64

	// Rank of World processes takes every World-th record; 0 of 0 is alone.
	Rank, World int

	Workers  int // goroutines that load samples; 0 means one for each processor, but at least 4
	Prefetch int // batches prepared ahead; 0 means 2, or as many as give each worker two samples

	// MaxBad is the share of samples that may fail to load before Next gives
	// up, looked at from the hundredth sample on; 0 means 0.1. With a negative
	// share nothing is replaced and the first failure is an error.
	MaxBad float64
}

// badGrace is the number of samples before the share of bad ones says anything.
const badGrace = 100

// Batch is B samples: Images is [B, 3, R, R], or [B, n, 3, R, R] for n images in
// a sample; Texts and Index have B entries, Index being places in the source.
type Batch struct {
	Images      []float32
	Texts       []string
	Index       []int
	Epoch, Step int // both from 0
}

// Loader prepares batches for training on goroutines of its own. What it
// delivers depends on source, configuration and position only, not on the
// number of workers or their speed, so that a run resumed with [Loader.Seek]
// sees the data it would have seen.
//
// A sample that fails to load is replaced by the next record of the source that
// does load, and counted. A Loader serves one goroutine at a time.
type Loader struct {
	source Source
	config LoaderConfig
	steps  int

	slots       []*slot
	run         *pipeline // nil while none runs
	epoch, step int       // where the next run starts
	current     *slot     // in the caller's hands
	head        *slot     // next to be delivered, where a Next was interrupted
	tried       int
	bad         Bad
	failed      error
	closed      bool
}

// NewLoader returns a loader that stands at the beginning of epoch 0. It starts
// no goroutine before the first Next. The caller closes it.
func NewLoader(source Source, config LoaderConfig) (*Loader, error) {
	if err := config.complete(source.Len()); err != nil {
		return nil, err
	}
	l := &Loader{source: source, config: config}
	mine := ceilDiv(source.Len(), config.World)
	l.steps = mine / config.Batch
	if config.KeepLast {
		l.steps = ceilDiv(mine, config.Batch)
	}
	if l.steps == 0 {
		return nil, hinted("make the batch smaller, or keep the last, incomplete batch",
			"loader: %d records on each of %d processes do not fill a batch of %d", mine, config.World, config.Batch)
	}
	for range config.Prefetch + 1 { // one more is in the caller's hands
		l.slots = append(l.slots, newSlot(config))
	}
	return l, nil
}

// complete checks the configuration and fills in what was left zero.
func (c *LoaderConfig) complete(n int) error {
	c.Images, c.World = max(c.Images, 1), max(c.World, 1)
	if c.Workers <= 0 {
		c.Workers = max(runtime.GOMAXPROCS(0), 4) // four, as some of them wait for files
	}
	if c.Prefetch <= 0 {
		c.Prefetch = max(2, ceilDiv(2*c.Workers, max(c.Batch, 1)))
	}
	if c.MaxBad == 0 {
		c.MaxBad = 0.1
	}
	switch {
	case n <= 0:
		return hinted("check the annotation files", "loader: no records")
	case n > math.MaxUint32:
		return fmt.Errorf("loader: %d records, at most %d", n, math.MaxUint32)
	case c.Batch <= 0 || c.Size <= 0:
		return fmt.Errorf("loader: batch %d of size %d, want both positive", c.Batch, c.Size)
	case c.Rank < 0 || c.Rank >= c.World:
		return fmt.Errorf("loader: rank %d of %d processes", c.Rank, c.World)
	}
	return nil
}

// Steps is the number of batches in an epoch.
func (l *Loader) Steps() int { return l.steps }

// Seek makes batch step of epoch the next one; step may be [Loader.Steps], the
// end of the epoch. It clears the count of bad samples and an error of Next.
func (l *Loader) Seek(epoch, step int) error {
	if l.closed {
		return errClosed
	}
	if epoch < 0 || step < 0 || step > l.steps {
		return fmt.Errorf("loader: seek epoch %d step %d, an epoch has %d steps", epoch, step, l.steps)
	}
	l.stop()
	if step == l.steps {
		epoch, step = epoch+1, 0
	}
	l.epoch, l.step = epoch, step
	l.tried, l.bad, l.failed = 0, Bad{}, nil
	return nil
}

var errClosed = errors.New("loader: closed")

// Next returns the next batch, valid until the next call of Next, Seek or
// Close. After the last epoch it returns io.EOF. When ctx ends first it returns
// the error of ctx, and a later call goes on where this one stopped. Too many
// bad samples are an error that names the first of them.
func (l *Loader) Next(ctx context.Context) (*Batch, error) {
	if l.closed {
		return nil, errClosed
	}
	if l.failed != nil {
		return nil, l.failed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if l.run == nil {
		l.run = l.start()
	}
	if l.current != nil {
		l.run.free <- l.current // never blocks: it has room for all slots
		l.current = nil
	}
	s, err := l.await(ctx)
	if err != nil {
		return nil, err
	}
	if l.failed = l.account(s); l.failed != nil {
		l.stop() // Next keeps returning the error until Seek
		return nil, l.failed
	}
	l.current = s
	return &s.batch, nil
}

// await returns the next slot once all its samples are loaded.
func (l *Loader) await(ctx context.Context) (*slot, error) {
	if l.head == nil {
		select {
		case s, ok := <-l.run.ready:
			if !ok {
				return nil, io.EOF
			}
			l.head = s
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	select {
	case <-l.head.done:
		s := l.head
		l.head = nil
		return s, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close ends all goroutines of the loader and waits for them. It may be called
// twice.
func (l *Loader) Close() error {
	l.stop()
	l.closed = true
	return nil
}

// stop ends the running pipeline, if any; the next one starts at l.epoch, l.step.
func (l *Loader) stop() {
	if l.run == nil {
		return
	}
	close(l.run.quit)
	l.run.wait.Wait()
	l.run, l.current, l.head = nil, nil, nil
}
