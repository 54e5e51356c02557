package main

import (
	"fmt"

	"vlab/albef"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
)

// record is what step.py --record wrote: the tensors images, ids and mask, and
// for every step masked.N, labels.N and losses.N.
type record struct {
	tensors *weights.Dict
	dev     torch.Device // where what is made of it belongs
}

func readRecord(path string, dev torch.Device) (*record, error) {
	d, err := weights.Read(path)
	if err != nil {
		return nil, err
	}
	return &record{d, dev}, nil
}

func (r *record) get(name string) (*weights.Tensor, error) {
	t, ok := r.tensors.Get(name)
	if !ok {
		return nil, fmt.Errorf("the official code recorded no %s", name)
	}
	return t, nil
}

// losses are those of a step: MLM, ITC, ITM.
func (r *record) losses(step int) (out [3]float64, err error) {
	t, err := r.get(fmt.Sprintf("losses.%d", step))
	if err != nil {
		return out, err
	}
	v := t.Float32s()
	if len(v) != len(out) {
		return out, fmt.Errorf("the official code recorded %d losses, want %d", len(v), len(out))
	}
	for i := range out {
		out[i] = float64(v[i])
	}
	return out, nil
}

// batch returns what makes a step's batch in a scope.
func (r *record) batch(step int) (func(s *torch.Scope) albef.Batch, error) {
	names := []string{"images", "ids", "mask", fmt.Sprintf("masked.%d", step), fmt.Sprintf("labels.%d", step)}
	var t []*weights.Tensor
	for _, name := range names {
		x, err := r.get(name)
		if err != nil {
			return nil, err
		}
		t = append(t, x)
	}
	positions, words := asked(t[4].Int64s())
	return func(s *torch.Scope) albef.Batch {
		listed := func(v []int64) *torch.Tensor { return s.Ints(v, len(v)).ToDevice(r.dev) }
		return albef.Batch{
			Images: r.floats(s, t[0]), IDs: r.ints(s, t[1]), Mask: r.ints(s, t[2]), MaskedIDs: r.ints(s, t[3]),
			Positions: listed(positions), Words: listed(words),
		}
	}, nil
}

func (r *record) floats(s *torch.Scope, x *weights.Tensor) *torch.Tensor {
	return s.Floats(x.Float32s(), x.Shape...).ToDevice(r.dev)
}

func (r *record) ints(s *torch.Scope, x *weights.Tensor) *torch.Tensor {
	return s.Ints(x.Int64s(), x.Shape...).ToDevice(r.dev)
}

// asked lists where labels ask for a word, and which.
func asked(labels []int64) (positions, words []int64) {
	const ignored = -100
	for i, word := range labels {
		if word != ignored {
			positions, words = append(positions, int64(i)), append(words, word)
		}
	}
	return positions, words
}
