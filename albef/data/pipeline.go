package data

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
)

// slot is a batch and the state of its making. Slots go round: free, filled in
// by the planner, loaded by the workers, delivered, free again.
type slot struct {
	batch  Batch
	images []float32 // all of the memory; batch holds the part in use
	texts  []string
	index  []int

	failures [][]BadSample // of each sample
	fatal    []bool        // no replacement was found either
	pending  atomic.Int32
	done     chan struct{}
}

func newSlot(c LoaderConfig) *slot {
	return &slot{
		images:   make([]float32, c.Batch*c.Images*3*c.Size*c.Size),
		texts:    make([]string, c.Batch),
		index:    make([]int, c.Batch),
		failures: make([][]BadSample, c.Batch),
		fatal:    make([]bool, c.Batch),
		done:     make(chan struct{}, 1),
	}
}

// plan makes s the batch of n samples at step of epoch.
func (s *slot) plan(epoch, step, n int) {
	each := len(s.images) / len(s.index)
	s.batch = Batch{Images: s.images[:n*each], Texts: s.texts[:n], Index: s.index[:n], Epoch: epoch, Step: step}
	for i := range n {
		s.failures[i], s.fatal[i] = s.failures[i][:0], false
	}
	s.pending.Store(int32(n))
	select {
	case <-s.done: // left over where a run was stopped
	default:
	}
}

// pipeline is one uninterrupted run of a loader: a planner that decides what
// goes into each batch, and workers that load samples.
type pipeline struct {
	free  chan *slot // slots that may be planned
	ready chan *slot // planned slots in order, perhaps still loading
	jobs  chan job
	quit  chan struct{}
	wait  sync.WaitGroup
}

// job is one sample of a batch.
type job struct {
	slot  *slot
	place int // in the batch
}

// start begins a run at l.epoch, l.step.
func (l *Loader) start() *pipeline {
	n := len(l.slots)
	p := &pipeline{
		free:  make(chan *slot, n),
		ready: make(chan *slot, n),
		jobs:  make(chan job, l.config.Workers),
		quit:  make(chan struct{}),
	}
	for _, s := range l.slots {
		p.free <- s
	}
	p.wait.Go(func() { p.planAll(l.config, l.source.Len(), l.steps, l.epoch, l.step) })
	for range l.config.Workers {
		p.wait.Go(func() { p.work(l.source, l.config) })
	}
	return p
}

// planAll plans batch after batch, waiting for free slots.
func (p *pipeline) planAll(c LoaderConfig, n, steps, epoch, step int) {
	defer close(p.jobs)
	defer close(p.ready)
	o := order{rank: c.Rank, world: c.World, n: n}
	mine := ceilDiv(n, c.World)
	for ; c.Epochs == 0 || epoch < c.Epochs; epoch, step = epoch+1, 0 {
		o.set(c.Seed, epoch, c.Order)
		for ; step < steps; step++ {
			var s *slot
			select {
			case s = <-p.free:
			case <-p.quit:
				return
			}
			first := step * c.Batch
			s.plan(epoch, step, min(c.Batch, mine-first))
			for i := range s.batch.Index {
				s.batch.Index[i] = o.at(first + i)
			}
			if !p.hand(s) {
				return
			}
		}
	}
}

// hand passes a planned slot on; it reports false when the run is to end.
func (p *pipeline) hand(s *slot) bool {
	p.ready <- s // never blocks: it has room for all slots
	for i := range s.batch.Index {
		select {
		case p.jobs <- job{s, i}:
		case <-p.quit:
			return false
		}
	}
	return true
}

// work loads samples until the run ends.
func (p *pipeline) work(source Source, c LoaderConfig) {
	pcg := rand.NewPCG(0, 0)
	rng := rand.New(pcg)
	for {
		select {
		case <-p.quit:
			return
		case j, ok := <-p.jobs:
			if !ok {
				return
			}
			j.load(source, c, pcg, rng)
			if j.slot.pending.Add(-1) == 0 {
				j.slot.done <- struct{}{}
			}
		}
	}
}

// maxRow is how many records in a row may be bad before no replacement is
// sought any more.
const maxRow = 32

// load fills one sample, from the planned record or the next good one after it.
func (j job) load(source Source, c LoaderConfig, pcg *rand.PCG, rng *rand.Rand) {
	b := &j.slot.batch
	each := len(b.Images) / len(b.Index)
	dst := b.Images[j.place*each:][:each]
	n, planned := source.Len(), b.Index[j.place]
	place := (uint64(b.Step)*uint64(c.Batch)+uint64(j.place))*uint64(c.World) + uint64(c.Rank)
	tries := min(n, maxRow)
	if c.MaxBad < 0 {
		tries = 1
	}
	for t := range tries {
		i := (planned + t) % n
		pcg.Seed(mix(c.Seed^mix(uint64(b.Epoch))), mix(place<<8|uint64(t)))
		text, err := source.Load(i, rng, dst)
		if err == nil {
			b.Texts[j.place], b.Index[j.place] = text, i
			return
		}
		j.slot.failures[j.place] = append(j.slot.failures[j.place], BadSample{Index: i, Err: err})
	}
	j.slot.fatal[j.place] = true
}
