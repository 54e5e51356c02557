package scenes

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// minScenes is the fewest pictures that fill every split.
const minScenes = 4

// Write draws n scenes of a seed, size pixels wide and high, into dir, with json files in the official formats of
// every task: a tenth of the pictures each for val, test and held-out pairs, the rest for train. All names in the
// files are relative to dir.
//
//	images/train/000001.png          pictures, in a folder for each of train, val, test, heldout
//	images/train/000001.jpg          the same for visual entailment, whose official reader appends ".jpg"
//	pretrain.json                    {image, caption}, two a picture
//	retrieval_{train,val,test,heldout}.json   train {image, caption, image_id}, else {image, caption: [two]}
//	vqa_{train,val,test,heldout}.json         {question_id, image, question, answer: [one], dataset: "vqa"}
//	answer_list.json                 all answers
//	ve_{train,dev,test,heldout}.json          {image, sentence, label}, three a picture
//	nlvr_{train,dev,test,heldout}.json        {images: [two], sentence, label: "True" or "False"}, four a picture
//	refcoco+_{train,val,test}.json   {image, text, ref_id}; test has the test split and held-out pairs
//	refcoco+/dets.json               {image_id: [[x, y, w, h], ...]}, the boxes to choose among, in pixels
//	refcoco+/refs.json               what refs(unc).p holds, as json: a list of {ref_id, ann_id, image_id, split, sentences, ...}
//	refcoco+/instances.json          COCO's images, annotations (bbox) and categories; cocos.json is the same
//	labels.json                      what every picture holds
//
// Split "testA" of the references is the test split, "testB" held-out pairs; pictures with one object have none.
// In answers numbers are digits. Pictures come first and the json files last, so a folder with json files is
// complete; those of an earlier corpus are removed at the start. Every file appears under its name only when it is
// whole.
//
// progress may be nil; it is called after each picture, never by two goroutines at once. Write returns the
// context's error when it is cancelled, and an error that names the file when one cannot be written.
func Write(ctx context.Context, dir string, n int, seed uint64, size int, progress func(done, total int)) error {
	return WriteOf(ctx, dir, n, seed, Options{Size: size}, progress)
}

// WriteOf is [Write] of scenes whose size and shares of pictograms and textures are those of the options; the others
// are not looked at.
func WriteOf(ctx context.Context, dir string, n int, seed uint64, of Options, progress func(done, total int)) error {
	size := of.Size
	if n < minScenes {
		return fmt.Errorf("write scenes to %s: n is %d, and at least %d are needed, one for each split", dir, n, minScenes)
	}
	if size < 16 || size > 4096 {
		return fmt.Errorf("write scenes to %s: size is %d pixels, and must be 16 to 4096", dir, size)
	}
	c, err := newCorpus(n, seed, of)
	if err != nil {
		return fmt.Errorf("write scenes to %s: %w", dir, err)
	}
	if err := prepare(dir, c.documents()); err != nil {
		return err
	}
	if err := writePictures(ctx, dir, c, progress); err != nil {
		return err
	}
	for _, d := range c.documents() {
		if err := writeFile(filepath.Join(dir, d.name), d.write); err != nil {
			return err
		}
	}
	return nil
}

// prepare makes the folders and removes the documents of an earlier corpus.
func prepare(dir string, documents []document) error {
	splits := Splits()
	folders := make([]string, 0, 1+len(splits))
	folders = append(folders, filepath.Join(dir, "refcoco+"))
	for _, split := range splits {
		folders = append(folders, filepath.Join(dir, "images", split.String()))
	}
	for _, folder := range folders {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return &fileError{folder, cause(err)}
		}
	}
	for _, d := range documents {
		path := filepath.Join(dir, d.name)
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return &fileError{path, cause(err)}
		}
	}
	return nil
}

// writePictures draws on all processors.
func writePictures(ctx context.Context, dir string, c *corpus, progress func(done, total int)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	var mu sync.Mutex
	done := 0
	pictures := c.pictures()
	encode := newEncoders()
	for _, p := range pictures {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			if err := writePicture(dir, p, c.size, encode); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			if progress != nil {
				progress(done, len(pictures))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil && done < len(pictures) {
		return fmt.Errorf("write scenes to %s: %d of %d pictures done: %w", dir, done, len(pictures), err)
	}
	return nil
}

// encoders writes a picture in the format of each file extension.
type encoders map[string]func(io.Writer, image.Image) error

func newEncoders() encoders {
	withBuffers := png.Encoder{BufferPool: &pngBuffers{}}
	return encoders{
		".png": withBuffers.Encode,
		".jpg": func(w io.Writer, m image.Image) error { return jpeg.Encode(w, m, &jpeg.Options{Quality: 95}) },
	}
}

// pngBuffers keeps the compressor's buffers, nearly a megabyte, from one small picture to the next.
type pngBuffers struct {
	pool sync.Pool
}

// Get returns a used buffer, or nil where the encoder must make one.
func (b *pngBuffers) Get() *png.EncoderBuffer {
	buffer, _ := b.pool.Get().(*png.EncoderBuffer)
	return buffer
}

// Put keeps a buffer.
func (b *pngBuffers) Put(buffer *png.EncoderBuffer) { b.pool.Put(buffer) }

func writePicture(dir string, p picture, size int, encode encoders) error {
	drawn := p.Render(size)
	for extension, encode := range encode {
		path := filepath.Join(dir, filepath.FromSlash(p.file()+extension))
		if err := writeFile(path, func(w io.Writer) error { return encode(w, drawn) }); err != nil {
			return err
		}
	}
	return nil
}

// document is one json file.
type document struct {
	name  string // relative to the corpus
	write func(io.Writer) error
}

// documents returns the json files in order of name, each with one record a line.
func (c *corpus) documents() []document {
	var list []document
	for _, name := range c.fileNames() {
		list = append(list, document{name, func(w io.Writer) error { return writeLines(w, c.files[name]) }})
	}
	whole := func(name string, v any) {
		list = append(list, document{name, func(w io.Writer) error { return newEncoder(w).Encode(v) }})
	}
	whole("answer_list.json", Answers())
	whole("labels.json", c.labels)
	whole("refcoco+/dets.json", c.detected)
	whole("refcoco+/instances.json", c.instances)
	whole("refcoco+/cocos.json", c.instances)
	refs := make([]any, len(c.refs))
	for i, r := range c.refs {
		refs[i] = r
	}
	return append(list, document{"refcoco+/refs.json", func(w io.Writer) error { return writeLines(w, refs) }})
}

// fileNames returns the names of the files of records, those with none included.
func (c *corpus) fileNames() []string {
	names := map[string]bool{"refcoco+_train.json": true, "refcoco+_val.json": true, "refcoco+_test.json": true}
	for name := range c.files {
		names[name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// writeLines writes a json list with one record a line.
func writeLines(w io.Writer, records []any) error {
	separator := "[\n"
	if len(records) == 0 {
		separator = "["
	}
	encoder := newEncoder(w)
	for _, r := range records {
		if _, err := io.WriteString(w, separator); err != nil {
			return err
		}
		if err := encoder.Encode(r); err != nil {
			return err
		}
		separator = ","
	}
	if len(records) == 0 {
		if _, err := io.WriteString(w, separator); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "]\n")
	return err
}

func newEncoder(w io.Writer) *json.Encoder {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false) // texts are read by people too
	return encoder
}
