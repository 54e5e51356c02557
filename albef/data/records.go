package data

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"path/filepath"
	"strings"
)

// Record is an annotation that names its images by path.
type Record interface {
	ImagePaths() []string
}

// Pretrain is a record {image, caption} of pretraining.
type Pretrain struct {
	Image    string   // path
	Captions []string // one or more; training draws one each time
}

// ImagePaths implements [Record].
func (r Pretrain) ImagePaths() []string { return []string{r.Image} }

// ReadPretrain reads pretraining records. Their images are paths as they stand;
// root, which the official code has not, comes before relative ones and may be
// "". A file may also be a tar shard in webdataset's layout, and a name with *
// stands for all files that match it.
func ReadPretrain(ctx context.Context, root string, files ...string) ([]Pretrain, error) {
	files, err := matching(files)
	if err != nil {
		return nil, err
	}
	var out []Pretrain
	for _, file := range files {
		read := readPretrainJSON
		if strings.HasSuffix(file, ".tar") {
			read = func(ctx context.Context, _, file string) ([]Pretrain, error) { return readShard(ctx, file) }
		}
		records, err := read(ctx, root, file)
		if err != nil {
			return nil, err
		}
		out = append(out, records...)
	}
	return out, nil
}

// matching puts the files that a pattern stands for in its place.
func matching(files []string) ([]string, error) {
	var out []string
	for _, name := range files {
		if !strings.Contains(name, "*") {
			out = append(out, name)
			continue
		}
		found, err := filepath.Glob(name)
		if err != nil || len(found) == 0 {
			return nil, hinted("check the pattern's folder", "read annotations: no file matches %s", name)
		}
		out = append(out, found...)
	}
	if len(out) == 0 {
		return nil, hinted("name at least one json file", "read annotations: no files")
	}
	return out, nil
}

func readPretrainJSON(ctx context.Context, root, file string) ([]Pretrain, error) {
	type wire struct {
		Image   *string `json:"image"`
		Caption *texts  `json:"caption"`
	}
	return readRecords(ctx, []string{file}, func(w *wire) (Pretrain, error) {
		if err := missing(presence{"image", w.Image != nil}, presence{"caption", w.Caption != nil}); err != nil {
			return Pretrain{}, err
		}
		if len(w.Caption.list) == 0 {
			return Pretrain{}, &keyError{"caption", "is an empty list"}
		}
		image, err := imagePath(root, "image", *w.Image)
		return Pretrain{image, w.Caption.list}, cmp.Or(err, blank("caption", w.Caption.list...))
	})
}

// RetrievalTrain is a record {image, caption, image_id} of retrieval training.
type RetrievalTrain struct {
	Image   string // path
	Caption string
	ImageID string // as in the file
	// Group numbers the image_ids from 0 in order of first appearance over all
	// files; captions of one image share it.
	Group int
}

// ImagePaths implements [Record].
func (r RetrievalTrain) ImagePaths() []string { return []string{r.Image} }

// ReadRetrievalTrain reads records of retrieval training with images under root.
func ReadRetrievalTrain(ctx context.Context, root string, files ...string) ([]RetrievalTrain, error) {
	type wire struct {
		Image   *string     `json:"image"`
		Caption *string     `json:"caption"`
		ImageID *identifier `json:"image_id"`
	}
	groups := map[string]int{}
	return readRecords(ctx, files, func(w *wire) (RetrievalTrain, error) {
		err := missing(presence{"image", w.Image != nil}, presence{"caption", w.Caption != nil},
			presence{"image_id", w.ImageID != nil})
		if err != nil {
			return RetrievalTrain{}, err
		}
		image, err := imagePath(root, "image", *w.Image)
		if err == nil {
			err = blank("caption", *w.Caption)
		}
		if err != nil {
			return RetrievalTrain{}, err
		}
		id := string(*w.ImageID)
		return RetrievalTrain{image, *w.Caption, id, groupOf(groups, id)}, nil
	})
}

// groupOf numbers keys from 0 in order of first appearance.
func groupOf(groups map[string]int, key string) int {
	n, ok := groups[key]
	if !ok {
		n = len(groups)
		groups[key] = n
	}
	return n
}

// RetrievalEval is a record {image, caption: [...]} of retrieval evaluation.
type RetrievalEval struct {
	Image    string // path
	Captions []string
}

// ImagePaths implements [Record].
func (r RetrievalEval) ImagePaths() []string { return []string{r.Image} }

// ReadRetrievalEval reads records of retrieval evaluation with images under
// root. A caption that is a string counts as a list of one.
func ReadRetrievalEval(ctx context.Context, root string, files ...string) ([]RetrievalEval, error) {
	type wire struct {
		Image   *string `json:"image"`
		Caption *texts  `json:"caption"`
	}
	return readRecords(ctx, files, func(w *wire) (RetrievalEval, error) {
		if err := missing(presence{"image", w.Image != nil}, presence{"caption", w.Caption != nil}); err != nil {
			return RetrievalEval{}, err
		}
		image, err := imagePath(root, "image", *w.Image)
		return RetrievalEval{image, w.Caption.list}, cmp.Or(err, blank("caption", w.Caption.list...))
	})
}

// Captions lays the captions of records in one list, the order in which the
// official evaluation numbers texts, beside the record each belongs to.
func Captions(records []RetrievalEval) (captions []string, image []int) {
	for i, r := range records {
		for _, c := range r.Captions {
			captions, image = append(captions, c), append(image, i)
		}
	}
	return captions, image
}

// Entailment is a record {image, sentence, label} of visual entailment.
type Entailment struct {
	Image    string // path
	Sentence string
	Label    int // 2 entailment, 1 neutral, 0 contradiction
}

// ImagePaths implements [Record].
func (r Entailment) ImagePaths() []string { return []string{r.Image} }

// ReadEntailment reads records of visual entailment with images under root. The
// official files give image names without ".jpg", which is added; a name that
// already ends like an image file stays as it is.
func ReadEntailment(ctx context.Context, root string, files ...string) ([]Entailment, error) {
	type wire struct {
		Image    *identifier `json:"image"`
		Sentence *string     `json:"sentence"`
		Label    *string     `json:"label"`
	}
	labels := map[string]int{"entailment": 2, "neutral": 1, "contradiction": 0}
	return readRecords(ctx, files, func(w *wire) (Entailment, error) {
		err := missing(presence{"image", w.Image != nil}, presence{"sentence", w.Sentence != nil},
			presence{"label", w.Label != nil})
		if err != nil {
			return Entailment{}, err
		}
		label, ok := labels[*w.Label]
		if !ok {
			return Entailment{}, &keyError{"label", fmt.Sprintf("is %q, want entailment, neutral or contradiction", *w.Label)}
		}
		image, err := imagePath(root, "image", string(*w.Image))
		if !isImageName(image) {
			image += ".jpg"
		}
		return Entailment{image, *w.Sentence, label}, cmp.Or(err, blank("sentence", *w.Sentence))
	})
}

// isImageName tells by the end of a name whether it is one of a readable image.
func isImageName(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp":
		return true
	default:
		return false
	}
}

// NLVR is a record {images, sentence, label} of NLVR2.
type NLVR struct {
	Images   [2]string // paths
	Sentence string
	Label    int // 1 where the sentence is true of the pair
}

// ImagePaths implements [Record].
func (r NLVR) ImagePaths() []string { return r.Images[:] }

// ReadNLVR reads NLVR2 records with images under root. The label is "True" or
// "False", or a json truth value.
func ReadNLVR(ctx context.Context, root string, files ...string) ([]NLVR, error) {
	type wire struct {
		Images   *[]string `json:"images"`
		Sentence *string   `json:"sentence"`
		Label    any       `json:"label"`
	}
	return readRecords(ctx, files, func(w *wire) (NLVR, error) {
		err := missing(presence{"images", w.Images != nil}, presence{"sentence", w.Sentence != nil},
			presence{"label", w.Label != nil})
		if err != nil {
			return NLVR{}, err
		}
		if n := len(*w.Images); n != 2 {
			return NLVR{}, &keyError{"images", fmt.Sprintf("has %d entries, want 2", n)}
		}
		r := NLVR{Sentence: *w.Sentence}
		for i, name := range *w.Images {
			if r.Images[i], err = imagePath(root, "images", name); err != nil {
				return NLVR{}, err
			}
		}
		switch w.Label {
		case "True", true:
			r.Label = 1
		case "False", false:
		default:
			return NLVR{}, &keyError{"label", fmt.Sprintf("is %v, want \"True\" or \"False\"", w.Label)}
		}
		return r, blank("sentence", r.Sentence)
	})
}

// Grounding is a record {image, text, ref_id} of RefCOCO+.
type Grounding struct {
	Image string // path
	Text  string
	RefID int64 // 0 in training files that have none
	// Group numbers the images from 0 in order of first appearance over all
	// files, telling them by the last part of their path.
	Group int
}

// ImagePaths implements [Record].
func (r Grounding) ImagePaths() []string { return []string{r.Image} }

// ReadGrounding reads records of grounding with images under root. Testing
// demands ref_id.
func ReadGrounding(ctx context.Context, root string, split Split, files ...string) ([]Grounding, error) {
	type wire struct {
		Image *string `json:"image"`
		Text  *string `json:"text"`
		RefID *int64  `json:"ref_id"`
	}
	groups := map[string]int{}
	return readRecords(ctx, files, func(w *wire) (Grounding, error) {
		err := missing(presence{"image", w.Image != nil}, presence{"text", w.Text != nil},
			presence{"ref_id", w.RefID != nil || split == Training})
		if err != nil {
			return Grounding{}, err
		}
		image, err := imagePath(root, "image", *w.Image)
		if err == nil {
			err = blank("text", *w.Text)
		}
		if err != nil {
			return Grounding{}, err
		}
		r := Grounding{Image: image, Text: *w.Text, Group: groupOf(groups, path.Base(*w.Image))}
		if w.RefID != nil {
			r.RefID = *w.RefID
		}
		return r, nil
	})
}
