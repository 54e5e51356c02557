package train_test

import (
	"slices"
	"testing"

	"vlab/albef"
	"vlab/albef/torch"
	"vlab/albef/train"
)

// TestBackwardMovesAsStepDoes takes the same steps by Backward and by a backward
// and Step, and wants the same numbers, and no gradient left.
func TestBackwardMovesAsStepDoes(t *testing.T) {
	c := albef.Tiny()
	c.VocabSize, c.VisionDepth, c.Layers, c.QueueSize, c.CellLabels = 40, 1, 3, 4, nil
	run := func(update func(opt *train.AdamW, s *torch.Scope, loss *torch.Tensor)) [][]float32 {
		m, err := albef.New(c, torch.CPU, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		opt := train.NewAdamW(m, 0.02)
		defer opt.Close()
		torch.Seed(1)
		for range 3 {
			err := torch.Do(func(s *torch.Scope) {
				ids := s.Ints([]int64{2, 7, 9, 2, 8, 0}, 2, 3)
				l := m.Pretrain(albef.Batch{
					Images: s.Zeros(torch.CPU, 2, 3, c.ImageRes, c.ImageRes).FillNormal(0, 1),
					IDs:    ids, Mask: s.Ints([]int64{1, 1, 1, 1, 1, 0}, 2, 3), MaskedIDs: ids,
					Positions: s.Ints([]int64{1, 4}, 2), Words: s.Ints([]int64{7, 8}, 2),
				}, 0.4)
				update(opt, s, l.Total())
				for i, g := range torch.Grads(s, opt.Params()) {
					if g != nil {
						t.Fatalf("parameter %d of the optimiser keeps a gradient", i)
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		var out [][]float32
		for _, p := range m.Params() {
			out = append(out, p.Tensor.To(torch.Float32).Floats())
		}
		return out
	}
	want := run(func(opt *train.AdamW, s *torch.Scope, loss *torch.Tensor) {
		loss.Backward()
		opt.Step(s, 1e-3)
	})
	got := run(func(opt *train.AdamW, s *torch.Scope, loss *torch.Tensor) { opt.Backward(s, loss, 1e-3) })
	for i := range want {
		if !slices.Equal(got[i], want[i]) {
			t.Fatalf("parameter %d differs after three steps", i)
		}
	}
}
