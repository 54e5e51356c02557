package task

import (
	"vlab/albef"
	"vlab/albef/data"
	"vlab/albef/text"
)

// Trained is a model of a task with what turns text into its input. One of
// Model, VQA and Judge is set; text assignment, which answers no query, sets
// none.
type Trained struct {
	Model *albef.Model      // of pretraining, retrieval or grounding
	VQA   *albef.VQA        // of questions
	Judge *albef.Classifier // of VE, or of NLVR2 with Pairs

	Pairs     bool     // Judge looks at two images
	Answers   []string // what VQA was trained to choose among; nil: it writes
	Tokenizer *text.Tokenizer
	Vocab     []string // nil: bert-base-uncased

	Sample Sample
}

// Sample is one of the records that are measured, to look at in training; zero
// where there is none.
type Sample struct {
	Images []string // paths, two in NLVR2
	Text   string   // caption, question, sentence or phrase
}

// sampleOf is the first of some records as a sample.
func sampleOf[R data.Record](records []R, text func(R) string) Sample {
	if len(records) == 0 {
		return Sample{}
	}
	return Sample{records[0].ImagePaths(), text(records[0])}
}
