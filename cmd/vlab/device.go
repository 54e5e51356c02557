//go:build !front

package main

import "vlab/albef/torch"

// deviceFlag adds --device, and --threads for the CPU.
func (f *flags) deviceFlag() func() (torch.Device, error) {
	name := f.String("device", "auto", "auto, cpu, cuda or cuda:`N`")
	threads := f.Int("threads", 0, "threads of an operation on the CPU; 0: one a core")
	return func() (torch.Device, error) {
		if *threads > 0 {
			torch.SetThreads(*threads)
		}
		return torch.ParseDevice(*name)
	}
}
