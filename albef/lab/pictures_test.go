package lab_test

import (
	"fmt"
	"image"
	"path/filepath"
	"testing"

	"vlab/albef"
	"vlab/albef/lab"
	"vlab/albef/task"
	"vlab/albef/torch"
	"vlab/albef/train"
)

// judge opens an untrained model of vlab ve.
func judge(t *testing.T) *lab.Model {
	t.Helper()
	tok, vocab, err := task.SceneTokenizer()
	if err != nil {
		t.Fatal(err)
	}
	c := albef.Tiny()
	c.VocabSize = tok.Size()
	core, err := albef.NewVE(c, torch.CPU, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer core.Close()
	path := filepath.Join(t.TempDir(), "ve.pth")
	ck := &train.Checkpoint{State: core.State(), Model: core.Config(), Vocab: vocab}
	opt := train.NewAdamW(core, 0)
	defer opt.Close()
	ck.Optimizer = opt.State(1e-3)
	config := train.DefaultConfig()
	if err := ck.Write(path, config.Schedule(), config); err != nil {
		t.Fatal(err)
	}
	m, err := lab.Open(path, lab.WithDevice("cpu"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// questions are what can be asked about one picture; each returns all numbers of
// its result.
func questions(t *testing.T) map[string]struct {
	model func() *lab.Model
	ask   func(m *lab.Model, img image.Image) (any, error)
} {
	captions := []string{"a red circle", "a blue square left of a red circle", "a circle"}
	ctx := t.Context()
	own := func() *lab.Model { return opened(t) }
	return map[string]struct {
		model func() *lab.Model
		ask   func(m *lab.Model, img image.Image) (any, error)
	}{
		"ground": {own, func(m *lab.Model, img image.Image) (any, error) {
			g, err := m.Ground(ctx, img, "the red circle")
			return []any{g.Logit, g.Peak, g.Box, g.Map(), g.Maps()}, err
		}},
		"describe": {own, func(m *lab.Model, img image.Image) (any, error) {
			c, err := m.Describe(ctx, img, captions, 3)
			return c.Hits, err
		}},
		"fill": {own, func(m *lab.Model, img image.Image) (any, error) {
			f, err := m.Fill(ctx, img, "a [MASK] circle")
			return f.Gaps, err
		}},
		"answer": {func() *lab.Model { return asker(t, "yes", "no") }, func(m *lab.Model, img image.Image) (any, error) {
			a, err := m.Answer(ctx, img, "is there a circle?")
			return a.Hits, err
		}},
		"entails": {func() *lab.Model { return judge(t) }, func(m *lab.Model, img image.Image) (any, error) {
			e, err := m.Entails(ctx, img, "there is a circle")
			return e.Classes, err
		}},
	}
}

// TestPicturesAreEncodedOnce asks twice about one picture, then about another,
// and compares all numbers with those of a model that keeps nothing.
func TestPicturesAreEncodedOnce(t *testing.T) {
	scene := lab.Scenes(1, 2)
	img, same, other := scene.Scene(0).Render(64), scene.Scene(0).Render(64), scene.Scene(1).Render(64)
	for name, q := range questions(t) {
		m := q.model()
		said := func(img image.Image) string {
			t.Helper()
			got, err := q.ask(m, img)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return fmt.Sprintf("%b", got)
		}
		first, again, another := said(img), said(same), said(other)
		if m.Encoded() != 2 {
			t.Errorf("%s: three questions about two pictures encoded %d", name, m.Encoded())
		}
		m.KeepPictures(0)
		m.Train(true)
		if plain := said(img); first != plain || again != plain {
			t.Errorf("%s: got %s, then %s, want %s", name, first, again, plain)
		}
		if plain := said(other); another != plain || another == first {
			t.Errorf("%s of another picture: got %s, want %s", name, another, plain)
		}
	}
}

// TestKeptPicturesAreBounded asks about ten pictures where there is room for
// three, and frees all with the model.
func TestKeptPicturesAreBounded(t *testing.T) {
	before := torch.Live()
	m, g := opened(t), lab.Scenes(1, 10)
	at := func(i int) {
		t.Helper()
		if _, err := m.Fill(t.Context(), g.Scene(i).Render(64), "a [MASK] circle"); err != nil {
			t.Fatal(err)
		}
	}
	at(0)
	_, one := m.KeptPictures()
	m.KeepPictures(3*one + one/2)
	for i := range 10 {
		at(i)
		at(0) // the latest is the last to be forgotten
	}
	n, bytes := m.KeptPictures()
	if n != 3 || bytes != 3*one || one == 0 || m.Encoded() != 10 {
		t.Errorf("%d pictures kept in %d bytes, one is %d; %d encoded; want 3, and 10 encoded", n, bytes, one, m.Encoded())
	}
	at(8)
	if m.Encoded() != 10 {
		t.Error("the last but one is forgotten")
	}
	if at(1); m.Encoded() != 11 {
		t.Error("the second is still there")
	}
	m.KeepPictures(one / 2)
	m.Close()
	if after := torch.Live(); after != before {
		t.Errorf("tensors alive: %d once closed, %d before", after, before)
	}
}

// TestTrainingKeepsNoPictures: weights that change make other embeds.
func TestTrainingKeepsNoPictures(t *testing.T) {
	m, img := tiny(t), lab.Scenes(1, 1).Scene(0).Render(64)
	for range 2 {
		ground(t, m, img, "the red circle")
	}
	if n, _ := m.KeptPictures(); n != 0 || m.Encoded() != 2 {
		t.Errorf("a model in training keeps %d pictures, and encoded %d for two questions", n, m.Encoded())
	}
}

// BenchmarkAskAgain tells what the second question about a picture saves.
func BenchmarkAskAgain(b *testing.B) {
	m, err := lab.Open("demo", lab.WithDevice("cpu"))
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	img := lab.Scenes(1, 1).Scene(0).Render(64)
	for _, kept := range []bool{false, true} {
		b.Run(fmt.Sprintf("kept=%v", kept), func(b *testing.B) {
			m.Train(!kept)
			for b.Loop() {
				if _, err := m.Fill(b.Context(), img, "a [MASK] circle"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	m.Train(false)
}
