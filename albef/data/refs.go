package data

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"vlab/albef/torch/weights"
)

// Ref is an object that texts refer to, with its image, as the official
// referring-expression tools join them.
type Ref struct {
	ID            int64
	Split         string // train, val, testA or testB
	Width, Height int    // of the image, in pixels
	ImageID       int64
	Box           [4]float64 // x, y, width, height in pixels of the image
}

// ReadRefs reads the objects of a folder of RefCOCO+ by ref_id, as refer.py
// does: refs(unc).p, or in its absence refs.json with the same keys in a json
// list, and COCO's instances.json beside it. The error of a reference without
// annotation or image names it.
func ReadRefs(ctx context.Context, dir string) (map[int64]Ref, error) {
	file, list, err := readRefList(ctx, dir)
	if err != nil {
		return nil, err
	}
	instances := filepath.Join(dir, "instances.json")
	boxes, sizes, err := readInstances(ctx, instances)
	if err != nil {
		return nil, err
	}
	refs := make(map[int64]Ref, len(list))
	for i, r := range list {
		fail := func(key string, id int64, what string) error {
			return hinted("refs and instances.json must be of one release",
				"read refs %s: reference %d: key %q is %d, and %s has no such %s", file, i, key, id, instances, what)
		}
		box, ok := boxes[r.annID]
		if !ok {
			return nil, fail("ann_id", r.annID, "annotation")
		}
		size, ok := sizes[r.ImageID]
		if !ok {
			return nil, fail("image_id", r.ImageID, "image")
		}
		r.Box, r.Width, r.Height = box, size[0], size[1]
		refs[r.ID] = r.Ref
	}
	return refs, nil
}

// wantedRef is a reference before its box is known.
type wantedRef struct {
	Ref
	annID int64
}

func readRefList(ctx context.Context, dir string) (file string, list []wantedRef, err error) {
	file = filepath.Join(dir, "refs(unc).p")
	_, err = os.Stat(file)
	if err == nil {
		list, err = readRefPickle(file)
		return file, list, err
	}
	asJSON := filepath.Join(dir, "refs.json")
	if _, absent := os.Stat(asJSON); absent != nil {
		return "", nil, hinted("refcoco_data is the folder that holds refcoco+/refs(unc).p or refcoco+/refs.json", "read refs: %w", err)
	}
	list, err = readRecords(ctx, []string{asJSON}, func(w *refWire) (wantedRef, error) { return w.ref() })
	return asJSON, list, err
}

// refWire is what is read of an entry of refs.json.
type refWire struct {
	RefID   *int64  `json:"ref_id"`
	AnnID   *int64  `json:"ann_id"`
	ImageID *int64  `json:"image_id"`
	Split   *string `json:"split"`
}

func (w *refWire) ref() (wantedRef, error) {
	err := missing(presence{"ref_id", w.RefID != nil}, presence{"ann_id", w.AnnID != nil},
		presence{"image_id", w.ImageID != nil}, presence{"split", w.Split != nil})
	if err != nil {
		return wantedRef{}, err
	}
	return wantedRef{Ref{ID: *w.RefID, ImageID: *w.ImageID, Split: *w.Split}, *w.AnnID}, nil
}

// readRefPickle reads refs(unc).p, a list of dicts.
func readRefPickle(file string) ([]wantedRef, error) {
	v, err := weights.ReadPickle(file)
	if err != nil {
		return nil, fmt.Errorf("read refs: %w", err)
	}
	list, ok := v.(*weights.List)
	if !ok {
		return nil, hinted("the file must be the refs(unc).p of RefCOCO+", "read refs %s: it holds a %T, want a list of dicts", file, v)
	}
	refs := make([]wantedRef, len(list.Items))
	for i, item := range list.Items {
		if refs[i], err = refOf(item); err != nil {
			return nil, hinted("the file must be the refs(unc).p of RefCOCO+", "read refs %s: reference %d: %w", file, i, err)
		}
	}
	return refs, nil
}

// refOf reads one dict of refs(unc).p.
func refOf(item weights.Value) (wantedRef, error) {
	dict, ok := item.(*weights.OrderedMap)
	if !ok {
		return wantedRef{}, fmt.Errorf("it is a %T, want a dict", item)
	}
	var w refWire
	for key, to := range map[string]**int64{"ref_id": &w.RefID, "ann_id": &w.AnnID, "image_id": &w.ImageID} {
		v, there := dict.Get(key)
		n, ok := v.(int64)
		if there && !ok {
			return wantedRef{}, &keyError{key, fmt.Sprintf("is a %T, want a whole number", v)}
		}
		if there {
			*to = &n
		}
	}
	if v, there := dict.Get("split"); there {
		s, ok := v.(string)
		if !ok {
			return wantedRef{}, &keyError{"split", fmt.Sprintf("is a %T, want a string", v)}
		}
		w.Split = &s
	}
	return w.ref()
}

// readInstances reads the boxes of COCO's annotations and the sizes of its
// images, by id.
func readInstances(ctx context.Context, file string) (boxes map[int64][4]float64, sizes map[int64][2]int, err error) {
	boxes, sizes = map[int64][4]float64{}, map[int64][2]int{}
	type image struct {
		ID     *int64 `json:"id"`
		Width  *int64 `json:"width"`
		Height *int64 `json:"height"`
	}
	type annotation struct {
		ID   *int64    `json:"id"`
		BBox []float64 `json:"bbox"`
	}
	seen := map[string]bool{}
	err = readObject(ctx, file, "instances", func(key string, s *objectScanner) error {
		seen[key] = true
		switch key {
		case "images":
			return eachIn(s, key, func(w *image) error {
				err := missing(presence{"id", w.ID != nil}, presence{"width", w.Width != nil}, presence{"height", w.Height != nil})
				if err == nil && (*w.Width <= 0 || *w.Height <= 0 || *w.Width > maxPixels / *w.Height) {
					err = &keyError{"width", fmt.Sprintf("and height are %d and %d", *w.Width, *w.Height)}
				}
				if err == nil {
					sizes[*w.ID] = [2]int{int(*w.Width), int(*w.Height)}
				}
				return err
			})
		case "annotations":
			return eachIn(s, key, func(w *annotation) error {
				err := missing(presence{"id", w.ID != nil}, presence{"bbox", w.BBox != nil})
				if err == nil {
					boxes[*w.ID], err = boxOf("bbox", w.BBox)
				}
				return err
			})
		}
		return s.skip()
	})
	for _, key := range []string{"images", "annotations"} {
		if err == nil && !seen[key] {
			err = hinted("the file must be COCO's instances.json", "read instances %s: key %q is missing", file, key)
		}
	}
	return boxes, sizes, err
}

// boxOf takes the first four numbers of a list.
func boxOf(key string, list []float64) (box [4]float64, err error) {
	if copy(box[:], list) < len(box) {
		return box, &keyError{key, fmt.Sprintf("has %d numbers, want x, y, width and height", len(list))}
	}
	return box, nil
}

// ReadProposals reads the boxes to choose among, dets.json: by image_id a list
// of [x, y, width, height, ...] in pixels.
func ReadProposals(ctx context.Context, file string) (map[int64][][4]float64, error) {
	out := map[int64][][4]float64{}
	err := readObject(ctx, file, "proposals", func(key string, s *objectScanner) error {
		id, err := strconv.ParseInt(key, 10, 64)
		if err != nil {
			return fmt.Errorf("key %.40q is no image_id", key)
		}
		var lists [][]float64
		if err := s.value(key, &lists); err != nil {
			return err
		}
		boxes := make([][4]float64, len(lists))
		for i, list := range lists {
			if boxes[i], err = boxOf(key, list); err != nil {
				return err
			}
		}
		out[id] = boxes
		return nil
	})
	return out, err
}

// objectScanner walks over one large json object without holding it whole.
type objectScanner struct {
	dec    *json.Decoder
	at     int64 // where the value in work is, for errors
	before bool  // at may stand before the space and the comma in front of it
}

// readObject calls field for each key of the object in file, to read its
// value. Errors name file and line.
func readObject(ctx context.Context, file, what string, field func(key string, s *objectScanner) error) error {
	f, err := os.Open(file)
	if err != nil {
		return hinted("check the paths in the configuration", "read %s: %w", what, err)
	}
	defer f.Close()
	s := &objectScanner{dec: json.NewDecoder(f)}
	if err := s.fields(ctx, field); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return hinted("the file must be as in the official release", "read %s %s:%d: %w", what, file, s.line(file), err)
	}
	return nil
}

func (s *objectScanner) fields(ctx context.Context, field func(key string, s *objectScanner) error) error {
	if err := s.open('{'); err != nil {
		return err
	}
	for s.dec.More() {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.mark()
		key, err := s.dec.Token()
		if err != nil {
			return s.syntax(err)
		}
		if err := field(key.(string), s); err != nil { // json has no other keys
			return err
		}
	}
	_, err := s.dec.Token()
	return s.syntax(err)
}

// open reads the bracket that a value begins with.
func (s *objectScanner) open(want json.Delim) error {
	s.mark()
	got, err := s.dec.Token()
	if err != nil {
		return s.syntax(err)
	}
	if got != want {
		return fmt.Errorf("found %v, want %v", got, want)
	}
	return nil
}

// value decodes the next value, that of key.
func (s *objectScanner) value(key string, to any) error {
	s.mark()
	err := s.dec.Decode(to)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if wrong.Field != "" {
			key = wrong.Field
		}
		s.at, s.before = s.at+wrong.Offset, false
		return &keyError{key, fmt.Sprintf("is %s, want %s", article(wrong.Value), wantedNumber(wrong.Type))}
	}
	return s.syntax(err)
}

// wantedNumber is [wanted] for boxes as well.
func wantedNumber(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Float64:
		return "a number"
	case t.Kind() == reflect.Slice:
		return "a list of numbers"
	default:
		return wanted(t)
	}
}

func (s *objectScanner) skip() error {
	var ignored json.RawMessage
	return s.value("", &ignored)
}

// syntax notes where a syntax error is.
func (s *objectScanner) syntax(err error) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		s.at, s.before = syntax.Offset-1, false
	}
	return err
}

// eachIn decodes the entries of a list one by one.
func eachIn[W any](s *objectScanner, key string, take func(*W) error) error {
	if err := s.open('['); err != nil {
		return fmt.Errorf("key %q: %w", key, err)
	}
	for i := 0; s.dec.More(); i++ {
		var w W
		err := s.value(key, &w)
		if err == nil {
			err = take(&w)
		}
		if err != nil {
			return fmt.Errorf("%s, entry %d: %w", key, i, err)
		}
	}
	_, err := s.dec.Token()
	return s.syntax(err)
}

// mark notes where the next value begins.
func (s *objectScanner) mark() { s.at, s.before = s.dec.InputOffset(), true }

// line returns the line in file of what is in work, 0 if the file is gone.
func (s *objectScanner) line(file string) int {
	content, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	at := min(max(s.at, 0), int64(len(content)))
	for s.before && at < int64(len(content)) && strings.IndexByte(" \t\r\n,:", content[at]) >= 0 {
		at++
	}
	return 1 + newlines(content, at)
}
