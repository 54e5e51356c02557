package task

import (
	"context"

	"vlab/albef"
	"vlab/albef/data"
	"vlab/albef/torch/weights"
)

// NLVR finetunes a model on {images, sentence, label}, whether a sentence is
// true of two images, and measures it after each epoch on the records of
// val_file and test_file: val_acc and test_acc are accuracies from 0 to 1,
// val_majority and test_majority what always saying the commonest class would
// get. It begins with a model of [PretrainNLVR], or with a pretrained one, whose
// fusion layers are doubled then. The head begins fresh.
//
// The teacher of distillation begins as the model does. The official code makes
// its teacher before it loads the checkpoint, so that it knows nothing;
// official_quirks does the same. Source: NLVR.py.
func NLVR(ctx context.Context, r Run) (Results, error) {
	o, err := r.open()
	if err != nil {
		return nil, err
	}
	defer o.drop()
	o.fixDecay(r.Config)
	adapt := o.forPairs()
	t := &labelled[data.NLVR]{Run: &r, tok: o.tokenizer, positions: o.config.MaxPositions, labelledKind: labelledKind[data.NLVR]{
		name: "nlvr", classes: albef.NLVRClasses[:], images: 2, read: data.ReadNLVR,
		of:     func(r data.NLVR) (string, int) { return r.Sentence, r.Label },
		format: `{images, sentence, label}, two images each and label True or False`,
	}}
	if err := t.readSplits(ctx); err != nil {
		return nil, err
	}
	m, err := albef.NewNLVR(o.config, r.Device, r.Config.Seed)
	if err != nil {
		return nil, err
	}
	defer r.release(m)
	m.KeepTeacher(r.Config.OfficialQuirks)
	t.model = &m.Classifier
	j := t.job()
	j.adapt = adapt
	return do(ctx, &r, o, j)
}

// forPairs makes the sizes of a run those of a model for pairs of images, and
// returns what makes the checkpoint's weights such a model's.
func (o *origin) forPairs() func(state *weights.Dict) (*weights.Dict, error) {
	fusion := o.config.FusionLayer
	if o.checkpoint == nil || !albef.IsPairState(o.checkpoint.State) {
		o.config = o.config.ForPairs()
	}
	return func(state *weights.Dict) (*weights.Dict, error) { return albef.PairState(state, fusion) }
}
