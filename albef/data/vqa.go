package data

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Split says which keys records must have.
type Split int

// Training records have answers; Testing records have ids to report under.
const (
	Training Split = iota
	Testing
)

// VQA is a record {image, question, answer, question_id, dataset}.
type VQA struct {
	Image      string // path
	Question   string
	Answers    []string // as in the file, repeated as often as given; nil in test files
	QuestionID int64    // 0 in training files that have none
	Dataset    string   // "vqa" or "vg"
}

// ImagePaths implements [Record].
func (r VQA) ImagePaths() []string { return []string{r.Image} }

// Targets returns the different answers in order of first appearance and the
// weight of each in the loss: its share of the answers given. The one answer of
// a Visual Genome record weighs one half.
func (r VQA) Targets() (answers []string, weights []float64) {
	if r.Dataset == "vg" {
		return r.Answers, []float64{0.5}
	}
	place := map[string]int{}
	for _, a := range r.Answers {
		i := groupOf(place, a)
		if i == len(answers) {
			answers, weights = append(answers, a), append(weights, 0)
		}
		weights[i] += 1 / float64(len(r.Answers))
	}
	return answers, weights
}

// VQARoots are the folders of the two image collections of VQA records.
type VQARoots struct {
	VQA string // of records whose dataset is "vqa": vqa_root
	VG  string // of records whose dataset is "vg": vg_root
}

// ReadVQA reads VQA records with images under the root of their dataset.
// Training demands answer, Testing question_id.
func ReadVQA(ctx context.Context, roots VQARoots, split Split, files ...string) ([]VQA, error) {
	type wire struct {
		Image      *string `json:"image"`
		Question   *string `json:"question"`
		Dataset    *string `json:"dataset"`
		Answer     *texts  `json:"answer"`
		QuestionID *int64  `json:"question_id"`
	}
	folders := map[string]string{"vqa": roots.VQA, "vg": roots.VG}
	return readRecords(ctx, files, func(w *wire) (VQA, error) {
		err := missing(presence{"image", w.Image != nil}, presence{"question", w.Question != nil},
			presence{"dataset", w.Dataset != nil}, presence{"answer", w.Answer != nil || split == Testing},
			presence{"question_id", w.QuestionID != nil || split == Training})
		if err != nil {
			return VQA{}, err
		}
		folder, ok := folders[*w.Dataset]
		if !ok {
			return VQA{}, &keyError{"dataset", fmt.Sprintf("is %q, want \"vqa\" or \"vg\"", *w.Dataset)}
		}
		image, err := imagePath(folder, "image", *w.Image)
		if err == nil {
			err = blank("question", *w.Question)
		}
		if err != nil {
			return VQA{}, err
		}
		r := VQA{Image: image, Question: *w.Question, Dataset: *w.Dataset}
		if w.Answer != nil {
			r.Answers = w.Answer.list
		}
		if split == Training {
			if err := checkAnswers(r); err != nil {
				return VQA{}, err
			}
		}
		if w.QuestionID != nil {
			r.QuestionID = *w.QuestionID
		}
		return r, nil
	})
}

func checkAnswers(r VQA) error {
	if len(r.Answers) == 0 {
		return &keyError{"answer", "is an empty list"}
	}
	if r.Dataset == "vg" && len(r.Answers) != 1 {
		return &keyError{"answer", fmt.Sprintf("has %d entries, want 1 for dataset \"vg\"", len(r.Answers))}
	}
	return nil
}

// ReadAnswers reads the answers to choose among: a json list of different texts.
func ReadAnswers(path string) ([]string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, hinted("answer_list names a json list of answers", "read answers: %w", err)
	}
	var answers []string
	if err := json.Unmarshal(raw, &answers); err != nil {
		return nil, hinted(`the file must hold one json list of texts: ["yes", "no"]`, "read answers %s: %w", path, err)
	}
	for i, a := range answers {
		if strings.ContainsAny(a, "\n\r") {
			return nil, fmt.Errorf("read answers %s: answer %d, %q, has more than one line", path, i, a)
		}
	}
	if len(answers) == 0 {
		return nil, fmt.Errorf("read answers %s: %w", path, errors.New("the list is empty"))
	}
	return answers, nil
}
