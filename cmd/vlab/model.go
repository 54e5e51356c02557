//go:build !front

package main

import (
	"vlab/albef/lab"
	"vlab/albef/train"
)

// modelFlags adds the flags that say which model answers, and returns what
// opens it; the caller closes it.
func (f *flags) modelFlags() func() (*lab.Model, error) {
	name := f.String("model", "demo", "demo, a `checkpoint` of vlab or of the official release, or the folder of a run")
	config := f.String("config", "", "`file` with the official keys: image_res, k_test, and for official checkpoints the heads in bert_config")
	device := f.deviceFlag()
	return func() (*lab.Model, error) {
		dev, err := device()
		if err != nil {
			return nil, err
		}
		return lab.Open(*name, lab.WithDevice(dev.String()), lab.WithConfig(*config))
	}
}

// writeFigure writes the figure of what a query found as a PNG; "" as its path
// writes none.
func writeFigure(path string, found interface{ PNG() []byte }) error {
	if path == "" {
		return nil
	}
	return train.WriteWhole(path, found.PNG())
}
