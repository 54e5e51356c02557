package bench

import (
	"time"

	"vlab/albef/torch"
)

// MatmulRate measures how fast a device multiplies square matrices of dtype, in
// GFLOP/s: the median of repetitions, as a step's time is a median; the best of
// them is what the machine does in its luckiest milliseconds. The matrices are
// 1024 wide, on CUDA 8192.
func MatmulRate(dev torch.Device, dtype torch.DType) (float64, error) {
	n := matmulWidth(dev)
	const repetitions = 100
	times := make([]float64, 0, repetitions)
	err := torch.Do(func(s *torch.Scope) {
		torch.NoGrad(func() {
			a := s.Zeros(dev, n, n).FillNormal(0, 1).To(dtype)
			b := s.Zeros(dev, n, n).FillNormal(0, 1).To(dtype)
			wait(a)
			for range repetitions {
				s.Do(func(in *torch.Scope) {
					begin := time.Now()
					wait(in.Use(a).MatMul(b))
					times = append(times, time.Since(begin).Seconds())
				})
			}
		})
	})
	width := float64(n)
	return 2 * width * width * width / Median(times) / 1e9, err
}

// matmulWidth is how wide a matrix has to be for its products to fill a device.
func matmulWidth(dev torch.Device) int {
	if dev.IsCUDA() {
		return 8192
	}
	return 1024
}

// wait reads one element, so that a device that works on its own is done.
func wait(x *torch.Tensor) { x.Select(0, 0).Select(0, 0).Item() }

// betterRate measures the rate again and keeps the better one: a machine that
// was busy at first must not flatter the share.
func betterRate(before float64, dev torch.Device, dtype torch.DType) (float64, error) {
	after, err := MatmulRate(dev, dtype)
	return max(before, after), err
}
