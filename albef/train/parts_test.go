package train_test

import (
	"fmt"
	"math"
	"testing"

	"vlab/albef"
	"vlab/albef/torch"
	"vlab/albef/train"
)

// way is how a step is worked off.
type way struct {
	parts  int
	layers bool // run again
	bf16   bool
	kept   bool // nothing is run again
}

func (w way) String() string {
	return fmt.Sprintf("parts %d, layers %v, bf16 %v", w.parts, w.layers, w.bf16)
}

var whole = way{parts: 1}

func (w way) tape(s *torch.Scope, dev torch.Device) *torch.Tape {
	return train.Recompute{Parts: w.parts > 1 && !w.kept, Layers: w.layers}.Tape(s, dev)
}

// backward leaves the gradients of loss, which tape, where there is one, has
// recorded.
func backward(tape *torch.Tape, loss *torch.Tensor) {
	if tape == nil {
		loss.Backward()
		return
	}
	tape.Backward(loss)
}

// backward computes the losses of a batch and leaves the
// gradients of their sum, or of what pick takes of them. It returns those of the
// pixels too.
func (w way) backward(s *torch.Scope, m *albef.Model, distill float64, batch func(s *torch.Scope) albef.Batch,
	pick func(albef.Losses) *torch.Tensor,
) (l albef.Losses, pixels []float32) {
	s.Do(func(in *torch.Scope) {
		tape := w.tape(in, m.Device())
		b := batch(in)
		b.Images.RequireGrad(true)
		torch.Autocast(w.bf16, m.Device(), func() { l = m.PretrainParts(b, distill, w.parts) })
		for _, x := range []*torch.Tensor{l.MLM, l.ITC, l.ITM, l.Claims, l.Cells, l.NegImages, l.NegTexts} {
			if x != nil {
				in.Keep(x)
			}
		}
		backward(tape, pick(l))
		if g := torch.Grads(in, []*torch.Tensor{b.Images})[0]; g != nil {
			pixels = g.Floats()
		}
	})
	return l, pixels
}

// cutConfig is a model of a few thousand parameters of the official kind.
func cutConfig() albef.Config {
	c := albef.Base()
	c.ImageRes, c.PatchSize, c.VisionWidth, c.VisionHeads, c.VisionMLP, c.VisionDepth = 16, 8, 16, 2, 32, 2
	c.VocabSize, c.Hidden, c.Heads, c.Intermediate, c.Layers, c.FusionLayer, c.MaxPositions = 40, 16, 2, 32, 4, 2, 12
	c.EmbedDim, c.QueueSize, c.Dropout = 8, 16, 0
	c.CellLabels = []int{3, 2}
	return c
}

// cutPre is the same of the kind of the drawn scenes.
func cutPre() albef.Config {
	c := cutConfig()
	c.Norms, c.CrossKeys, c.Stem, c.FusionLayer = albef.PreNorm, albef.PatchKeys, albef.ConvStem, 1
	return c
}

const cutPairs = 8

// hiddenWords are how many words MLM asks for of each text: very different
// numbers, none at all of the third of four parts.
var hiddenWords = [cutPairs]int{5, 0, 1, 3, 0, 0, 1, 0}

// cutBatch is a batch of a model, with claims and labelled patches where it has
// heads for these, in which some texts are true of more than one image, one
// image has no wrong text, and claims and labels are spread unevenly.
func cutBatch(s *torch.Scope, c albef.Config) albef.Batch {
	const tokens, claims = 7, 5
	ids, masked, mask := make([]int64, cutPairs*tokens), make([]int64, cutPairs*tokens), make([]int64, cutPairs*tokens)
	var at, words []int64
	for i := range ids {
		row, column := i/tokens, i%tokens
		ids[i] = int64(5 + (i*7+row)%30)
		if column < tokens-row%3 {
			mask[i] = 1
		}
		masked[i] = ids[i]
		if column > 0 && column <= hiddenWords[row] && mask[i] == 1 {
			masked[i], at, words = 4, append(at, int64(i)), append(words, ids[i])
		}
	}
	at, words = albef.Masking{Positions: at, Words: words}.Filled()
	same := make([]float32, cutPairs*cutPairs)
	for i := range cutPairs {
		same[i*cutPairs+i] = 1
		same[6*cutPairs+i] = 1 // every text is true of image 6
	}
	same[0*cutPairs+5] = 1
	b := albef.Batch{
		Images: s.Zeros(torch.CPU, cutPairs, 3, c.ImageRes, c.ImageRes).FillNormal(0, 1),
		IDs:    s.Ints(ids, cutPairs, tokens), MaskedIDs: s.Ints(masked, cutPairs, tokens), Mask: s.Ints(mask, cutPairs, tokens),
		Positions: s.Ints(at, len(at)), Words: s.Ints(words, len(words)), Same: s.Floats(same, cutPairs, cutPairs),
	}
	if c.CellLabels == nil {
		return b
	}
	b.Claims, b.Cells = &albef.Claims{
		IDs: s.Ints(ids[:claims*tokens], claims, tokens), Mask: s.Ints(mask[:claims*tokens], claims, tokens),
		Image: s.Ints([]int64{0, 7, 0, 1, 3}, claims), Holds: s.Ints([]int64{1, 0, 0, 1, 0}, claims),
	}, &albef.Cells{}
	for _, classes := range c.CellLabels {
		labels := make([]int64, cutPairs*c.Grid()*c.Grid())
		for i := range labels {
			labels[i] = int64(i % classes)
			if i%5 == 0 {
				labels[i] = -100
			}
		}
		b.Cells.Labels = append(b.Cells.Labels, s.Ints(labels, len(labels)))
	}
	return b
}

// stepped is what a step leaves.
type stepped struct {
	losses map[string]float64
	grads  map[string][]float32
	images []float32            // the gradient of the pixels
	state  map[string][]float32 // after the optimiser
	next   float64              // drawn after the step
}

// spread makes weights larger than fresh ones are, so that texts and images differ
// and no gradient is a small difference of large numbers.
func spread(t *testing.T, m *albef.Model) {
	t.Helper()
	err := torch.Do(func(s *torch.Scope) {
		for _, p := range m.Params() {
			if len(p.Shape) == 2 && !p.Buffer && !p.Tied {
				p.Tensor.Copy(s.Use(p.Tensor).Data().Scale(5))
			}
		}
		m.CopyToMomentum()
	})
	if err != nil {
		t.Fatal(err)
	}
}

// takeStep takes a step of a fresh model, always the same but for the way.
func takeStep(t *testing.T, c albef.Config, w way, setUp func(m *albef.Model)) (out stepped) {
	t.Helper()
	live := torch.Live()
	defer func() {
		if now := torch.Live(); now != live {
			t.Errorf("%v: torch.Live() is %d, want %d", w, now, live)
		}
	}()
	m, err := albef.New(c, torch.CPU, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	m.SetSampler(top1)
	spread(t, m)
	if setUp != nil {
		setUp(m)
	}
	opt := train.NewAdamW(m, decay)
	defer opt.Close()
	torch.Seed(11)
	out = stepped{losses: map[string]float64{}, grads: map[string][]float32{}, state: map[string][]float32{}}
	err = torch.Do(func(s *torch.Scope) {
		var l albef.Losses
		l, out.images = w.backward(s, m, 0.4, func(s *torch.Scope) albef.Batch { return cutBatch(s, c) }, albef.Losses.Total)
		for name, x := range map[string]*torch.Tensor{"mlm": l.MLM, "itc": l.ITC, "itm": l.ITM, "claims": l.Claims, "cells": l.Cells} {
			if x != nil {
				out.losses[name] = x.Item()
			}
		}
		for _, p := range m.Params() {
			if p.Buffer || p.Tied {
				continue
			}
			if g := torch.Grads(s, []*torch.Tensor{p.Tensor})[0]; g != nil {
				out.grads[p.Name] = g.Floats()
			}
		}
		out.next = s.Zeros(torch.CPU).FillUniform(0, 1).Item()
		opt.Step(s, lr)
		for _, p := range m.Params() {
			out.state[p.Name] = s.Use(p.Tensor).To(torch.Float32).Floats()
		}
	})
	if err != nil {
		t.Fatalf("%v: %v", w, err)
	}
	return out
}

// far is how far got is from want, in parts of want's norm.
func far(got, want []float32) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	var off, norm float64
	for i := range want {
		d := float64(got[i] - want[i])
		off, norm = off+d*d, norm+float64(want[i])*float64(want[i])
	}
	if off == 0 {
		return 0
	}
	return math.Sqrt(off / norm)
}

// near0 is a difference that is rounding whatever the norm: terms cancel, and the
// gradient of the keys' biases, which softmax makes meaningless, is nothing else.
const near0 = 1e-7

// checkStepped compares two steps.
func checkStepped(t *testing.T, got, want stepped) {
	t.Helper()
	for name, w := range want.losses {
		if g := got.losses[name]; !(math.Abs(g-w) <= 1e-6*math.Abs(w)) {
			t.Errorf("loss %s: got %.9g, want %.9g", name, g, w)
		}
	}
	if off := far(got.images, want.images); off > 1e-5 && want.images != nil {
		t.Errorf("gradient of the pixels is %.2g of its norm off", off)
	}
	if len(got.grads) != len(want.grads) {
		t.Errorf("%d gradients, want %d", len(got.grads), len(want.grads))
	}
	for name, w := range want.grads {
		if off := far(got.grads[name], w); off*l2(w) > 1e-5*l2(w)+near0 {
			t.Errorf("gradient of %s (norm %.2g) is %.2g of it off", name, l2(w), off)
		}
	}
	for name, w := range want.state {
		g := want.grads[name]
		for i := range w {
			// Adam's first step is sign-like: of a gradient near 0 it is rounding.
			if g != nil && math.Abs(float64(g[i])) < 1e-5 {
				continue
			}
			if math.Abs(float64(got.state[name][i]-w[i])) > 1e-6 {
				t.Errorf("%s after the step: got %v at %d, want %v", name, got.state[name][i], i, w[i])
				break
			}
		}
	}
}

func l2(v []float32) float64 {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}

func TestPartsAreTheWholeBatch(t *testing.T) {
	for name, c := range map[string]albef.Config{"official": cutConfig(), "pre-norm": cutPre()} {
		for _, frozen := range []bool{false, true} {
			setUp := func(m *albef.Model) { m.FreezeImage(frozen) }
			want := takeStep(t, c, whole, setUp)
			for _, w := range []way{{parts: 1, layers: true}, {parts: 2}, {parts: 4}, {parts: 8}, {parts: 2, layers: true}} {
				t.Run(fmt.Sprintf("%s, frozen %v, %v", name, frozen, w), func(t *testing.T) {
					checkStepped(t, takeStep(t, c, w, setUp), want)
				})
			}
		}
	}
}

// TestPartsReachTheImagesOfOthers draws the image half a batch away against every
// text, which is never in the same part.
func TestPartsReachTheImagesOfOthers(t *testing.T) {
	c := cutConfig()
	pixels := func(w way) (out []float32) {
		m, err := albef.New(c, torch.CPU, 3)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		m.SetSampler(func(weights *torch.Tensor) *torch.Tensor {
			index := make([]int64, cutPairs)
			for i := range index {
				index[i] = int64((i + cutPairs/2) % cutPairs)
			}
			return weights.Scope().Ints(index, cutPairs, 1)
		})
		torch.Seed(11)
		err = torch.Do(func(s *torch.Scope) {
			_, out = w.backward(s, m, 0.4, func(s *torch.Scope) albef.Batch {
				b := cutBatch(s, c)
				b.Same = nil
				return b
			}, func(l albef.Losses) *torch.Tensor { return l.ITM })
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	want, got := pixels(whole), pixels(way{parts: 2})
	each := len(want) / cutPairs
	for i := range cutPairs {
		w := want[i*each : (i+1)*each]
		if off := far(got[i*each:(i+1)*each], w); off > 1e-5 || l2(w) == 0 {
			t.Errorf("gradient of image %d (norm %.2g) is %.2g of it off", i, l2(w), off)
		}
	}
}

// TestDropoutIsDrawnAgain: what is run again has the losses and gradients of a
// step from the same seed that keeps everything, bit for bit where layers are run
// again. With parts, claims or labelled patches sums have another order: of the
// embeds' gradients, and in bf16 of those of a weight that is used twice, which
// a step that keeps everything adds in bf16.
func TestDropoutIsDrawnAgain(t *testing.T) {
	for name, c := range map[string]albef.Config{"official": cutConfig(), "pre-norm": cutPre()} {
		c.Dropout = 0.1
		for _, bf16 := range []bool{false, true} {
			for _, w := range []way{{parts: 1, layers: true, bf16: bf16}, {parts: 2, bf16: bf16}, {parts: 2, layers: true, bf16: bf16}} {
				t.Run(fmt.Sprintf("%s, %v", name, w), func(t *testing.T) { checkAgain(t, c, w) })
			}
			c := c
			c.CellLabels = nil
			w := way{parts: 1, layers: true, bf16: bf16}
			t.Run(fmt.Sprintf("%s, %v, no claims and cells", name, w), func(t *testing.T) { checkAgain(t, c, w) })
		}
	}
}

func checkAgain(t *testing.T, c albef.Config, w way) {
	t.Helper()
	exact, allowed := w.parts == 1 && c.CellLabels == nil, 1e-6
	if w.bf16 {
		allowed = 2e-2 // it has 8 bits
	}
	got, want := takeStep(t, c, w, nil), takeStep(t, c, way{parts: w.parts, bf16: w.bf16, kept: true}, nil)
	for loss, w := range want.losses {
		if got.losses[loss] != w {
			t.Errorf("loss %s: got %v, want %v", loss, got.losses[loss], w)
		}
	}
	if got.next != want.next {
		t.Errorf("the generator goes on with %v, want %v", got.next, want.next)
	}
	for p, w := range want.grads {
		if off := far(got.grads[p], w); exact && off > 0 || off*l2(w) > allowed*l2(w)+near0 {
			t.Errorf("gradient of %s (norm %.2g) is %.2g of it off", p, l2(w), off)
		}
	}
}

// TestPartsAndLayersTakeLessMemory compares the most that tensors take in a step.
func TestPartsAndLayersTakeLessMemory(t *testing.T) {
	c := cutConfig()
	c.ImageRes, c.VisionWidth, c.VisionMLP, c.VisionDepth = 64, 64, 256, 6
	m, err := albef.New(c, torch.CPU, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	peak := func(w way) (mib float64) {
		err := torch.Do(func(s *torch.Scope) {
			torch.PeakMemory()
			begin := torch.PeakMemory()
			w.backward(s, m, 0.4, func(s *torch.Scope) albef.Batch { return cutBatch(s, c) }, albef.Losses.Total)
			mib = float64(torch.PeakMemory()-begin) / (1 << 20)
			for _, p := range m.Params() {
				torch.ZeroGrad([]*torch.Tensor{p.Tensor})
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return mib
	}
	plain := peak(whole)
	for _, w := range []way{{parts: 8}, {parts: 1, layers: true}, {parts: 2, layers: true}} {
		got := peak(w)
		t.Logf("%v: %.1f MiB, %.1f in one go", w, got, plain)
		if got > plain/2 {
			t.Errorf("%v: %.1f MiB at most, want less than half of %.1f", w, got, plain)
		}
	}
}
