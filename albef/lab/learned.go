package lab

import (
	"context"
	"fmt"
	"image"
	"time"

	"vlab/albef/scenes"
)

// look shows what the model now makes of one of the records that are measured,
// in the place of what it made of it before. It is called on the training
// goroutine.
func (r *Run) look() {
	r.mu.Lock()
	m, sink, id := r.model, r.sink, r.looked
	if id == "" {
		r.looked = newID("learned")
	}
	now := r.looked
	r.mu.Unlock()
	if m == nil || sink == nil {
		return
	}
	began := time.Now()
	m.use.Unlock()
	seen, err := r.learned(m)
	m.use.Lock()
	r.mu.Lock()
	r.shown = lookTime{at: time.Now(), took: time.Since(began)}
	r.mu.Unlock()
	switch {
	case err != nil:
		show(sink, now, id != "", map[string]any{"text/plain": fmt.Sprintf("what was learned can't be shown: %v", err)})
	case seen != nil:
		show(sink, now, id != "", map[string]any{"image/png": seen.PNG(), "text/plain": seen.String()})
	}
}

// drawing is what queries answer.
type drawing interface {
	PNG() []byte
	String() string
}

// learned asks the model about the run's sample, in pretraining on drawn scenes
// about one of those; nil where there is none.
func (r *Run) learned(m *Model) (drawing, error) {
	pictures, said, err := r.sampled()
	if err != nil || len(pictures) == 0 {
		return nil, err
	}
	ctx := context.Background() // the training's may be over, and this takes no longer than a step
	switch {
	case m.vqa != nil:
		return m.Answer(ctx, pictures[0], said)
	case m.judge != nil && m.pairs:
		return m.Compare(ctx, pictures[0], pictures[1], said)
	case m.judge != nil:
		return m.Entails(ctx, pictures[0], said)
	}
	return m.Ground(ctx, pictures[0], said)
}

// sampled returns the sample's pictures and text.
func (r *Run) sampled() (pictures []image.Image, said string, err error) {
	if r.config.Task == "" && r.settings.Scenes.Kind != 0 {
		scene := Scenes(1, 1).Scene(0)
		return []image.Image{scene.Render(sceneSide)}, scenes.Phrases(*scene)[0].Text, nil
	}
	for _, path := range r.sample.Images {
		img, err := Load(path)
		if err != nil {
			return nil, "", err
		}
		pictures = append(pictures, img)
	}
	return pictures, r.sample.Text, nil
}
