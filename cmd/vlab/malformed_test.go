package main

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// malformed are records {image, caption} that are wrong or odd, as json, and
// what is said of each: an error, or "" where training takes it. replaced is of
// those whose image alone is wrong, for which others are taken.
var malformed = []struct {
	name, record string
	says         string
	replaced     bool
}{
	{"caption is a number", `{"image": "ok.jpg", "caption": 5}`, `key "caption" is a number`, false},
	{"caption is an object", `{"image": "ok.jpg", "caption": {"a": "b"}}`, `key "caption" is an object`, false},
	{"caption is true", `{"image": "ok.jpg", "caption": true}`, `key "caption" is a bool`, false},
	{"caption is null", `{"image": "ok.jpg", "caption": null}`, `key "caption" is missing`, false},
	{"caption is missing", `{"image": "ok.jpg"}`, `key "caption" is missing`, false},
	{"caption is empty", `{"image": "ok.jpg", "caption": ""}`, `key "caption" is "", a text without words`, false},
	{"caption is blank", `{"image": "ok.jpg", "caption": " \t\n"}`, `a text without words`, false},
	{"no captions", `{"image": "ok.jpg", "caption": []}`, `key "caption" is an empty list`, false},
	{"a caption among captions is a number", `{"image": "ok.jpg", "caption": ["a", 5]}`, `key "caption" is a list that holds a number`, false},
	{"an empty caption among captions", `{"image": "ok.jpg", "caption": ["a", ""]}`, `a text without words`, false},
	{"captions in captions", `{"image": "ok.jpg", "caption": [["a"]]}`, `key "caption"`, false},
	{"caption is broken UTF-8", "{\"image\": \"ok.jpg\", \"caption\": \"caf\xe9\"}", `key "caption" holds bytes that are no UTF-8`, false},
	{"caption in single quotes", `{"image": "ok.jpg", "caption": 'a'}`, `not valid json`, false},
	{"caption is NaN", `{"image": "ok.jpg", "caption": NaN}`, `not valid json`, false},
	{"caption has a raw newline", "{\"image\": \"ok.jpg\", \"caption\": \"a\nb\"}", `not valid json`, false},
	{"caption comes twice", `{"image": "ok.jpg", "caption": "a", "caption": "b"}`, `key "caption" comes twice`, false},
	{"image is a number", `{"image": 5, "caption": "a circle"}`, `key "image" is a number`, false},
	{"image is a list", `{"image": ["ok.jpg"], "caption": "a circle"}`, `key "image" is a list`, false},
	{"image is null", `{"image": null, "caption": "a circle"}`, `key "image" is missing`, false},
	{"image is missing", `{"caption": "a circle"}`, `key "image" is missing`, false},
	{"image is empty", `{"image": "", "caption": "a circle"}`, `key "image" is empty`, false},
	{"image has a zero byte", `{"image": "a\u0000.jpg", "caption": "a circle"}`, `zero byte`, false},
	{"image is broken UTF-8", "{\"image\": \"\xff.jpg\", \"caption\": \"a circle\"}", `key "image" holds bytes that are no UTF-8`, false},
	{"a trailing comma", `{"image": "ok.jpg", "caption": "a circle",}`, `not valid json`, false},
	{"the image's file is missing", `{"image": "none.jpg", "caption": "a circle"}`, `1 of 2 images are missing, the first is .*none.jpg`, true},
	{"the image's file is empty", `{"image": "empty.jpg", "caption": "a circle"}`, `1 of 2 images are missing, the first is .*empty.jpg`, true},
	{"the image is a folder", `{"image": "folder.jpg", "caption": "a circle"}`, `1 of 2 images are missing, the first is .*folder.jpg`, true},
	{"truncated JPEG", `{"image": "cut.jpg", "caption": "a circle"}`, `images replaced" count=\d+ first=".*cut.jpg`, true},
	{"truncated PNG", `{"image": "cut.png", "caption": "a circle"}`, `images replaced" count=\d+ first=".*cut.png`, true},
	{"HTML named .jpg", `{"image": "page.jpg", "caption": "a circle"}`, `images replaced" count=\d+ first=".*page.jpg: not an image`, true},
	{"a pointer in place of a file", `{"image": "pointer.jpg", "caption": "a circle"}`, `images replaced" count=\d+ first=".*pointer.jpg`, true},
	{"5,000 words", `{"image": "ok.jpg", "caption": "` + strings.Repeat("circle ", 5000) + `"}`, "", false},
	{"5,000 letters", `{"image": "ok.jpg", "caption": "` + strings.Repeat("circle", 900) + `"}`, "", false},
	{"other scripts", `{"image": "ok.jpg", "caption": "狗 🐕 щенок \ud800"}`, "", false},
	{"punctuation alone", `{"image": "ok.jpg", "caption": "..."}`, "", false},
	{"CMYK", `{"image": "cmyk.jpg", "caption": "a circle"}`, "", false},
	{"16 bits", `{"image": "deep.png", "caption": "a circle"}`, "", false},
	{"rotated by EXIF", `{"image": "rotated.jpg", "caption": "a circle"}`, "", false},
	{"1x1", `{"image": "dot.jpg", "caption": "a circle"}`, "", false},
	{"20,000x10", `{"image": "wide.jpg", "caption": "a circle"}`, "", false},
	{"10x20,000", `{"image": "high.png", "caption": "a circle"}`, "", false},
	{"palette with alpha", `{"image": "palette.png", "caption": "a circle"}`, "", false},
}

// TestMalformedRecordsEndNoRunWithSkipBad trains on each record beside a right
// one, and then on all of them.
func TestMalformedRecordsEndNoRunWithSkipBad(t *testing.T) {
	dir := t.TempDir()
	writePictures(t, dir)
	var all []string
	unread := 0
	for _, m := range malformed {
		t.Run(m.name, func(t *testing.T) {
			errs, status := pretrain(t, dir, m.record)
			wantStatus := 0
			if m.says != "" && !strings.HasPrefix(m.says, "images replaced") {
				wantStatus = exitFailed
			}
			if status != wantStatus || !regexp.MustCompile(m.says).MatchString(errs) {
				t.Errorf("status %d, want %d, and %q in\n%.2000s", status, wantStatus, m.says, errs)
			}
			if m.says == "" && strings.Contains(errs, "level=WARN") {
				t.Errorf("it is fine, and yet\n%.2000s", errs)
			}
			if status != 0 && !strings.Contains(errs, "\nhint: ") {
				t.Errorf("no hint in\n%.2000s", errs)
			}
		})
		all = append(all, m.record)
		if m.says != "" && !m.replaced {
			unread++
		}
	}
	errs, status := pretrain(t, dir, malformed[4].record+",\n"+malformed[21].record+",\n"+malformed[4].record)
	if status != exitFailed || !regexp.MustCompile(`:2: record 1: key "caption" is missing\n2 more records are wrong:\n.*:3: record 2: .*zero byte`+"(.*\n)+hint: .*--skip_bad").MatchString(errs) {
		t.Errorf("three wrong records: status %d, want %d and all of them in\n%.2000s", status, exitFailed, errs)
	}
	errs, status = pretrain(t, dir, strings.Join(all, ",\n"), "--skip_bad", "--set", "schedular.epochs=4")
	if status != 0 {
		t.Fatalf("all with --skip_bad: status %d\n%.2000s", status, errs)
	}
	for _, want := range []string{fmt.Sprintf(`records left out" count=%d first=`, unread), `images replaced" count=[1-9]`, `3 missing in 3 records`} {
		if !regexp.MustCompile(want).MatchString(errs) {
			t.Errorf("all with --skip_bad: no %q in\n%.3000s", want, errs)
		}
	}
}

// TestMalformedRecordsAreNotMeasuredWithSkipBad: they are left out, and counted.
func TestMalformedRecordsAreNotMeasuredWithSkipBad(t *testing.T) {
	dir := t.TempDir()
	writePictures(t, dir)
	long := strings.Repeat("狗", 100)
	for _, tt := range []struct{ task, key, good, bad string }{
		{"ve", "test_file", `{"image": "ok", "sentence": "a circle", "label": "neutral"}`, `{"image": "ok", "sentence": 5, "label": "neutral"},
			{"image": "cut", "sentence": "a circle", "label": "neutral"}, {"image": "ok", "sentence": "` + long + `", "label": "neutral"}`},
		{"nlvr", "test_file", `{"images": ["ok.jpg", "ok.jpg"], "sentence": "a circle", "label": "True"}`, `{"images": ["ok.jpg"], "sentence": "a", "label": "True"},
			{"images": ["ok.jpg", "cut.jpg"], "sentence": "a circle", "label": "True"}, {"images": ["ok.jpg", "none.jpg"], "sentence": "a circle", "label": "True"}`},
		{"retrieval", "test_file", `{"image": "ok.jpg", "caption": ["a circle"]}`, `{"image": "ok.jpg"}, {"image": "cut.jpg", "caption": ["a circle"]},
			{"image": "page.jpg", "caption": ["a circle"]}`},
		{"vqa", "test_file", `{"image": "ok.jpg", "question": "what?", "question_id": 1, "dataset": "vqa"}`, `{"image": "ok.jpg", "question": "what?", "dataset": "vqa"},
			{"image": "none.jpg", "question": "what?", "question_id": 3, "dataset": "vqa"}, {"image": "ok.jpg", "question": "` + long + `", "question_id": 2, "dataset": "vqa"}`},
	} {
		file := filepath.Join(dir, tt.task+".json")
		if err := os.WriteFile(file, []byte("["+tt.good+",\n"+tt.bad+"]"), 0o600); err != nil {
			t.Fatal(err)
		}
		config := fmt.Sprintf("%s: [%s]\nimage_root: %s\nk_test: 1\nanswer_list: %s\noptimizer: {lr: 1e-3}\n",
			tt.key, file, dir, filepath.Join(dir, "answers.json"))
		errs, status := runOn(t, dir, tt.task, config, "--checkpoint", "demo", "--evaluate")
		if status != exitFailed || !strings.Contains(errs, "record 1: ") || !strings.Contains(errs, "\nhint: ") {
			t.Errorf("%s: status %d, want %d and the record in\n%.2000s", tt.task, status, exitFailed, errs)
		}
		errs, status = runOn(t, dir, tt.task, config, "--checkpoint", "demo", "--evaluate", "--skip_bad")
		if status != 0 || !regexp.MustCompile(`records left out" count=3 first=.* file=test_file`).MatchString(errs) {
			t.Errorf("%s with --skip_bad: status %d, want 0 and the count in\n%.2000s", tt.task, status, errs)
		}
	}
}

// pretrain trains two steps on a right record and others, and returns what was
// said.
func pretrain(t *testing.T, dir, records string, args ...string) (errs string, status int) {
	t.Helper()
	file := filepath.Join(dir, "train.json")
	const good = `{"image": "ok.jpg", "caption": "a red circle"}`
	if err := os.WriteFile(file, []byte("["+good+",\n"+records+"]"), 0o600); err != nil {
		t.Fatal(err)
	}
	return runOn(t, dir, "pretrain", fmt.Sprintf(`
model: {image_res: 32, patch_size: 8, vision_width: 16, vision_depth: 1, vision_heads: 2, vision_mlp: 32, stem: conv, hidden_size: 16,
  intermediate_size: 32, num_hidden_layers: 2, fusion_layer: 1, num_attention_heads: 2, max_position_embeddings: 64, norms: pre,
  cross_keys: patches, embed_dim: 8, queue_size: 2}
train_file: [%s]
image_root: %s
batch_size: 2
optimizer: {lr: 1e-3}
`, file, dir), args...)
}

// runOn runs a command with a configuration.
func runOn(t *testing.T, dir, command, config string, args ...string) (errs string, status int) {
	t.Helper()
	path := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, said bytes.Buffer
	status = Main(append([]string{command, "--config", path, "--output_dir", t.TempDir(), "--device", "cpu"}, args...), env{&out, &said})
	return said.String(), status
}

// writePictures writes the pictures that malformed names.
func writePictures(t *testing.T, dir string) {
	t.Helper()
	var plain, wide, high, deep bytes.Buffer
	grey := image.NewGray(image.Rect(0, 0, 40, 30))
	for i := range grey.Pix {
		grey.Pix[i] = byte(i)
	}
	for _, err := range []error{
		jpeg.Encode(&plain, grey, nil), jpeg.Encode(&wide, image.NewGray(image.Rect(0, 0, 20000, 10)), nil),
		png.Encode(&high, image.NewGray(image.Rect(0, 0, 10, 20000))), png.Encode(&deep, image.NewNRGBA64(image.Rect(0, 0, 9, 9))),
		os.Mkdir(filepath.Join(dir, "folder.jpg"), 0o750),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	testdata := func(name string) []byte {
		raw, err := os.ReadFile(filepath.Join("..", "..", "albef", "data", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	for name, content := range map[string][]byte{
		"ok.jpg": plain.Bytes(), "empty.jpg": {}, "cut.jpg": plain.Bytes()[:plain.Len()/2], "cut.png": deep.Bytes()[:deep.Len()/2],
		"page.jpg": []byte("<html>403</html>"), "pointer.jpg": []byte("version https://git-lfs.github.com/spec/v1"),
		"wide.jpg": wide.Bytes(), "high.png": high.Bytes(), "deep.png": deep.Bytes(), "answers.json": []byte(`["yes"]`),
		"cmyk.jpg": testdata("decode/cmyk.jpg"), "rotated.jpg": testdata("upright/6.jpg"), "dot.jpg": testdata("decode/1x1.jpg"),
		"palette.png": testdata("decode/palette.png"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
