package train_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"vlab/albef"
	"vlab/albef/torch"
	"vlab/albef/train"
)

// needCUDA skips the test where there is no device.
func needCUDA(t *testing.T) {
	t.Helper()
	if cuda := torch.LoadCUDA(); cuda.Devices == 0 {
		t.Skip("needs a CUDA device: ", cuda.Err)
	}
}

// TestCUDAStepsEqualTheCPUs in their losses, over steps that build on each other.
func TestCUDAStepsEqualTheCPUs(t *testing.T) {
	needCUDA(t)
	begin := smallModel(t, 0).State() // each device draws fresh weights of its own
	losses := func(dev torch.Device) (out [][3]float64) {
		m := smallModelOn(t, dev, 0)
		if _, err := m.LoadState(begin); err != nil {
			t.Fatal(err)
		}
		m.SetSampler(top1)
		opt := train.NewAdamW(m, decay)
		defer opt.Close()
		for n := range changingSteps {
			err := torch.Do(func(s *torch.Scope) {
				var l albef.Losses
				s.Do(func(in *torch.Scope) {
					l = m.Pretrain(changingBatch(in, m, n), 0.4)
					in.Keep(l.MLM)
					in.Keep(l.ITC)
					in.Keep(l.ITM)
				})
				opt.Backward(s, l.Total(), 1e-4)
				out = append(out, [3]float64{l.MLM.Item(), l.ITC.Item(), l.ITM.Item()})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		return out
	}
	got, want := losses(0), losses(torch.CPU)
	for n := range want {
		for i := range want[n] {
			near(t, fmt.Sprintf("step %d, loss %d", n+1, i), got[n][i], want[n][i], 1e-3)
		}
	}
}

// TestCUDARecordedStepsEqualPlainOnes in their losses, with dropout and negatives
// drawn: a replay goes on drawing where the step before it ended.
func TestCUDARecordedStepsEqualPlainOnes(t *testing.T) {
	needCUDA(t)
	got, _, recorded := trained(t, 0, train.RecordOn)
	want, _, _ := trained(t, 0, train.RecordOff)
	if recorded < 4 || len(got) != len(want) {
		t.Fatalf("%d kinds of steps recorded, want 4 or more; %d steps, want %d", recorded, len(got), len(want))
	}
	for i := range want {
		for _, name := range slices.Sorted(maps.Keys(want[i].Losses)) {
			near(t, fmt.Sprintf("step %d, %s", i+1, name), got[i].Losses[name], want[i].Losses[name], 1e-3)
		}
	}
}
