package data_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlab/albef/data"

	"github.com/google/go-cmp/cmp"
)

// refFolder is a folder of RefCOCO+ with two references.
func refFolder(t *testing.T, change map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"refs(unc).p": "(lp0\n(dVref_id\nI5\nsVann_id\nI7\nsVimage_id\nI9\nsVsplit\nVtestA\nsVsentences\n(lsa(dS'ref_id'\nI6\nsS'ann_id'\n" +
			"L8L\nsS'image_id'\nI9\nsS'split'\nS'val'\nsa.",
		"instances.json": `{"info": {"x": [1, {}]},
"images": [{"id": 9, "width": 640, "height": 480, "file_name": "a.jpg"}],
"annotations": [
{"id": 7, "bbox": [1.5, 2, 3, 4], "segmentation": [[1, 2]]},
{"id": 8, "bbox": [0, 0, 10, 20]}],
"licenses": []}`,
	}
	for name, content := range change {
		files[name] = content
	}
	for name, content := range files {
		if content == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const refsJSON = `[{"ref_id": 5, "ann_id": 7, "image_id": 9, "split": "testA", "sentences": []},
{"ref_id": 6, "ann_id": 8, "image_id": 9, "split": "val"}]`

func TestReadRefs(t *testing.T) {
	want := map[int64]data.Ref{
		5: {ID: 5, Split: "testA", Width: 640, Height: 480, ImageID: 9, Box: [4]float64{1.5, 2, 3, 4}},
		6: {ID: 6, Split: "val", Width: 640, Height: 480, ImageID: 9, Box: [4]float64{0, 0, 10, 20}},
	}
	for name, change := range map[string]map[string]string{
		"pickle": nil,
		"json":   {"refs(unc).p": "", "refs.json": refsJSON},
	} {
		got, err := data.ReadRefs(t.Context(), refFolder(t, change))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestReadRefsErrors(t *testing.T) {
	tests := []struct{ name, file, content, want string }{
		{"none", "refs(unc).p", "", "read refs: stat "},
		{"no list", "refs(unc).p", "I5\n.", "refs(unc).p: it holds a int64, want a list"},
		{"no dict", "refs(unc).p", "(lI5\na.", "reference 0: it is a int64, want a dict"},
		{"missing key", "refs(unc).p", "(l(dVref_id\nI5\nsa.", `reference 0: key "ann_id" is missing`},
		{"wrong type", "refs(unc).p", "(l(dVref_id\nV5\nsa.", `reference 0: key "ref_id" is a string, want a whole number`},
		{"code", "refs(unc).p", "cos\nsystem\n(S'true'\ntR.", "os.system"},
		{"cut", "refs(unc).p", "(lp0\n(dVref_", "refs(unc).p: pickle"},
		{"other annotations", "instances.json", `{"images":[{"id":9,"width":1,"height":1}],"annotations":[]}`, `reference 0: key "ann_id" is 7`},
		{"other images", "instances.json", `{"images":[],"annotations":[{"id":7,"bbox":[1,2,3,4]}]}`, `reference 0: key "image_id" is 9`},
		{"short box", "instances.json", "{\"images\":[],\n\"annotations\":[\n{\"id\":7,\"bbox\":[1,2,3]}]}", `instances.json:3: annotations, entry 0: key "bbox" has 3 numbers`},
		{"text box", "instances.json", "{\"annotations\":[\n{\"id\":7,\n\"bbox\":\"x\"}]}", `instances.json:3: annotations, entry 0: key "bbox" is a string, want a list of numbers`},
		{"negative size", "instances.json", `{"images":[{"id":9,"width":-1,"height":1}]}`, `images, entry 0: key "width" and height are -1 and 1`},
		{"no annotations", "instances.json", `{"images":[]}`, `key "annotations" is missing`},
		{"list", "instances.json", `[]`, `instances.json:1: found [, want {`},
		{"images of another kind", "instances.json", "{\n\"images\":{}}", `instances.json:2: key "images": found {, want [`},
		{"syntax", "instances.json", "{\"images\":[],\n\"annotations\":[}", `instances.json:2: `},
		{"empty", "instances.json", " ", `instances.json:1: EOF`},
		{"missing file", "instances.json", "", "instances.json: no such file"},
	}
	for _, tt := range tests {
		dir := refFolder(t, map[string]string{tt.file: tt.content})
		_, err := data.ReadRefs(t.Context(), dir)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want an error that says %q", tt.name, err, tt.want)
		}
		if err != nil {
			checkHint(t, err, "")
		}
	}
}

func TestReadProposals(t *testing.T) {
	got, err := data.ReadProposals(t.Context(), writeFile(t, "dets.json", []byte(`{"9": [[1, 2, 3.5, 4, 0.9], [0, 0, 1, 1]], "12": []}`)))
	if err != nil {
		t.Fatal(err)
	}
	want := map[int64][][4]float64{9: {{1, 2, 3.5, 4}, {0, 0, 1, 1}}, 12: {}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for content, says := range map[string]string{
		"{\"a\": []}":                 `dets.json:1: key "a" is no image_id`,
		"{\"1\": [],\n\"9\": 5}":      `dets.json:2: key "9" is a number, want a list of numbers`,
		"{\"9\":\n[[1, 2]]}":          `dets.json:2: key "9" has 2 numbers`,
		"{\"9\":\n[[1, 2, 3, \"\"]]}": `dets.json:2: key "9" is a string, want a number`,
		"{\"9\": []":                  `dets.json:1: `,
	} {
		_, err := data.ReadProposals(t.Context(), writeFile(t, "dets.json", []byte(content)))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: got %v, want an error that says %q", content, err, says)
		}
	}
}
