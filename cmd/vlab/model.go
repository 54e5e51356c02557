package main

import (
	"vlab/albef/lab"
	"vlab/albef/task"
)

// modelFlags adds the flags that say which model answers, and returns what
// opens it; the caller closes it.
func (f *flags) modelFlags() func() (*lab.Model, error) {
	name := f.String("model", "demo", "demo, a `checkpoint` of vlab or of the official release, or the folder of a run")
	config := f.String("config", "", "`file` with the official keys; image_res and k_test count here")
	device := f.deviceFlag()
	return func() (*lab.Model, error) {
		dev, err := device()
		if err != nil {
			return nil, err
		}
		options := []lab.Option{lab.WithDevice(dev.String())}
		if *config != "" {
			c, err := task.ReadConfig(*config)
			if err != nil {
				return nil, err
			}
			options = append(options, lab.WithImageRes(c.ImageRes), lab.WithShortlist(c.KTest))
		}
		return lab.Open(*name, options...)
	}
}
