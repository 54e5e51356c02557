package lab

import (
	"context"
	"image"

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
	m.use.Unlock()
	seen := r.learned(m)
	m.use.Lock()
	if seen == nil {
		return
	}
	show(sink, now, id != "", map[string]any{"image/png": seen.PNG(), "text/plain": seen.String()})
}

// drawing is what queries answer.
type drawing interface {
	PNG() []byte
	String() string
}

// learned asks the model about the run's sample, in pretraining on drawn scenes
// about one of those; nil where there is none, or it can't be asked.
func (r *Run) learned(m *Model) drawing {
	pictures, said := r.sampled()
	if len(pictures) == 0 {
		return nil
	}
	ctx := context.Background() // the training's may be over, and this takes no longer than a step
	var seen drawing
	var err error
	switch {
	case m.vqa != nil:
		seen, err = m.Answer(ctx, pictures[0], said)
	case m.judge != nil && m.pairs:
		seen, err = m.Compare(ctx, pictures[0], pictures[1], said)
	case m.judge != nil:
		seen, err = m.Entails(ctx, pictures[0], said)
	default:
		seen, err = m.Ground(ctx, pictures[0], said)
	}
	if err != nil {
		return nil
	}
	return seen
}

// sampled returns the sample's pictures and text.
func (r *Run) sampled() (pictures []image.Image, said string) {
	if r.config.Task == "" && r.settings.Scenes.Kind != 0 {
		scene := Scenes(1, 1).Scene(0)
		return []image.Image{scene.Render(sceneSide)}, scenes.Phrases(*scene)[0].Text
	}
	for _, path := range r.sample.Images {
		img, err := Load(path)
		if err != nil {
			return nil, ""
		}
		pictures = append(pictures, img)
	}
	return pictures, r.sample.Text
}
