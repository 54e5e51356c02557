package data_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlab/albef/data"

	"github.com/google/go-cmp/cmp"
)

func TestReadPretrain(t *testing.T) {
	a := writeFile(t, "a.json", []byte(`[
		{"image": "x/1.jpg", "caption": "one"},
		{"image": "/abs/2.jpg", "caption": ["two \u00e9 \" }]", "zwei\\"], "extra": {"n": [1, {"k": "]"}]}}
	]
`))
	b := writeFile(t, "b.json", []byte(`[{"caption":"three","image":"3.jpg"}]`))
	got, err := data.ReadPretrain(t.Context(), "root", a, b)
	if err != nil {
		t.Fatal(err)
	}
	want := []data.Pretrain{
		{Image: "root/x/1.jpg", Captions: []string{"one"}},
		{Image: "/abs/2.jpg", Captions: []string{"two é \" }]", "zwei\\"}},
		{Image: "root/3.jpg", Captions: []string{"three"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestReadEmptyList(t *testing.T) {
	got, err := data.ReadPretrain(t.Context(), "", writeFile(t, "a.json", []byte("\xef\xbb\xbf [ ] \n")))
	if err != nil || len(got) != 0 {
		t.Errorf("got %d records, %v; want none and no error", len(got), err)
	}
}

func TestReadRetrieval(t *testing.T) {
	train := writeFile(t, "train.json", []byte(`[
		{"image": "1.jpg", "caption": "a", "image_id": "coco_1"},
		{"image": "2.jpg", "caption": "b", "image_id": 7},
		{"image": "1.jpg", "caption": "c", "image_id": "coco_1"}]`))
	got, err := data.ReadRetrievalTrain(t.Context(), "r", train)
	if err != nil {
		t.Fatal(err)
	}
	want := []data.RetrievalTrain{
		{Image: "r/1.jpg", Caption: "a", ImageID: "coco_1", Group: 0},
		{Image: "r/2.jpg", Caption: "b", ImageID: "7", Group: 1},
		{Image: "r/1.jpg", Caption: "c", ImageID: "coco_1", Group: 0},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}

	eval := writeFile(t, "eval.json", []byte(`[{"image":"1.jpg","caption":["a","b"]},{"image":"2.jpg","caption":"c"}]`))
	records, err := data.ReadRetrievalEval(t.Context(), "r", eval)
	if err != nil {
		t.Fatal(err)
	}
	captions, image := data.Captions(records)
	if d := cmp.Diff([]string{"a", "b", "c"}, captions); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]int{0, 0, 1}, image); d != "" {
		t.Error(d)
	}
}

func TestReadVQA(t *testing.T) {
	file := writeFile(t, "vqa.json", []byte(`[
		{"image": "1.jpg", "question": "q1?", "answer": ["yes","no","yes","yes"], "question_id": 3, "dataset": "vqa"},
		{"image": "2.jpg", "question": "q2?", "answer": "red", "dataset": "vg"}]`))
	roots := data.VQARoots{VQA: "coco", VG: "genome"}
	got, err := data.ReadVQA(t.Context(), roots, data.Training, file)
	if err != nil {
		t.Fatal(err)
	}
	want := []data.VQA{
		{Image: "coco/1.jpg", Question: "q1?", Answers: []string{"yes", "no", "yes", "yes"}, QuestionID: 3, Dataset: "vqa"},
		{Image: "genome/2.jpg", Question: "q2?", Answers: []string{"red"}, Dataset: "vg"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	checkTargets(t, got[0], []string{"yes", "no"}, []float64{0.75, 0.25})
	checkTargets(t, got[1], []string{"red"}, []float64{0.5})

	if _, err := data.ReadVQA(t.Context(), roots, data.Testing, file); err == nil || !strings.Contains(err.Error(), `"question_id" is missing`) {
		t.Errorf("testing without question_id: got %v", err)
	}
}

func checkTargets(t *testing.T, r data.VQA, answers []string, weights []float64) {
	t.Helper()
	gotAnswers, gotWeights := r.Targets()
	if d := cmp.Diff(answers, gotAnswers); d != "" {
		t.Error(d)
	}
	for i := range weights {
		if len(gotWeights) != len(weights) || math.Abs(gotWeights[i]-weights[i]) > 1e-12 {
			t.Fatalf("weights: got %v, want %v", gotWeights, weights)
		}
	}
}

func TestReadEntailment(t *testing.T) {
	file := writeFile(t, "ve.json", []byte(`[
		{"image": "4705552913", "sentence": "s", "label": "entailment"},
		{"image": 12, "sentence": "t", "label": "neutral"},
		{"image": "x.png", "sentence": "u", "label": "contradiction"}]`))
	got, err := data.ReadEntailment(t.Context(), "f30k", file)
	if err != nil {
		t.Fatal(err)
	}
	want := []data.Entailment{
		{Image: "f30k/4705552913.jpg", Sentence: "s", Label: 2},
		{Image: "f30k/12.jpg", Sentence: "t", Label: 1},
		{Image: "f30k/x.png", Sentence: "u", Label: 0},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestReadNLVRAndGrounding(t *testing.T) {
	nlvr := writeFile(t, "nlvr.json", []byte(`[
		{"images": ["a.png","b.png"], "sentence": "s", "label": "True"},
		{"images": ["c.png","d.png"], "sentence": "t", "label": false}]`))
	pairs, err := data.ReadNLVR(t.Context(), "r", nlvr)
	if err != nil {
		t.Fatal(err)
	}
	want := []data.NLVR{
		{Images: [2]string{"r/a.png", "r/b.png"}, Sentence: "s", Label: 1},
		{Images: [2]string{"r/c.png", "r/d.png"}, Sentence: "t"},
	}
	if d := cmp.Diff(want, pairs); d != "" {
		t.Error(d)
	}

	ref := writeFile(t, "ref.json", []byte(`[
		{"image": "p/a.jpg", "text": "left", "ref_id": 5}, {"image": "q/b.jpg", "text": "right", "ref_id": 6},
		{"image": "q/a.jpg", "text": "top", "ref_id": 7}]`))
	phrases, err := data.ReadGrounding(t.Context(), "r", data.Testing, ref)
	if err != nil {
		t.Fatal(err)
	}
	wantPhrases := []data.Grounding{
		{Image: "r/p/a.jpg", Text: "left", RefID: 5},
		{Image: "r/q/b.jpg", Text: "right", RefID: 6, Group: 1},
		{Image: "r/q/a.jpg", Text: "top", RefID: 7},
	}
	if d := cmp.Diff(wantPhrases, phrases); d != "" {
		t.Error(d)
	}
}

func TestReadErrorsNameThePlace(t *testing.T) {
	vqa := func(file string) error {
		_, err := data.ReadVQA(context.Background(), data.VQARoots{}, data.Training, file)
		return err
	}
	pretrain := func(file string) error {
		_, err := data.ReadPretrain(context.Background(), "", file)
		return err
	}
	retrieval := func(file string) error {
		_, err := data.ReadRetrievalTrain(context.Background(), "", file)
		return err
	}
	nlvr := func(file string) error {
		_, err := data.ReadNLVR(context.Background(), "", file)
		return err
	}
	ve := func(file string) error {
		_, err := data.ReadEntailment(context.Background(), "", file)
		return err
	}
	tests := []struct {
		name, content, want string
		read                func(string) error
	}{
		{"missing key", "[\n{\"image\":\"a\",\"caption\":\"b\"},\n{\"image\":\"c\"}]", `:3: record 1: key "caption" is missing`, pretrain},
		{"null", `[{"image":null,"caption":"b"}]`, `:1: record 0: key "image" is missing`, pretrain},
		{"number for string", "[{\"caption\":\"b\",\n\"image\":5}]", `:2: record 0: key "image" is a number, want a string`, pretrain},
		{"number for captions", `[{"image":"a","caption":5}]`, `record 0: key "caption" is a number, want a string or a list of strings`, pretrain},
		{"list of numbers", `[{"image":"a","caption":["x",5]}]`, `key "caption" is a list that holds a number`, pretrain},
		{"empty captions", `[{"image":"a","caption":[]}]`, `key "caption" is an empty list`, pretrain},
		{"object id", `[{"image":"a","caption":"c","image_id":{}}]`, `key "image_id" is an object, want a string`, retrieval},
		{"text id", `[{"image":"a","question":"c","answer":"x","dataset":"vqa","question_id":"q"}]`, `key "question_id" is a string, want a whole number`, vqa},
		{"dataset", `[{"image":"a","question":"c","answer":"x","dataset":"gqa"}]`, `key "dataset" is "gqa"`, vqa},
		{"two vg answers", `[{"image":"a","question":"c","answer":["x","y"],"dataset":"vg"}]`, `key "answer" has 2 entries`, vqa},
		{"one image", `[{"images":["a"],"sentence":"c","label":"True"}]`, `key "images" has 1 entries, want 2`, nlvr},
		{"label", `[{"images":["a","b"],"sentence":"c","label":"true"}]`, `key "label" is true, want "True"`, nlvr},
		{"ve label", `[{"image":"a","sentence":"c","label":"-"}]`, `key "label" is "-"`, ve},
		{"object", `{"image":"a"}`, `:1: record 0: key "caption" is missing`, pretrain},
		{"numbers", `[1]`, `record 0 begins with '1', want an object`, pretrain},
		{"no comma", "[{\"image\":\"a\",\"caption\":\"b\"}\n{}]", `:2: found '{' after record 0, want a comma`, pretrain},
		{"cut", `[{"image":"a","caption":"b"},{"image":"c`, `ends in the middle`, pretrain},
		{"empty", ``, `ends in the middle`, pretrain},
		{"trailing", "[]\nx", `:2: found 'x' after the end`, pretrain},
		{"syntax", "[{\"image\":\n\"a\" \"caption\":\"b\"}]", `:2: record 0: invalid character`, pretrain},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := writeFile(t, "bad.json", []byte(tt.content))
			err := tt.read(file)
			if err == nil {
				t.Fatalf("got no error, want %q", tt.want)
			}
			if !strings.Contains(err.Error(), "bad.json") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %q\nwant it to name bad.json and say %q", err, tt.want)
			}
			checkHint(t, err, "")
		})
	}
}

func TestReadMissingFileAndCancelled(t *testing.T) {
	if _, err := data.ReadPretrain(t.Context(), "", "none.json"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want a not-exist error", err)
	}
	if _, err := data.ReadPretrain(t.Context(), ""); err == nil {
		t.Error("no files: got no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var b strings.Builder
	b.WriteString("[")
	for i := range 10000 {
		fmt.Fprintf(&b, `{"image":"%d","caption":"c"},`, i)
	}
	b.WriteString(`{"image":"x","caption":"c"}]`)
	if _, err := data.ReadPretrain(ctx, "", writeFile(t, "a.json", []byte(b.String()))); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestValidateAndFolder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.jpg", "sub/b.PNG", "sub/notes.txt", ".hidden/c.jpg", "sub/.d.jpg"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := data.Folder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{filepath.Join(dir, "a.jpg"), filepath.Join(dir, "sub/b.PNG")}, got); d != "" {
		t.Error(d)
	}
	if _, err := data.Folder(t.TempDir()); err == nil {
		t.Error("an empty folder: got no error")
	}
	if _, err := data.Folder(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: got %v", err)
	}

	var records []data.Pretrain
	for _, name := range []string{"a.jpg", "gone1.jpg", "a.jpg", "gone1.jpg", "gone2.jpg"} {
		records = append(records, data.Pretrain{Image: filepath.Join(dir, name), Captions: []string{"c"}})
	}
	report, err := data.Validate(t.Context(), records)
	if err != nil {
		t.Fatal(err)
	}
	want := data.Report{
		Records: 5, Images: 3, Missing: 2, MissingRecords: 3,
		FirstMissing: []string{filepath.Join(dir, "gone1.jpg"), filepath.Join(dir, "gone2.jpg")},
	}
	if d := cmp.Diff(want, report); d != "" {
		t.Error(d)
	}
	if s := report.String(); !strings.Contains(s, "5 records, 3 images, 2 missing in 3 records") || !strings.Contains(s, "gone2.jpg") {
		t.Errorf("report reads %q", s)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`[{"image":"a","caption":["b","c"]},{"image":"d","caption":"e"}]`))
	f.Add([]byte("[{\"image\":\"\\\\\\\"\",\n\"caption\":{}}]"))
	f.Add([]byte(`[[{}]]`))
	f.Fuzz(func(t *testing.T, content []byte) {
		file := filepath.Join(t.TempDir(), "f.json")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		records, err := data.ReadPretrain(t.Context(), "", file)
		for _, r := range records {
			if len(r.Captions) == 0 {
				t.Errorf("a record without captions: %v", r)
			}
		}
		if err != nil && !strings.Contains(err.Error(), "f.json") {
			t.Errorf("%v does not name the file", err)
		}
	})
}
