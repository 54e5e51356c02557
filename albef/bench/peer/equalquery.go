package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"vlab/albef"
	"vlab/albef/bench"
	"vlab/albef/text"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
)

// An evaluation of retrieval is compared on fewer images than it is timed on,
// with a shortlist of 16.
const equalImages, equalK = 40, 16

// equalShape is the shape with which a work is compared.
func (c contest) equalShape() shape { return c.shaped(equalImages, equalK) }

// equalQuery lets the official code do a query, and the modern and ours the same
// with its weights and inputs, and prints how far their results are apart.
func (o options) equalQuery(ctx context.Context, c contest) error {
	dir, err := os.MkdirTemp("", "bench-peer-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c.config.Dropout = 0
	c.shape = c.equalShape()
	if err := quiet(ctx, o.command(c, "--official", o.official, "--record", dir)); err != nil {
		return err
	}
	rec, err := readRecord(filepath.Join(dir, "official.pth"), c.device)
	if err != nil {
		return err
	}
	state, err := weights.Read(filepath.Join(dir, "weights.pth"))
	if err != nil {
		return err
	}
	fmt.Printf("\n%s, equal weights and inputs: largest differences from the official results\n", c)
	if c.hasModern {
		if err := quiet(ctx, o.command(c, "--modern", "--repeat", dir)); err != nil {
			return err
		}
		modern, err := readRecord(filepath.Join(dir, "modern.pth"), c.device)
		if err != nil {
			return err
		}
		if err := rec.near("modern", c.dtype, modern.out); err != nil {
			return err
		}
	}
	torch.SetThreads(c.threads)
	ours, err := c.repeat(ctx, rec, state)
	if err != nil {
		return err
	}
	return rec.near("ours", c.dtype, func(name string) ([]float32, error) { return ours[name], nil })
}

// quiet runs a command whose output matters only where it fails.
func quiet(ctx context.Context, args []string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", filepath.Base(args[1]), args[2], err, bytes.TrimSpace(errs.Bytes()))
	}
	return nil
}

// repeat does a recorded query with recorded weights, and returns its results
// by name.
func (c contest) repeat(ctx context.Context, r *record, state *weights.Dict) (map[string][]float32, error) {
	if c.work == "answer" {
		return c.answer(r, state)
	}
	m, err := albef.NewRetrieval(c.config, c.device, 1)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	if _, err := m.LoadState(state); err != nil {
		return nil, err
	}
	bf16 := c.dtype == "bf16"
	if c.work == "rerank" {
		return c.rerank(ctx, m, r)
	}
	query, err := r.query()
	if err != nil {
		return nil, err
	}
	switch c.work {
	case "embed":
		images, texts, err := bench.Embed(m, query, bf16)
		return map[string][]float32{"images": images, "texts": texts}, err
	case "gradcam":
		_, phrase, err := bench.GradCAM(m, query, bf16)
		return map[string][]float32{"maps": phrase}, err
	}
	return nil, errors.New("no such query")
}

func (c contest) rerank(ctx context.Context, m *albef.Model, r *record) (map[string][]float32, error) {
	images, ids, mask, err := r.pairs()
	if err != nil {
		return nil, err
	}
	pictures := bench.Pictures{Pixels: images.Float32s(), N: images.Shape[0]}
	tokens := text.Batch{IDs: ids.Int64s(), Mask: mask.Int64s(), B: ids.Shape[0], T: ids.Shape[1]}
	byImage, byText, err := bench.Rerank(ctx, m, pictures, tokens, c.shape.K, c.batch, false)
	return map[string][]float32{"by_image": byImage, "by_text": byText}, err
}

func (c contest) answer(r *record, state *weights.Dict) (map[string][]float32, error) {
	m, err := albef.NewVQA(c.config, c.device, 1)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	if _, err := m.LoadState(state); err != nil {
		return nil, err
	}
	query, err := r.query()
	if err != nil {
		return nil, err
	}
	ids, err := r.get("answers")
	if err != nil {
		return nil, err
	}
	var answers [][]int64
	for row := range slices.Chunk(ids.Int64s(), ids.Shape[1]) {
		answers = append(answers, row[:slices.Index(append(slices.Clone(row), 0), 0)]) // padding is 0
	}
	ranked, err := bench.Answer(m, query, answers, c.dtype == "bf16")
	out := make([]float32, len(ranked)*len(answers))
	for q, list := range ranked {
		for _, x := range list {
			out[q*len(answers)+x.Answer] = float32(x.Probability)
		}
	}
	return map[string][]float32{"probabilities": out}, err
}

// pairs are the recorded images, ids and mask.
func (r *record) pairs() (images, ids, mask *weights.Tensor, err error) {
	var t [3]*weights.Tensor
	for i, name := range []string{"images", "ids", "mask"} {
		if t[i], err = r.get(name); err != nil {
			return nil, nil, nil, err
		}
	}
	return t[0], t[1], t[2], nil
}

// query makes the recorded images with their texts a query of a scope.
func (r *record) query() (func(s *torch.Scope) bench.Query, error) {
	images, ids, mask, err := r.pairs()
	return func(s *torch.Scope) bench.Query {
		return bench.Query{Images: r.floats(s, images), IDs: r.ints(s, ids), Mask: r.ints(s, mask)}
	}, err
}
