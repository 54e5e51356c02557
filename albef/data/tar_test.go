package data_test

import (
	"archive/tar"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlab/albef/data"
)

// shard writes a tar with the given members, in order.
func shard(t *testing.T, members ...[2]string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "shard-00.tar")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := tar.NewWriter(f)
	for _, m := range members {
		if err := w.WriteHeader(&tar.Header{Name: m[0], Mode: 0o644, Size: int64(len(m[1]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(m[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestShardGivesImagesWithCaptions(t *testing.T) {
	file, err := os.ReadFile(filepath.Join("..", "testdata", "fixtures", "image", "src.png"))
	if err != nil {
		t.Fatal(err)
	}
	name := shard(t, [2]string{"a/1.png", string(file)}, [2]string{"a/1.txt", "one \n"},
		[2]string{"a/2.json", `{"caption": ["two", "zwei"]}`}, [2]string{"a/2.seg.png", string(file)}, [2]string{"a/2.cls", "7"})
	got, err := data.ReadPretrain(t.Context(), "", filepath.Join(filepath.Dir(name), "*.tar"))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Captions[0] != "one" || got[1].Captions[1] != "zwei" {
		t.Fatalf("got %v, want two samples with captions one and [two zwei]", got)
	}
	report, err := data.Validate(t.Context(), append(got, data.Pretrain{Image: name + "::a/3.png"}))
	if err != nil || report.Missing != 1 || report.Images != 3 {
		t.Errorf("report %v, %v: want 1 of 3 images missing", report, err)
	}
	want, err := data.Decode(filepath.Join("..", "testdata", "fixtures", "image", "src.png"), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range got {
		img, err := data.Decode(r.Image, 0)
		if err != nil || string(img.Pix) != string(want.Pix) {
			t.Errorf("%s: other pixels than in the file by itself (%v)", r.Image, err)
		}
	}
}

func TestShardErrorsNameTheMember(t *testing.T) {
	for _, tt := range []struct {
		name    string
		members [][2]string
		want    string
	}{
		{"no caption", [][2]string{{"1.png", "x"}}, "1.png has no caption"},
		{"no images", [][2]string{{"1.txt", "x"}}, "no images"},
		{"bad json", [][2]string{{"1.png", "x"}, {"1.json", "{"}}, "member 1.json"},
		{"no key", [][2]string{{"1.png", "x"}, {"1.json", "{}"}}, `key "caption" is missing`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := data.ReadPretrain(t.Context(), "", shard(t, tt.members...))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "shard-00.tar") {
				t.Errorf("got %v, want the shard and %q", err, tt.want)
			}
		})
	}
}

func TestRecordsMayStandALine(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.jsonl")
	lines := "{\"image\": \"1.png\", \"caption\": \"one\"}\n\n{\"image\": \"2.png\", \"caption\": \"two\"}\n"
	read := func(content string) ([]data.Pretrain, error) {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return data.ReadPretrain(t.Context(), "", name)
	}
	got, err := read(lines)
	if err != nil || len(got) != 2 || got[1].Captions[0] != "two" {
		t.Fatalf("got %v, %v: want two records", got, err)
	}
	if _, err := read(lines + "{\"image\": 3, \"caption\": \"x\"}"); err == nil || !strings.Contains(err.Error(), "a.jsonl:4") {
		t.Errorf("got %v, want an error that names line 4", err)
	}
	if _, err := read(lines + "{\"image\": "); err == nil || !strings.Contains(err.Error(), "middle of a record") {
		t.Errorf("got %v, want that the file ends in a record", err)
	}
}
