package task

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"

	"vlab/albef"
	"vlab/albef/data"
	"vlab/albef/text"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
	"vlab/albef/train"
)

// The cuts of VQA questions: in words for training and for the test
// (vqa_dataset.py), and for training in tokens with [CLS] (VQA.py:45).
const (
	questionWords     = 30
	testQuestionWords = 50
	questionTokens    = 25
)

// VQA finetunes a pretrained model to answer questions, {image, question,
// answer, question_id, dataset}. The answers to the questions of val_file, after
// each epoch, and of test_file, at the end, are measured where their records
// have answers: val_acc and test_acc are VQA accuracy in percent, val_majority
// and test_majority that of the best answer that is the same everywhere. The
// answers to test_file's questions are written for EvalAI to
// result/vqa_result_epoch<N>.json. With inference: rank (the default) the
// answer is the best of answer_list, with generate it is written freely.
// Source: VQA.py.
func VQA(ctx context.Context, r Run) (Results, error) {
	o, err := r.open()
	if err != nil {
		return nil, err
	}
	defer o.drop()
	o.fixDecay(r.Config)
	t := &vqa{Run: &r, tok: o.tokenizer, positions: o.config.MaxPositions}
	if err := t.read(ctx); err != nil {
		return nil, err
	}
	if t.model, err = albef.NewVQA(o.config, r.Device, r.Config.Seed); err != nil {
		return nil, err
	}
	defer r.release(t.model)
	if err := t.prepare(); err != nil {
		return nil, err
	}
	j := job[albef.VQABatch]{
		model: t.model, queries: Trained{
			VQA: t.model, Answers: t.list, Sample: sampleOf(append(t.val, t.asked...), func(r data.VQA) string { return r.Question }),
		}, feed: t.feed, evaluate: t.validate, finish: t.test,
		adapt: func(state *weights.Dict) (*weights.Dict, error) { return albef.VQAState(state, o.config.FusionLayer) },
		forward: func(b albef.VQABatch, distill float64) []train.Loss {
			return []train.Loss{{Name: "loss", Value: t.model.Loss(b, distill)}}
		},
		note: map[string]string{AnswersNote: strings.Join(t.list, "\n")},
	}
	if t.val != nil {
		j.score = "val_acc"
	}
	j.everyEpoch = true
	if r.Config.Distill {
		j.distill = train.DistillRamp{Weight: r.Config.DistillWeight, WarmUp: r.Config.WarmUp}
	}
	return do(ctx, &r, o, j)
}

// AnswersNote is the note of a VQA checkpoint that holds its answer list, one
// answer a line.
const AnswersNote = "answers"

// vqa is one VQA at work.
type vqa struct {
	*Run
	model     *albef.VQA
	tok       *text.Tokenizer
	positions int        // that the model has
	val       []data.VQA // nil without val_file
	asked     []data.VQA // of test_file
	list      []string   // answer_list
	ranked    [][]int64  // its tokens
	write     albef.Generation
}

// read reads and checks what is measured.
func (t *vqa) read(ctx context.Context) (err error) {
	c := t.Config
	if t.val, err = t.readSplit(ctx, "val_file", c.ValFile); err != nil {
		return err
	}
	if t.asked, err = t.readSplit(ctx, "test_file", c.TestFile); err != nil {
		return err
	}
	if len(t.val)+len(t.asked) == 0 {
		return &hintError{errors.New("config: neither val_file nor test_file says what to ask"), "test_file: [vqa_test.json]"}
	}
	if c.AnswerList != "" {
		if t.list, err = data.ReadAnswers(c.AnswerList); err != nil {
			return err
		}
	}
	switch {
	case c.Inference == inferenceGenerate:
		return nil
	case len(t.list) == 0:
		return &hintError{errors.New("config: answer_list is missing"), "it is a json list of answers; inference: generate needs none"}
	case c.KTest < 1:
		return &hintError{errors.New("config: k_test is missing"), "it is how many answers are ranked to the end for each question, 128 in VQA.yaml"}
	case c.OfficialQuirks && c.KTest > len(t.list):
		return &hintError{
			fmt.Errorf("config: k_test is %d, and answer_list has %d answers", c.KTest, len(t.list)),
			"without official_quirks it means all of them",
		}
	}
	return nil
}

// inferenceGenerate writes answers; the other way, rank, chooses among a list.
const inferenceGenerate = "generate"

func (t *vqa) readSplit(ctx context.Context, key string, files []string) ([]data.VQA, error) {
	if len(files) == 0 {
		return nil, nil
	}
	return reading[data.VQA]{
		key: key, read: func(ctx context.Context) ([]data.VQA, error) {
			return data.ReadVQA(ctx, t.roots(), data.Testing, files...)
		},
		texts: func(r data.VQA) []string { return []string{text.PreQuestion(r.Question, testQuestionWords)} },
	}.measured(ctx, t.Run, t.tok, t.positions)
}

// roots are vqa_root and vg_root, or image_root where one isn't given.
func (t *vqa) roots() data.VQARoots {
	roots := data.VQARoots{VQA: t.Config.VQARoot, VG: t.Config.VGRoot}
	if roots.VQA == "" {
		roots.VQA = t.Config.ImageRoot
	}
	if roots.VG == "" {
		roots.VG = t.Config.ImageRoot
	}
	return roots
}

// prepare encodes the answers of the list and checks what ends an answer.
func (t *vqa) prepare() error {
	for _, answer := range t.list {
		ids := t.answer(answer)
		if n := len(ids); n > t.positions {
			return &hintError{
				fmt.Errorf("answer_list: %.40q... has %d tokens, and the model reads %d", answer, n, t.positions), "leave it out",
			}
		}
		t.ranked = append(t.ranked, ids)
	}
	if t.Config.Inference != inferenceGenerate {
		return nil
	}
	end := t.answer("")
	if len(end) != 2 {
		return &hintError{fmt.Errorf("config: eos %q is %d tokens", t.Config.EOS, len(end)-1), "generated answers end with one token: eos: '[SEP]'"}
	}
	t.write = albef.DefaultGeneration(t.tok.CLS(), int(end[1]))
	t.write.Beams = t.Config.NumBeams
	return nil
}

// answer encodes an answer from [CLS] to eos.
func (t *vqa) answer(s string) []int64 {
	encoded := t.tok.Encode(s+t.Config.EOS, 0)
	ids := make([]int64, len(encoded))
	for i, id := range encoded {
		ids[i] = int64(id)
	}
	return ids
}

// validate measures the questions of val_file.
func (t *vqa) validate(ctx context.Context) (Results, error) {
	if t.val == nil {
		return Results{}, nil
	}
	said, err := t.answers(ctx, "val", t.val)
	if err != nil {
		return nil, fmt.Errorf("val_file: %w", err)
	}
	return t.results("val", t.val, said), nil
}

// test answers the questions of test_file and writes the answers down.
func (t *vqa) test(ctx context.Context, epoch int) (Results, error) {
	if t.asked == nil {
		return Results{}, nil
	}
	said, err := t.answers(ctx, "test", t.asked)
	if err != nil {
		return nil, fmt.Errorf("test_file: %w", err)
	}
	path := filepath.Join(t.Dir, "result", fmt.Sprintf("vqa_result_epoch%d.json", epoch))
	if err := writeAnswers(path, t.asked, said); err != nil {
		return nil, err
	}
	t.Logger.Info("answers written", "file", path, "questions", len(said))
	return t.results("test", t.asked, said), nil
}

// answers answers the questions of records.
func (t *vqa) answers(ctx context.Context, stage string, records []data.VQA) ([]string, error) {
	question := func(r data.VQA, _ *rand.Rand) string { return text.PreQuestion(r.Question, testQuestionWords) }
	size, said := t.model.Config().ImageRes, make([]string, len(records))
	m := measuring{t.Run, stage, data.NewRecordSource(records, data.NewResized(size), question), size, 1}
	err := m.each(ctx, func(s *torch.Scope, b *data.Batch) error {
		seen, err := t.ask(s, b)
		if err != nil {
			return err
		}
		found, err := t.best(seen)
		for i, record := range b.Index {
			if err == nil {
				said[record] = found[i]
			}
		}
		return err
	})
	return said, err
}

// ask returns what the decoder sees of a batch of questions.
func (t *vqa) ask(s *torch.Scope, b *data.Batch) (albef.KeyValues, error) {
	c, dev := t.model.Config(), t.model.Device()
	texts := bucketed(t.tok, b.Texts, text.BatchOptions{})
	if texts.T > c.MaxPositions {
		return albef.KeyValues{}, fmt.Errorf("batch: questions of %d tokens, the model has %d positions", texts.T, c.MaxPositions)
	}
	mask := s.Ints(texts.Mask, texts.B, texts.T).ToDevice(dev)
	images := s.Floats(b.Images, len(b.Texts), 3, c.ImageRes, c.ImageRes).ToDevice(dev)
	return t.model.Decoder.States(t.model.Question(images, s.Ints(texts.IDs, texts.B, texts.T).ToDevice(dev), mask), mask), nil
}

// best returns the best answer to each question.
func (t *vqa) best(seen albef.KeyValues) ([]string, error) {
	var said []string
	if t.Config.Inference == inferenceGenerate {
		written, err := t.model.Generate(seen, t.write)
		for _, answers := range written {
			said = append(said, AnswerText(t.tok, answers[0].Tokens))
		}
		return said, err
	}
	ranked, err := t.model.Rank(seen, t.ranked, t.Config.KTest)
	for _, answers := range ranked {
		said = append(said, t.list[answers[0].Answer])
	}
	return said, err
}

// writeAnswers writes the answers to questions as EvalAI takes them.
func writeAnswers(path string, records []data.VQA, said []string) error {
	type line struct {
		QuestionID int64  `json:"question_id"`
		Answer     string `json:"answer"`
	}
	lines := make([]line, len(said))
	for i, r := range records {
		lines[i] = line{r.QuestionID, said[i]}
	}
	content, err := json.Marshal(lines)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return train.WriteWhole(path, content)
}

// AnswerText is the text of a generated answer's tokens.
func AnswerText(tok *text.Tokenizer, tokens []int64) string {
	ids := make([]int, len(tokens))
	for i, id := range tokens {
		ids[i] = int(id)
	}
	return tok.Decode(ids)
}

// results are the accuracy of answers, and the best there is with one answer to
// every question; none where the records have no answers. With official_quirks
// few answers are not repeated.
func (t *vqa) results(split string, records []data.VQA, said []string) Results {
	accuracy := func(said string, given []string) float64 {
		if !t.Config.OfficialQuirks {
			given = RepeatAnswers(given)
		}
		return VQAAccuracy(said, given)
	}
	sum, commonest := 0.0, ""
	counts := map[string]int{}
	for i, r := range records {
		if len(r.Answers) == 0 {
			return Results{}
		}
		sum += accuracy(said[i], r.Answers)
		for _, a := range r.Answers {
			if counts[a]++; counts[a] > counts[commonest] {
				commonest = a
			}
		}
	}
	majority := 0.0
	for _, r := range records {
		majority += accuracy(commonest, r.Answers)
	}
	n := float64(len(records)) / 100
	return Results{split + "_acc": sum / n, split + "_majority": majority / n}
}

// feed opens the training data.
func (t *vqa) feed(ctx context.Context) (train.Feed[albef.VQABatch], error) {
	c := t.Config
	if len(c.TrainFile) == 0 {
		return nil, noTrainFile("{image, question, answer, dataset}")
	}
	records, err := reading[data.VQA]{
		key: "train_file", read: func(ctx context.Context) ([]data.VQA, error) {
			return data.ReadVQA(ctx, t.roots(), data.Training, c.TrainFile...)
		},
		texts: func(r data.VQA) []string { return r.Answers }, // questions are cut
	}.training(ctx, t.Run, t.tok, t.positions)
	if err != nil {
		return nil, err
	}
	size := t.model.Config().ImageRes
	question := func(r data.VQA, _ *rand.Rand) string { return text.PreQuestion(r.Question, questionWords) }
	source := data.NewRecordSource(records, augmented(c, data.FinetuneAugment(size)), question)
	loader, err := trainLoader(c, source, t.trainBatch(), size, 1)
	if err != nil {
		return nil, err
	}
	return &vqaFeed{Loader: loader, vqa: t, records: records}, nil
}

// vqaFeed feeds training with questions and all their answers.
type vqaFeed struct {
	*data.Loader
	*vqa
	records []data.VQA
}

// answerRows is what the number of answers in a batch is rounded up to, by some
// that don't count, so that products come in few sizes.
const answerRows = 16

// Next returns the next batch in s.
func (f *vqaFeed) Next(ctx context.Context, s *torch.Scope) (albef.VQABatch, error) {
	b, err := f.Loader.Next(ctx)
	if err != nil {
		return albef.VQABatch{}, err
	}
	var tokens [][]int64
	var counts []float64
	var of []int64
	for q, record := range b.Index {
		answers, shares := f.records[record].Targets()
		for i, answer := range answers {
			tokens, counts, of = append(tokens, f.answer(answer)), append(counts, shares[i]), append(of, int64(q))
		}
	}
	for len(tokens)%answerRows != 0 {
		tokens, counts, of = append(tokens, tokens[0]), append(counts, 0), append(of, 0)
	}
	texts := bucketed(f.tok, b.Texts, text.BatchOptions{MaxLen: questionTokens, Truncate: true})
	dev, size := f.Device, f.model.Config().ImageRes
	return albef.VQABatch{
		Images:  s.Floats(b.Images, len(b.Texts), 3, size, size).ToDevice(dev),
		IDs:     s.Ints(texts.IDs, texts.B, texts.T).ToDevice(dev),
		Mask:    s.Ints(texts.Mask, texts.B, texts.T).ToDevice(dev),
		Answers: albef.NewAnswers(s, tokens, counts, dev),
		Of:      s.Ints(of, len(of)).ToDevice(dev),
	}, nil
}
