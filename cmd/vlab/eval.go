//go:build !front

package main

import (
	"context"
	"fmt"
	"io"
	"reflect"

	"vlab/albef/lab"
)

// measures are shares from 0 to 1, in the order of the model's card. The last
// four are how often ITM prefers a true caption to one with a wrong word of that
// kind, or with two objects in each other's place.
type measures struct {
	TextToImage float64 `json:"retrieval_t2i_r1"`
	ImageToText float64 `json:"retrieval_i2t_r1"`
	Pictogram   float64 `json:"pictogram_r1"`
	FillShape   float64 `json:"fill_shape"`
	FillColour  float64 `json:"fill_colour"`
	FillSize    float64 `json:"fill_size"`
	Relation    float64 `json:"relation"`
	Binding     float64 `json:"binding"`
	Pointing    float64 `json:"pointing"`
	SameColour  float64 `json:"pointing_same_colour"`
	Colour      float64 `json:"match_colour"`
	Shape       float64 `json:"match_shape"`
	Size        float64 `json:"match_size"`
	Order       float64 `json:"match_order"`
}

// evaluation puts a model beside one of the same sizes that has learned nothing.
type evaluation struct {
	Trained   measures `json:"trained"`
	Untrained measures `json:"untrained"`
	Scenes    int      `json:"scenes"`
	Seed      uint64   `json:"seed"`
}

func runEval(ctx context.Context, e env, args []string) error {
	f := newFlags(e, "eval", "MODEL [--n N] [--seed S] [--json]")
	n := f.Int("n", 200, "how many held-out scenes for each measure")
	seed := f.Uint64("seed", 1, "of the scenes")
	asJSON := f.Bool("json", false, "print one JSON object")
	device := f.deviceFlag()
	models, err := f.parse(args, 1)
	if err != nil {
		return err
	}
	if len(models) == 0 {
		return &usageError{"eval: no model", "vlab eval demo measures the embedded one"}
	}
	if *n < 1 {
		return &usageError{fmt.Sprintf("eval: --n is %d", *n), "1 or more"}
	}
	dev, err := device()
	if err != nil {
		return err
	}
	trained, err := lab.Open(models[0], lab.WithDevice(dev.String()))
	if err != nil {
		return err
	}
	defer trained.Close()
	untrained, err := lab.Untrained(trained, 1)
	if err != nil {
		return err
	}
	defer untrained.Close()
	out := evaluation{Scenes: *n, Seed: *seed}
	m := newMeter(e)
	step := 0
	for _, one := range []struct {
		model *lab.Model
		to    *measures
	}{{trained, &out.Trained}, {untrained, &out.Untrained}} {
		if err := one.to.measure(ctx, one.model, *n, *seed, func() { step++; m.show("eval", step, 2*measured, "") }); err != nil {
			m.end()
			return err
		}
	}
	m.end()
	if *asJSON {
		return printJSON(e.stdout, out)
	}
	out.print(e.stdout)
	return nil
}

// measured is how many measurements [measures.measure] takes.
const measured = 5

func (o *measures) measure(ctx context.Context, m *lab.Model, n int, seed uint64, done func()) error {
	recall, err := lab.RecallScenes(ctx, m, n, seed)
	if err != nil {
		return err
	}
	done()
	pictograms, err := lab.RecallPictograms(ctx, m, n, seed)
	if err != nil {
		return err
	}
	done()
	fill, err := lab.FillTests(ctx, m, n, seed)
	if err != nil {
		return err
	}
	done()
	words, err := lab.WordTests(ctx, m, n, seed)
	if err != nil {
		return err
	}
	done()
	pointing, err := lab.Pointing(ctx, m, n, seed)
	if err != nil {
		return err
	}
	done()
	*o = measures{
		TextToImage: recall.TextToImage, ImageToText: recall.ImageToText, Pictogram: pictograms.TextToImage,
		FillShape: fill.Shape, FillColour: fill.Colour, FillSize: fill.Size, Pointing: pointing.Share, SameColour: pointing.SameColour,
		Relation: words.Relation, Binding: words.Binding, Colour: words.Colour, Shape: words.Shape, Size: words.Size, Order: words.Order,
	}
	return nil
}

// print writes the two columns by the names that --json has.
func (o *evaluation) print(w io.Writer) {
	fmt.Fprintf(w, "%-22s %9s %10s   %d held-out scenes each\n", "", "trained", "untrained", o.Scenes)
	trained, untrained := reflect.ValueOf(o.Trained), reflect.ValueOf(o.Untrained)
	for i := range trained.NumField() {
		name := trained.Type().Field(i).Tag.Get("json")
		fmt.Fprintf(w, "%-22s %7.1f %% %8.1f %%\n", name, 100*trained.Field(i).Float(), 100*untrained.Field(i).Float())
	}
}
