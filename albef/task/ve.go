package task

import (
	"context"

	"vlab/albef"
	"vlab/albef/data"
)

// VE finetunes a pretrained model on {image, sentence, label}, whether an image
// shows what a sentence says, and measures it after each epoch on the records of
// val_file and test_file: val_acc and test_acc are accuracies from 0 to 1,
// val_majority and test_majority what always saying the commonest class would
// get. The head of a pretrained model begins fresh. Source: VE.py.
func VE(ctx context.Context, r Run) (Results, error) {
	o, err := r.open()
	if err != nil {
		return nil, err
	}
	defer o.drop()
	o.fixDecay(r.Config)
	t := &labelled[data.Entailment]{Run: &r, tok: o.tokenizer, positions: o.config.MaxPositions, labelledKind: labelledKind[data.Entailment]{
		name: "ve", classes: albef.VEClasses[:], images: 1, read: data.ReadEntailment,
		of:     func(r data.Entailment) (string, int) { return r.Sentence, r.Label },
		format: `{image, sentence, label}, label being entailment, neutral or contradiction`,
	}}
	if err := t.readSplits(ctx); err != nil {
		return nil, err
	}
	m, err := albef.NewVE(o.config, r.Device, r.Config.Seed)
	if err != nil {
		return nil, err
	}
	defer r.release(m)
	t.model = &m.Classifier
	return do(ctx, &r, o, t.job())
}
