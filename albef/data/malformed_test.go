package data_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vlab/albef/data"
)

// member is a key of a record with its value as json.
type member struct{ key, value string }

// reader is a task's reader with a record that it reads. The image's and the
// text's keys come first.
type reader struct {
	name string
	good []member
	id   string // a key with a whole number, or ""
	read func(ctx context.Context, file string) (n int, err error)
}

func counted[R any](records []R, err error) (int, error) { return len(records), err }

// readers are those of all tasks.
func readers() []reader {
	const root = "root"
	image, pair := member{"image", `"a.jpg"`}, member{"images", `["a.jpg", "b.jpg"]`}
	caption, sentence := member{"caption", `"a dog"`}, member{"sentence", `"a dog"`}
	question := []member{image, {"question", `"what?"`}, {"answer", `["yes"]`}, {"dataset", `"vqa"`}, {"question_id", "5"}}
	phrase := []member{image, {"text", `"left dog"`}, {"ref_id", "5"}}
	roots := data.VQARoots{VQA: root, VG: root}
	return []reader{
		{"pretrain", []member{image, caption}, "", func(ctx context.Context, file string) (int, error) {
			return counted(data.ReadPretrain(ctx, root, file))
		}},
		{"retrieval train", []member{image, caption, {"image_id", `"coco_5"`}}, "", func(ctx context.Context, file string) (int, error) {
			return counted(data.ReadRetrievalTrain(ctx, root, file))
		}},
		{"retrieval eval", []member{image, caption}, "", func(ctx context.Context, file string) (int, error) {
			return counted(data.ReadRetrievalEval(ctx, root, file))
		}},
		{"vqa train", question, "question_id", func(ctx context.Context, file string) (int, error) {
			return counted(data.ReadVQA(ctx, roots, data.Training, file))
		}},
		{"vqa test", question, "question_id", func(ctx context.Context, file string) (int, error) {
			return counted(data.ReadVQA(ctx, roots, data.Testing, file))
		}},
		{"ve", []member{image, sentence, {"label", `"neutral"`}}, "", func(ctx context.Context, file string) (int, error) {
			return counted(data.ReadEntailment(ctx, root, file))
		}},
		{"nlvr", []member{pair, sentence, {"label", `"True"`}}, "", func(ctx context.Context, file string) (int, error) {
			return counted(data.ReadNLVR(ctx, root, file))
		}},
		{"grounding train", phrase, "ref_id", func(ctx context.Context, file string) (int, error) {
			return counted(data.ReadGrounding(ctx, root, data.Training, file))
		}},
		{"grounding test", phrase, "ref_id", func(ctx context.Context, file string) (int, error) {
			return counted(data.ReadGrounding(ctx, root, data.Testing, file))
		}},
	}
}

// record writes a record with a key on each line; an empty value leaves the key
// out.
func record(members []member) string {
	var lines []string
	for _, m := range members {
		if m.value != "" {
			lines = append(lines, fmt.Sprintf("%q: %s", m.key, m.value))
		}
	}
	return "{" + strings.Join(lines, ",\n") + "}"
}

// with returns members with another value for the one at place i.
func with(members []member, i int, value string) []member {
	out := slices.Clone(members)
	out[i].value = value
	return out
}

// wrong is a record with a fault. The error names key, where there is one, and
// the fault's line, counted from 0 in the record.
type wrong struct {
	record, key, says string
	line              int
}

// wrongRecords are faults of one record, as changes of a good one. A reader
// goes on behind them when it is told to.
var wrongRecords = []struct {
	name string
	make func(r reader) wrong // without a record: the reader has no such key
}{
	{"text is a number", wrongText("5", "is a number", 1)},
	{"text is an object", wrongText(`{"a": 1}`, "is an object", 1)},
	{"text is a truth value", wrongText("true", "is a bool", 1)},
	{"text is null", wrongText("null", "is missing", 1)},
	{"text is missing", wrongText("", "is missing", 0)},
	{"text is empty", wrongText(`""`, "a text without words", 1)},
	{"text is blank", wrongText(`" \n\t"`, "a text without words", 1)},
	{"text is broken UTF-8", wrongText("\"caf\xe9 \xff\"", "no UTF-8", 1)},
	{"text nests deeply", wrongText(strings.Repeat("[", 20000)+strings.Repeat("]", 20000), "", 1)},
	{"text is NaN", wrongText("NaN", "", 1)},
	{"text has a raw newline", wrongText("\"a\nb\"", "", 2)},
	{"text is in single quotes", wrongText("'a'", "", 1)},
	{"image is an object", wrongImage(`{}`, "is an object", 0)},
	{"image is a truth value", wrongImage(`false`, "is a bool", 0)},
	{"image is null", wrongImage("null", "is missing", 0)},
	{"image is missing", wrongImage("", "is missing", 0)},
	{"image is empty", wrongPath("", "is empty")},
	{"image has a zero byte", wrongPath(`a\u0000.jpg`, "zero byte")},
	{"image is broken UTF-8", wrongPath("a\xff.jpg", "no UTF-8")},
	{"a key comes twice", func(r reader) wrong {
		return wrong{record(append(slices.Clone(r.good), r.good[0])), r.good[0].key, "comes twice", len(r.good)}
	}},
	{"trailing comma", func(r reader) wrong {
		return wrong{record: strings.TrimSuffix(record(r.good), "}") + ",}", line: len(r.good) - 1}
	}},
	{"huge number", wrongID("99999999999999999999999")},
	{"number beyond float64", wrongID("1e400")},
	{"half a number", wrongID("1.5")},
	{"number is a text", wrongID(`"5"`)},
}

// wrongText makes the text of a record something else. Of what is no json, of
// which nothing else is said, no key is known.
func wrongText(value, says string, line int) func(reader) wrong {
	return func(r reader) wrong {
		w := wrong{record(with(r.good, 1, value)), r.good[1].key, says, line}
		if says == "" {
			w.key = ""
		}
		return w
	}
}

// wrongImage makes the image of a record something else.
func wrongImage(value, says string, line int) func(reader) wrong {
	return func(r reader) wrong { return wrong{record(with(r.good, 0, value)), r.good[0].key, says, line} }
}

// wrongPath gives a record's first image another name.
func wrongPath(name, says string) func(reader) wrong {
	return func(r reader) wrong {
		return wrong{record(with(r.good, 0, strings.Replace(r.good[0].value, "a.jpg", name, 1))), r.good[0].key, says, 0}
	}
}

// wrongID makes the whole number of a record something else.
func wrongID(value string) func(reader) wrong {
	return func(r reader) wrong {
		for i, m := range r.good {
			if m.key == r.id {
				return wrong{record(with(r.good, i, value)), m.key, "want a whole number", i}
			}
		}
		return wrong{}
	}
}

func TestMalformedRecords(t *testing.T) {
	for _, r := range readers() {
		good := record(r.good)
		for _, tt := range wrongRecords {
			w := tt.make(r)
			if w.record == "" {
				continue
			}
			t.Run(r.name+"/"+tt.name, func(t *testing.T) {
				file := writeFile(t, "bad.json", []byte("[\n"+good+",\n"+w.record+",\n"+good+"\n]\n"))
				checkWrong(t, r, file, w, fmt.Sprintf("bad.json:%d: record 1: ", 2+len(r.good)+w.line))
			})
		}
	}
}

// checkWrong reads a file whose second record of three has a fault, strictly
// and then leaving it out.
func checkWrong(t *testing.T, r reader, file string, w wrong, at string) {
	t.Helper()
	n, err := r.read(t.Context(), file)
	if err == nil {
		t.Fatalf("got %d records, want an error at %s", n, at)
	}
	wanted := []string{at, w.says}
	if w.key != "" {
		wanted = append(wanted, fmt.Sprintf("key %q", w.key))
	}
	for _, want := range wanted {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %.300q, want it to say %q", err, want)
		}
	}
	checkHint(t, err, "")
	var skipped data.Unread
	n, err = r.read(data.SkipUnread(t.Context(), &skipped), file)
	if n != 2 || err != nil || skipped.Count != 1 || len(skipped.First) != 1 || !strings.Contains(skipped.First[0].Error(), at) {
		t.Errorf("leaving it out: got %d records, %v, and %+v left out, want 2, and 1 left out", n, err, skipped)
	}
}

// TestMalformedFiles are faults of a whole file, which no reader goes on behind.
func TestMalformedFiles(t *testing.T) {
	utf16 := func(s string) string {
		out := []byte{0xff, 0xfe}
		for _, c := range s {
			out = binary.LittleEndian.AppendUint16(out, uint16(c))
		}
		return string(out)
	}
	for _, r := range readers() {
		good := record(r.good)
		for name, tt := range map[string]struct{ content, want string }{
			"0 bytes":                    {"", "bad.json:1: the file ends in the middle of the list"},
			"cut off":                    {"[" + good + ",\n" + good[:len(good)/2], "the file ends in the middle of the list"},
			"UTF-16":                     {utf16("[" + good + "]"), "bad.json:1: the file is UTF-16, want UTF-8"},
			"UTF-16 without a mark":      {utf16("[" + good + "]")[2:], "bad.json:1: the file is UTF-16, want UTF-8"},
			"HTML":                       {"<!DOCTYPE html>\n<html>", "bad.json:1: the file begins with '<'"},
			"a comma behind the last":    {"[" + good + ",\n]", fmt.Sprintf("bad.json:%d: found a comma after record 0, the last", 1+len(r.good))},
			"a list in the list":         {"[[" + good + "]]", "bad.json:1: record 0 begins with '[', want an object"},
			"two lists":                  {"[" + good + "]\n[]", "found '[' after the end of the list"},
			"a number":                   {"5", "bad.json:1: the file begins with '5'"},
			"a text in place of records": {`["a", "b"]`, `bad.json:1: record 0 begins with '"', want an object`},
		} {
			file := writeFile(t, "bad.json", []byte(tt.content))
			var skipped data.Unread
			for _, ctx := range []context.Context{t.Context(), data.SkipUnread(t.Context(), &skipped)} {
				_, err := r.read(ctx, file)
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%s: %s: got %v, want an error that says %q", r.name, name, err, tt.want)
					continue
				}
				checkHint(t, err, "")
			}
		}
		for name, path := range map[string]string{"missing": "none/none.json", "a folder": t.TempDir()} {
			_, err := r.read(t.Context(), path)
			if err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: %s: got %v, want an error that names %s", r.name, name, err, path)
				continue
			}
			checkHint(t, err, "")
		}
	}
}

// TestOddRecords are odd, and right all the same.
func TestOddRecords(t *testing.T) {
	for _, r := range readers() {
		good := record(r.good)
		tests := map[string]string{
			"a byte order mark":        "\xef\xbb\xbf[" + good + "]",
			"a record a line":          strings.ReplaceAll(good, "\n", " ") + "\n",
			"Windows line ends":        "[\r\n" + strings.ReplaceAll(good, "\n", "\r\n") + "\r\n]\r\n",
			"5,000 words":              "[" + record(with(r.good, 1, `"`+strings.Repeat("word ", 5000)+`"`)) + "]",
			"emoji and other scripts":  "[" + record(with(r.good, 1, `"狗 🐕 \ud83d\udc15 щенок"`)) + "]",
			"half a surrogate":         "[" + record(with(r.good, 1, `"a \ud800 dog"`)) + "]",
			"a further key, nested":    "[" + record(append(slices.Clone(r.good), member{"x", `{"y": [{"image": 1, "image": 2}]}`})) + "]",
			"an absolute path":         "[" + record(with(r.good, 0, strings.ReplaceAll(r.good[0].value, `"a`, `"/abs/a`))) + "]",
			"an image's name in UTF-8": "[" + record(with(r.good, 0, strings.ReplaceAll(r.good[0].value, "a.jpg", "é 狗.jpg"))) + "]",
		}
		for i, m := range r.good {
			if m.key == r.id {
				tests["a negative "+r.id] = "[" + record(with(r.good, i, "-5")) + "]"
			}
		}
		for name, content := range tests {
			if n, err := r.read(t.Context(), writeFile(t, "odd.json", []byte(content))); n != 1 || err != nil {
				t.Errorf("%s: %s: got %d records, %v, want 1", r.name, name, n, err)
			}
		}
	}
	negative := writeFile(t, "odd.json", []byte(`[{"image":"a","caption":"b","image_id":-5},{"image":"c","caption":"d","image_id":-6}]`))
	got, err := data.ReadRetrievalTrain(t.Context(), "", negative)
	if err != nil || len(got) != 2 || got[0].Group != 0 || got[1].Group != 1 {
		t.Errorf("negative image_id: got %v, %v, want groups 0 and 1", got, err)
	}
}

// TestMalformedImages are picture files that are wrong, or only odd.
func TestMalformedImages(t *testing.T) {
	plain, folder := smallJPEG(t, 40, 30), filepath.Join(t.TempDir(), "folder.jpg")
	if err := os.Mkdir(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		path string // "": written from file
		file []byte
		want string // "": it is fine
	}{
		"missing":               {path: "none.jpg", want: "none.jpg: no such file"},
		"a folder":              {path: folder, want: "not a regular file"},
		"zero byte in path":     {path: "a\x00.jpg", want: "invalid argument"},
		"0 bytes":               {file: []byte{}, want: "empty file"},
		"truncated JPEG":        {file: plain[:len(plain)/2], want: "decode image "},
		"JPEG's header alone":   {file: plain[:20], want: "decode image "},
		"truncated PNG":         {file: encodePNG(t, image.NewRGBA(image.Rect(0, 0, 9, 9)))[:60], want: "unexpected EOF"},
		"HTML named .jpg":       {file: []byte("<!DOCTYPE html><html>403</html>"), want: "not an image in a known format"},
		"text":                  {file: []byte("version https://git-lfs.github.com/spec/v1"), want: "not an image in a known format"},
		"a bomb of 2^40":        {file: pngHeader(1<<20, 1<<20), want: "268 million pixels"},
		"16 bits":               {file: encodePNG(t, image.NewRGBA64(image.Rect(0, 0, 7, 5)))},
		"grey of 16 bits":       {file: encodePNG(t, image.NewGray16(image.Rect(0, 0, 7, 5)))},
		"alpha":                 {file: encodePNG(t, image.NewNRGBA(image.Rect(0, 0, 7, 5)))},
		"1x1":                   {path: "testdata/decode/1x1.jpg"},
		"20,000x10":             {file: smallJPEG(t, 20000, 10)},
		"10x20,000":             {file: encodePNG(t, image.NewGray(image.Rect(0, 0, 10, 20000)))},
		"CMYK":                  {path: "testdata/decode/cmyk.jpg"},
		"rotated by EXIF":       {path: "testdata/upright/6.jpg"},
		"palette":               {path: "testdata/decode/palette.png"},
		"a PNG named .jpg":      {file: encodePNG(t, image.NewGray(image.Rect(0, 0, 3, 3)))},
		"JPEG and then rubbish": {file: append(bytes.Clone(plain), "rubbish"...)},
	} {
		path := tt.path
		if path == "" {
			path = writeFile(t, "x.jpg", tt.file)
		}
		for _, transform := range []data.Transform{data.NewResized(32), data.NewAugmented(data.PretrainAugment(32))} {
			source := data.NewPretrainSource([]data.Pretrain{{Image: path, Captions: []string{"c"}}}, transform, nil)
			_, err := source.Load(0, rand.New(rand.NewPCG(1, 1)), make([]float32, 3*32*32))
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("%s: %v", name, err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), filepath.Base(path))):
				t.Errorf("%s: got %v, want an error that names %s and says %q", name, err, path, tt.want)
			case tt.want != "":
				checkHint(t, err, "")
			}
		}
	}
}

// TestBadImagesAreCounted has a run go on over bad pictures, and tell of them.
func TestBadImagesAreCounted(t *testing.T) {
	good := smallJPEG(t, 40, 30)
	var records []data.Pretrain
	for i := range 200 {
		content := good
		if i%40 == 7 {
			content = good[:200]
		}
		records = append(records, data.Pretrain{Image: writeFile(t, fmt.Sprintf("%d.jpg", i), content), Captions: []string{"c"}})
	}
	source := data.NewPretrainSource(records, data.NewAugmented(data.PretrainAugment(16)), nil)
	l := newLoader(t, source, data.LoaderConfig{Batch: 20, Size: 16, Epochs: 1})
	for range l.Steps() {
		b, err := l.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range b.Index {
			if i%40 == 7 {
				t.Errorf("record %d is delivered, whose picture is cut off", i)
			}
		}
	}
	bad := l.Bad()
	if bad.Count != 5 || len(bad.First) != 5 || !strings.Contains(bad.First[0].Err.Error(), ".jpg") {
		t.Errorf("got %d bad pictures, the first %v, want 5 with their names", bad.Count, bad.First)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func smallJPEG(t *testing.T, w, h int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = byte(i * 7)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func encodePNG(t *testing.T, m interface {
	image.Image
	Set(x, y int, c color.Color)
},
) []byte {
	t.Helper()
	for y := range m.Bounds().Dy() {
		m.Set(0, y, color.RGBA{byte(y), 90, 200, 255})
	}
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// pngHeader is the beginning of a PNG of w by h pixels.
func pngHeader(w, h uint32) []byte {
	chunk := []byte("IHDR")
	chunk = binary.BigEndian.AppendUint32(chunk, w)
	chunk = binary.BigEndian.AppendUint32(chunk, h)
	chunk = append(chunk, 8, 2, 0, 0, 0)
	out := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n"), uint32(len(chunk)-4))
	out = append(out, chunk...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(chunk))
}
