package main

import (
	"slices"

	"vlab/albef"
	"vlab/albef/bench"
	"vlab/albef/torch"
)

// contest is a work at a size and a type that all do by turns.
type contest struct {
	work, size, dtype   string
	config              albef.Config
	device              torch.Device
	shape               shape
	batch, threads      int
	warm, steps         int
	hasModern, compiles bool // whether there is such a form
}

// shape is what a query has besides the model's sizes, as queries.py reads it.
type shape struct {
	Tokens   int      `json:"tokens,omitempty"`
	Padding  int      `json:"padding,omitempty"`  // every fourth text is as long as Tokens, the next ones by so much shorter each
	Layer    int      `json:"layer,omitempty"`    // that explains
	Images   int      `json:"images,omitempty"`   // of an evaluation of retrieval
	Captions []int    `json:"captions,omitempty"` // tokens of each
	K        int      `json:"k,omitempty"`        // candidates that ITM ranks
	Words    []int    `json:"words,omitempty"`    // of each answer
	Pictures []string `json:"pictures,omitempty"` // paths
	Caption  string   `json:"caption,omitempty"`  // of each picture
}

// rule is how a work is raced.
type rule struct {
	work          string
	sizes, dtypes []string
	steps         map[string]int // timed in a round, by size
	batch         map[string]int // by size; others: [bench.DefaultBatch]
	modern        bool
}

// rules are all works. Retrieval takes a minute and more a repetition, which
// needs no warm-up and no more than one; at full it would take hours.
func rules() []rule {
	mid, full, both := []string{"mid"}, []string{"mid", "full"}, []string{"fp32", "bf16"}
	return []rule{
		{work: "step", sizes: full, dtypes: both, steps: map[string]int{"mid": 10, "full": 4}, modern: true},
		{work: "rerank", sizes: mid, dtypes: both[:1], steps: map[string]int{"mid": 1}, modern: true},
		{work: "gradcam", sizes: full, dtypes: both[:1], steps: map[string]int{"mid": 30, "full": 5}, modern: true},
		{
			work: "embed", sizes: full, dtypes: both, steps: map[string]int{"mid": 20, "full": 5},
			batch: map[string]int{"mid": 16, "full": 4}, modern: true,
		},
		{work: "answer", sizes: mid, dtypes: both[:1], steps: map[string]int{"mid": 20}},
		{work: "decode", sizes: full, dtypes: both[:1], steps: map[string]int{"mid": 20, "full": 20}},
	}
}

// works names what can be raced.
func works() (names []string) {
	for _, r := range rules() {
		names = append(names, r.work)
	}
	return names
}

// contests are those that the command line asks for, in the order of rules.
func (o options) contests() ([]contest, error) {
	var all []contest
	for _, r := range rules() {
		if !slices.Contains(o.works, r.work) {
			continue
		}
		for _, size := range r.sizes {
			if !slices.Contains(o.sizes, size) {
				continue
			}
			for _, dtype := range r.dtypes {
				if !slices.Contains(o.dtypes, dtype) {
					continue
				}
				c, err := o.contest(r, size, dtype)
				if err != nil {
					return nil, err
				}
				all = append(all, c)
			}
		}
	}
	return all, nil
}

func (o options) contest(r rule, size, dtype string) (contest, error) {
	config, err := bench.WorkConfig(r.work, size)
	if err != nil {
		return contest{}, err
	}
	c := contest{
		work: r.work, size: size, dtype: dtype, config: config, device: o.device, threads: o.threads, warm: 2, steps: r.steps[size],
		batch: r.batch[size], hasModern: r.modern, compiles: r.work == "step" && slices.Contains(o.compile, size),
	}
	if c.batch == 0 {
		c.batch = bench.DefaultBatch(r.work, size)
	}
	if o.batch != 0 && r.work != "gradcam" {
		c.batch = o.batch
	}
	switch {
	case r.work == "rerank":
		c.warm = 0
	case size == "full":
		c.warm = 1
	}
	if r.work == "decode" {
		c.threads = 1
	}
	if o.steps != 0 {
		c.steps = o.steps
	}
	c.shape = c.shaped(bench.RerankImages, bench.RerankK)
	c.shape.Pictures = o.pictures
	return c, nil
}

// shaped is the shape of a work; an evaluation of retrieval has so many images,
// of which ITM ranks k.
func (c contest) shaped(images, k int) shape {
	switch c.work {
	case "embed":
		return shape{Tokens: bench.EmbedTokens, Padding: bench.TextPadding}
	case "gradcam":
		return shape{Tokens: bench.GradCAMTokens, Layer: bench.GradCAMLayer(c.config)}
	case "rerank":
		s := shape{Images: images, K: k}
		for i := range images * bench.CaptionsPerImage {
			s.Captions = append(s.Captions, bench.CaptionTokens(i))
		}
		return s
	case "answer":
		s := shape{Tokens: bench.QuestionTokens}
		for i := range bench.AnswerCount {
			s.Words = append(s.Words, bench.AnswerWords(i))
		}
		return s
	case "decode":
		return shape{Caption: bench.PictureCaption}
	}
	return shape{}
}
