package scenes_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"vlab/albef/scenes"
)

const written = 40 // pictures: 28 for train, 4 for each other split

// writeCorpus writes a small corpus and returns its folder.
func writeCorpus(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	last := 0
	err := scenes.Write(t.Context(), dir, written, 1, size, func(done, total int) {
		if done != last+1 || total != written {
			t.Errorf("progress: got %d of %d after %d", done, total, last)
		}
		last = done
	})
	if err != nil {
		t.Fatal(err)
	}
	if last != written {
		t.Errorf("progress ended at %d, want %d", last, written)
	}
	return dir
}

// load decodes a json file into a T and fails on keys that T lacks.
func load[T any](t *testing.T, path ...string) T {
	t.Helper()
	file, err := os.Open(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var v T
	decoder := json.NewDecoder(file)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%s: %v", file.Name(), err)
	}
	return v
}

// wantImage fails unless the file is a picture of the given side.
func wantImage(t *testing.T, size int, path ...string) {
	t.Helper()
	file, err := os.Open(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	config, _, err := image.DecodeConfig(file)
	if err != nil || config.Width != size || config.Height != size {
		t.Fatalf("%s: got %d by %d, error %v, want a picture of %d", file.Name(), config.Width, config.Height, err, size)
	}
}

func TestWriteCaptions(t *testing.T) {
	dir := writeCorpus(t, 64)
	type record struct {
		Image   string `json:"image"`
		Caption string `json:"caption"`
		ImageID string `json:"image_id"`
	}
	perImage := map[string]int{}
	for _, r := range load[[]record](t, dir, "pretrain.json") {
		wantImage(t, 64, dir, r.Image)
		perImage[r.Image]++
		if r.Caption == "" || r.ImageID != "" {
			t.Errorf("pretrain.json: got %+v, want image and caption", r)
		}
	}
	ids := map[string]string{}
	for _, r := range load[[]record](t, dir, "retrieval_train.json") {
		if was, ok := ids[r.ImageID]; r.ImageID == "" || ok && was != r.Image {
			t.Errorf("retrieval_train.json: image_id %q is of %q and %q", r.ImageID, was, r.Image)
		}
		ids[r.ImageID] = r.Image
	}
	if len(perImage) != 28 || len(ids) != 28 {
		t.Errorf("got %d pretraining and %d retrieval images, want 28", len(perImage), len(ids))
	}
	for _, split := range []string{"val", "test", "heldout"} {
		records := load[[]struct {
			Image   string   `json:"image"`
			Caption []string `json:"caption"`
		}](t, dir, "retrieval_"+split+".json")
		if len(records) != 4 {
			t.Errorf("retrieval_%s.json: got %d records, want 4", split, len(records))
		}
		for _, r := range records {
			wantImage(t, 64, dir, r.Image)
			if len(r.Caption) != 2 || !strings.HasPrefix(r.Image, "images/"+split+"/") {
				t.Errorf("retrieval_%s.json: got %+v", split, r)
			}
		}
	}
}

func TestWriteQuestionsAndPairs(t *testing.T) {
	dir := writeCorpus(t, 64)
	answers := load[[]string](t, dir, "answer_list.json")
	ids := map[int]bool{}
	for _, split := range []string{"train", "val", "test", "heldout"} {
		for _, r := range load[[]struct {
			QuestionID int      `json:"question_id"`
			Image      string   `json:"image"`
			Question   string   `json:"question"`
			Answer     []string `json:"answer"`
			Dataset    string   `json:"dataset"`
		}](t, dir, "vqa_"+split+".json") {
			wantImage(t, 64, dir, r.Image)
			if ids[r.QuestionID] || len(r.Answer) != 1 || !slices.Contains(answers, r.Answer[0]) || r.Dataset != "vqa" || r.Question == "" {
				t.Errorf("vqa_%s.json: got %+v", split, r)
			}
			ids[r.QuestionID] = true
		}
	}
	for _, split := range []string{"train", "dev", "test", "heldout"} {
		labels := map[string]int{}
		for _, r := range load[[]struct {
			Image    string `json:"image"`
			Sentence string `json:"sentence"`
			Label    string `json:"label"`
		}](t, dir, "ve_"+split+".json") {
			wantImage(t, 64, dir, r.Image+".jpg") // as the official reader opens it
			labels[r.Label]++
		}
		if len(labels) != 3 || labels["neutral"] != labels["entailment"] || labels["neutral"] != labels["contradiction"] {
			t.Errorf("ve_%s.json: got labels %v, want as many of each", split, labels)
		}
		for _, r := range load[[]struct {
			Images   []string `json:"images"`
			Sentence string   `json:"sentence"`
			Label    string   `json:"label"`
		}](t, dir, "nlvr_"+split+".json") {
			labels[r.Label]++
			if len(r.Images) != 2 || r.Images[0] == r.Images[1] || r.Label != "True" && r.Label != "False" || r.Sentence == "" {
				t.Fatalf("nlvr_%s.json: got %+v", split, r)
			}
			wantImage(t, 64, dir, r.Images[0])
			wantImage(t, 64, dir, r.Images[1])
		}
		if labels["True"] == 0 || labels["True"] != labels["False"] {
			t.Errorf("nlvr_%s.json: got labels %v, want as many of each", split, labels)
		}
	}
}

// The official evaluation goes from ref_id to a reference, from there to an annotation's bbox and to the
// detections of the image, and divides by the numbers of val, testA and testB.
func TestWriteGrounding(t *testing.T) {
	const size = 256
	dir := writeCorpus(t, size)
	dets := load[map[string][][4]float64](t, dir, "refcoco+", "dets.json")
	type annotation struct {
		ID       int        `json:"id"`
		ImageID  int        `json:"image_id"`
		Category int        `json:"category_id"`
		Box      [4]float64 `json:"bbox"`
		Area     float64    `json:"area"`
		Crowd    int        `json:"iscrowd"`
	}
	type coco struct {
		Images []struct {
			ID     int    `json:"id"`
			File   string `json:"file_name"`
			Width  int    `json:"width"`
			Height int    `json:"height"`
		} `json:"images"`
		Annotations []annotation `json:"annotations"`
		Categories  []any        `json:"categories"`
	}
	instances := load[coco](t, dir, "refcoco+", "instances.json")
	load[coco](t, dir, "refcoco+", "cocos.json")
	annotations := map[int]annotation{}
	for _, a := range instances.Annotations {
		annotations[a.ID] = a
	}
	if len(instances.Images) != written || len(dets) != written || len(annotations) != len(instances.Annotations) {
		t.Errorf("got %d images and detections of %d, want %d", len(instances.Images), len(dets), written)
	}
	type reference struct {
		RefID     int    `json:"ref_id"`
		AnnID     int    `json:"ann_id"`
		Category  int    `json:"category_id"`
		ImageID   int    `json:"image_id"`
		File      string `json:"file_name"`
		Split     string `json:"split"`
		SentIDs   []int  `json:"sent_ids"`
		Sentences []struct {
			ID     int      `json:"sent_id"`
			Raw    string   `json:"raw"`
			Sent   string   `json:"sent"`
			Tokens []string `json:"tokens"`
		} `json:"sentences"`
	}
	refs := map[int]reference{}
	for _, r := range load[[]reference](t, dir, "refcoco+", "refs.json") {
		refs[r.RefID] = r
		box := annotations[r.AnnID].Box
		if !slices.Contains(dets[strconv.Itoa(r.ImageID)], box) || box[0]+box[2] > size || box[2] < size/8 {
			t.Errorf("reference %+v: box %v is not among %v", r, box, dets[strconv.Itoa(r.ImageID)])
		}
		if len(r.Sentences) == 0 || len(r.Sentences) > 3 || len(r.SentIDs) != len(r.Sentences) {
			t.Errorf("reference %+v: want one to three sentences", r)
		}
	}
	splits := map[string]int{}
	for _, name := range []string{"train", "val", "test"} {
		for _, r := range load[[]struct {
			Image string `json:"image"`
			Text  string `json:"text"`
			RefID int    `json:"ref_id"`
		}](t, dir, "refcoco+_"+name+".json") {
			ref := refs[r.RefID]
			splits[name+" "+ref.Split]++
			if ref.File != r.Image || instances.Images[ref.ImageID-1].File != r.Image {
				t.Errorf("%+v refers to %+v, of another image", r, ref)
			}
		}
	}
	if got, want := slices.Sorted(maps.Keys(splits)), []string{"test testA", "test testB", "train train", "val val"}; !slices.Equal(got, want) {
		t.Errorf("got texts in %v, want in each of %v", splits, want)
	}
}

func TestWriteIsPinned(t *testing.T) {
	dir := writeCorpus(t, 64)
	names, err := fs.Glob(os.DirFS(dir), "*.json")
	if err != nil {
		t.Fatal(err)
	}
	more, err := fs.Glob(os.DirFS(dir), "*/*.json")
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.New()
	for _, name := range append(names, more...) {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		hash.Write([]byte(name))
		hash.Write(content)
	}
	if len(names) != 22 || len(more) != 4 {
		t.Errorf("got %d and %d json files, want 22 and 4: %v %v", len(names), len(more), names, more)
	}
	const want = "d4250c19beee7080ff880a83"
	if got := hex.EncodeToString(hash.Sum(nil)[:12]); got != want {
		t.Errorf("digest of the json files: got %s, want %s", got, want)
	}
}

// A cancelled corpus has no json files, old ones included, and no temporary files.
func TestWriteStopsWhenCancelled(t *testing.T) {
	dir := writeCorpus(t, 64)
	ctx, cancel := context.WithCancel(t.Context())
	err := scenes.Write(ctx, dir, 200, 2, 64, func(done, _ int) {
		if done == 20 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want context.Canceled", err)
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if ext := filepath.Ext(path); ext == ".json" || ext == ".tmp" {
			t.Errorf("%s is left", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWriteNamesWhatIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "taken")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, dir string
		n, size   int
		want      string
	}{
		{"too few", t.TempDir(), 3, 64, "n is 3"},
		{"too small", t.TempDir(), 10, 8, "size is 8 pixels"},
		{"a file in the way", file, 10, 64, file},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := scenes.Write(t.Context(), tt.dir, tt.n, 1, tt.size, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one that says %q", err, tt.want)
			}
		})
	}
}

func TestSmallestCorpus(t *testing.T) {
	dir := t.TempDir()
	if err := scenes.Write(t.Context(), dir, 4, 1, 64, nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"refcoco+_train.json", "refcoco+_val.json", "nlvr_dev.json"} {
		load[[]any](t, dir, name)
	}
}
