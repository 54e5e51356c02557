package task

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"

	"vlab/albef"
	"vlab/albef/data"
	"vlab/albef/text"
	"vlab/albef/torch"
	"vlab/albef/train"
)

// Grounding finetunes a pretrained model on {image, text, ref_id} without any
// box (weak supervision), with retrieval's losses, and measures after each epoch
// how well Grad-CAM finds the objects that the texts of test_file refer to.
// Results are shares from 0 to 1 for the splits val, testA and testB: val_d, the
// official accuracy of the proposal of det_file that the map favours, beside
// val_largest_d, that of the largest proposal; val_pointing, how often the map's
// peak is in the object's box; val_map_iou, the IoU of the box with the map's
// hotter half. Without det_file there are only the last two.
// gradcam_mode and block_num say which map; see [groundingBlock] for the default.
// Source: Grounding.py.
func Grounding(ctx context.Context, r Run) (Results, error) {
	r.inParts = true
	o, err := r.open()
	if err != nil {
		return nil, err
	}
	defer o.drop()
	t := &grounding{Run: &r, tok: o.tokenizer}
	if r.Config.BlockNum, err = groundingBlock(r.Config, o.config); err != nil {
		return nil, err
	}
	if err := t.read(ctx, o.config.MaxPositions); err != nil {
		return nil, err
	}
	if t.model, err = albef.NewRetrieval(o.config, r.Device, r.Config.Seed); err != nil {
		return nil, err
	}
	defer r.release(t.model)
	t.model.OfficialQuirks(r.Config.OfficialQuirks)
	j := job[albef.RetrievalBatch]{
		model: t.model, queries: Trained{
			Model: t.model, Sample: sampleOf(t.records, func(r data.Grounding) string { return r.Text }),
		}, feed: t.feed, evaluate: t.evaluate, score: "val_d",
		forward: r.pairLosses(t.model),
	}
	if t.proposals == nil {
		j.score = "val_pointing"
	}
	if r.Config.Distill {
		j.distill = train.DistillRamp{Weight: r.Config.DistillWeight, WarmUp: r.Config.WarmUp}
	}
	return do(ctx, &r, o, j)
}

// modeITC explains the similarity; the other mode, itm, the match.
const modeITC = "itc"

// groundingBlock is the layer that is read: block_num where it is given, and
// then it must fit gradcam_mode; else the official 8 where the model has such a
// layer, else the middle fusion layer, or for itc the image block two thirds up.
// All three are 8 in a model of the official size.
func groundingBlock(c *train.Config, m albef.Config) (int, error) {
	from, to, otherwise := m.FusionLayer, m.Layers-1, (m.FusionLayer+m.Layers-1)/2
	what := "fusion layer, counted over all layers of the text side"
	if c.GradcamMode == modeITC {
		from, to, otherwise, what = 0, m.VisionDepth-1, m.VisionDepth*2/3, "block of the image encoder"
	}
	switch fits := c.BlockNum >= from && c.BlockNum <= to; {
	case fits:
		return c.BlockNum, nil
	case c.Has("block_num"):
		return 0, &hintError{
			fmt.Errorf("config: block_num is %d, and the model has no such %s", c.BlockNum, what),
			fmt.Sprintf("%d to %d are there for gradcam_mode %s", from, to, c.GradcamMode),
		}
	}
	return otherwise, nil
}

// grounding is one Grounding at work.
type grounding struct {
	*Run
	model     *albef.Model
	tok       *text.Tokenizer
	records   []data.Grounding // to measure
	refs      map[int64]data.Ref
	proposals map[int64][][4]float64 // nil without det_file
}

// read reads and checks what is measured.
func (t *grounding) read(ctx context.Context, positions int) (err error) {
	c := t.Config
	if len(c.TestFile) == 0 {
		return &hintError{errors.New("config: test_file is missing"), "test_file: [refcoco+_val.json, refcoco+_test.json]"}
	}
	if c.RefcocoData == "" {
		return &hintError{errors.New("config: refcoco_data is missing"), "it is the folder above refcoco+, which holds refs(unc).p and instances.json"}
	}
	if t.records, err = t.reading("test_file", data.Testing, c.TestFile).measured(ctx, t.Run, t.tok, positions); err != nil {
		return err
	}
	if t.refs, err = data.ReadRefs(ctx, filepath.Join(c.RefcocoData, "refcoco+")); err != nil {
		return err
	}
	if c.DetFile != "" {
		if t.proposals, err = data.ReadProposals(ctx, c.DetFile); err != nil {
			return err
		}
	}
	return t.check()
}

// reading is how records are read; texts are not cut, as officially.
func (t *grounding) reading(key string, split data.Split, files []string) reading[data.Grounding] {
	return reading[data.Grounding]{
		key: key, texts: func(r data.Grounding) []string { return []string{groundingText(r, nil)} },
		read: func(ctx context.Context) ([]data.Grounding, error) {
			return data.ReadGrounding(ctx, t.Config.ImageRoot, split, files...)
		},
	}
}

// check reports the first record that can't be measured.
func (t *grounding) check() error {
	for _, r := range t.records {
		ref, ok := t.refs[r.RefID]
		if !ok {
			return &hintError{
				fmt.Errorf("test_file: ref_id %d of %s, %q, is not among the references of refcoco_data", r.RefID, r.Image, r.Text),
				"records and references must be of one release",
			}
		}
		if _, ok := t.proposals[ref.ImageID]; !ok && t.proposals != nil {
			return &hintError{
				fmt.Errorf("det_file: no boxes for image_id %d, which ref_id %d is in", ref.ImageID, r.RefID),
				"without det_file all is measured that needs no boxes to choose among",
			}
		}
	}
	return nil
}

// evaluate measures the model on all records.
func (t *grounding) evaluate(ctx context.Context) (Results, error) {
	size, score := t.model.Config().ImageRes, newGroundingScore(t.proposals, t.Config.OfficialQuirks)
	m := measuring{t.Run, "test", data.NewRecordSource(t.records, data.NewResized(size), groundingText), size, 1}
	err := m.each(ctx, func(s *torch.Scope, b *data.Batch) error { return t.measure(s, b, score) })
	if err != nil {
		return nil, fmt.Errorf("test_file: %w", err)
	}
	return score.results(), nil
}

// measure counts the hits of a batch.
func (t *grounding) measure(s *torch.Scope, b *data.Batch, score *groundingScore) error {
	c, dev := t.model.Config(), t.model.Device()
	texts := bucketed(t.tok, b.Texts, text.BatchOptions{})
	if texts.T > c.MaxPositions {
		return fmt.Errorf("batch: texts of %d tokens, the model has %d positions", texts.T, c.MaxPositions)
	}
	maps, err := t.explain(
		s.Floats(b.Images, len(b.Texts), 3, c.ImageRes, c.ImageRes).ToDevice(dev),
		s.Ints(texts.IDs, texts.B, texts.T).ToDevice(dev), s.Ints(texts.Mask, texts.B, texts.T).ToDevice(dev),
	)
	if err != nil {
		return err
	}
	maps = maps.ToDevice(torch.CPU)
	for i, record := range b.Index {
		ref := t.refs[t.records[record].RefID]
		s.Do(func(s *torch.Scope) { score.add(ref, newHeat(s.Use(maps).Select(0, i), ref.Width, ref.Height)) })
	}
	return nil
}

// explain returns the maps of a batch, [B, G, G].
func (t *grounding) explain(images, ids, mask *torch.Tensor) (*torch.Tensor, error) {
	if t.Config.GradcamMode == modeITC {
		cam, _, _, err := t.model.ImageGradCAM(images, ids, mask, t.Config.BlockNum)
		return cam, err
	}
	maps, err := t.model.GradCAM(t.model.Image.Forward(images), ids, mask, t.Config.BlockNum)
	if err != nil {
		return nil, err
	}
	return maps.Phrase(), nil
}

// feed opens the training data.
func (t *grounding) feed(ctx context.Context) (train.Feed[albef.RetrievalBatch], error) {
	c := t.Config
	if len(c.TrainFile) == 0 {
		return nil, noTrainFile("{image, text, ref_id}")
	}
	records, err := t.reading("train_file", data.Training, c.TrainFile).training(ctx, t.Run, t.tok, t.model.Config().MaxPositions)
	if err != nil {
		return nil, err
	}
	size := t.model.Config().ImageRes
	source := data.NewRecordSource(records, augmented(c, data.GroundingAugment(size)), groundingText)
	loader, err := trainLoader(c, source, t.trainBatch(), size, 1)
	if err != nil {
		return nil, err
	}
	groups := make([]int64, len(records))
	for i, r := range records {
		groups[i] = int64(r.Group)
	}
	return &retrievalFeed{Loader: loader, tok: t.tok, groups: groups, device: t.Device, size: size}, nil
}

func groundingText(r data.Grounding, _ *rand.Rand) string {
	return text.PreCaption(r.Text, captionWords)
}
