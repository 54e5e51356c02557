//go:build !front

package main

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"strings"

	"vlab/albef/lab"
)

// measures are shares from 0 to 1, in the order of the model's card. The match_
// ones are how often ITM prefers a true caption to one with a wrong word of that
// kind, or with two objects in each other's place. Without a head for a task its
// measures are absent.
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

	VQA         *float64 `json:"vqa,omitempty"`
	VQAMajority *float64 `json:"vqa_majority,omitempty"` // of the answer that is right most often
	Entailment  *float64 `json:"entailment,omitempty"`
	NLVR        *float64 `json:"nlvr,omitempty"`
}

// evaluation puts a model beside one of the same sizes that has learned nothing.
// HeldOut is the model on colours and shapes that training never shows together.
type evaluation struct {
	Trained   measures `json:"trained"`
	HeldOut   measures `json:"trained_held_out_pairs"`
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
	set, unseen := lab.TestSet{N: *n, Seed: *seed}, lab.TestSet{N: *n, Seed: *seed, HeldOut: true}
	for _, one := range []struct {
		model *lab.Model
		set   lab.TestSet
		to    *measures
	}{{trained, set, &out.Trained}, {trained, unseen, &out.HeldOut}, {untrained, set, &out.Untrained}} {
		if err := one.to.measure(ctx, one.model, one.set, func() { step++; m.show("eval", step, 3*measured, "") }); err != nil {
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
const measured = 8

func (o *measures) measure(ctx context.Context, m *lab.Model, set lab.TestSet, done func()) error {
	recall, err := set.Recall(ctx, m)
	if err != nil {
		return err
	}
	done()
	pictograms, err := set.RecallPictograms(ctx, m)
	if err != nil {
		return err
	}
	done()
	fill, err := set.Fill(ctx, m)
	if err != nil {
		return err
	}
	done()
	words, err := set.Words(ctx, m)
	if err != nil {
		return err
	}
	done()
	pointing, err := set.Pointing(ctx, m)
	if err != nil {
		return err
	}
	done()
	*o = measures{
		TextToImage: recall.TextToImage, ImageToText: recall.ImageToText, Pictogram: pictograms.TextToImage,
		FillShape: fill.Shape, FillColour: fill.Colour, FillSize: fill.Size, Pointing: pointing.Share, SameColour: pointing.SameColour,
		Relation: words.Relation, Binding: words.Binding, Colour: words.Colour, Shape: words.Shape, Size: words.Size, Order: words.Order,
	}
	return o.measureHeads(ctx, m, set, done)
}

// measureHeads measures what finetuned models answer, as far as the file has them.
func (o *measures) measureHeads(ctx context.Context, m *lab.Model, set lab.TestSet, done func()) error {
	for _, head := range []struct {
		task    string
		measure func(context.Context, *lab.Model) (*lab.HeadScore, error)
		right   **float64
	}{{"vqa", set.Questions, &o.VQA}, {"ve", set.Sentences, &o.Entailment}, {"nlvr", set.Pairs, &o.NLVR}} {
		if m.Answers(head.task) {
			score, err := head.measure(ctx, m)
			if err != nil {
				return err
			}
			*head.right = &score.Right
			if head.task == "vqa" {
				o.VQAMajority = &score.Majority
			}
		}
		done()
	}
	return nil
}

// print writes the two columns by the names that --json has.
func (o *evaluation) print(w io.Writer) {
	fmt.Fprintf(w, "%-22s %9s %10s %10s   %d scenes each that training has not seen;\n", "", "trained", "new pairs", "untrained", o.Scenes)
	fmt.Fprintf(w, "%-22s %9s %10s %10s   new pairs: a colour and a shape that it never saw together\n", "", "", "", "")
	columns := []reflect.Value{reflect.ValueOf(o.Trained), reflect.ValueOf(o.HeldOut), reflect.ValueOf(o.Untrained)}
	for i := range columns[0].NumField() {
		name, _, _ := strings.Cut(columns[0].Type().Field(i).Tag.Get("json"), ",")
		line := fmt.Sprintf("%-22s", name)
		for _, c := range columns {
			value := c.Field(i)
			if value.Kind() == reflect.Pointer {
				if value = value.Elem(); !value.IsValid() {
					line = ""
					break
				}
			}
			line += fmt.Sprintf(" %7.1f %%", 100*value.Float()) + " "
		}
		if line != "" {
			fmt.Fprintln(w, strings.TrimRight(line, " "))
		}
	}
}
