package data

import "math/rand/v2"

// Source is what a [Loader] loads from. Load is called from several goroutines.
type Source interface {
	Len() int
	// Load writes the pixels of sample i into dst and returns its text. All
	// that is random comes from rng. After an error the content of dst is
	// undefined.
	Load(i int, rng *rand.Rand, dst []float32) (text string, err error)
}

// RecordSource loads the images of records through a [Transform]; the images of
// a record follow each other in dst. Make it with [NewRecordSource].
type RecordSource[R Record] struct {
	records   []R
	transform Transform
	text      func(r R, rng *rand.Rand) string
	decoders  freeList[Decoder]
}

// NewRecordSource returns a source of records. text gives the text of a record;
// nil means none.
func NewRecordSource[R Record](records []R, t Transform, text func(r R, rng *rand.Rand) string) *RecordSource[R] {
	return &RecordSource[R]{records: records, transform: t, text: text}
}

// NewPretrainSource returns a source of pretraining records that draws one
// caption of each and passes it through clean; nil leaves captions as they are.
func NewPretrainSource(records []Pretrain, t Transform, clean func(caption string) string) *RecordSource[Pretrain] {
	return NewRecordSource(records, t, func(r Pretrain, rng *rand.Rand) string {
		caption := r.Captions[rng.IntN(len(r.Captions))]
		if clean == nil {
			return caption
		}
		return clean(caption)
	})
}

// Len is the number of records.
func (s *RecordSource[R]) Len() int { return len(s.records) }

// Load implements [Source]. Errors are those of [Decoder] and [Transform].
func (s *RecordSource[R]) Load(i int, rng *rand.Rand, dst []float32) (string, error) {
	r := s.records[i]
	text := ""
	if s.text != nil {
		text = s.text(r, rng)
	}
	d := s.decoders.take()
	if d == nil {
		d = &Decoder{}
	}
	defer func() {
		if d.footprint() <= maxKept {
			s.decoders.put(d)
		}
	}()
	paths := r.ImagePaths()
	each := len(dst) / len(paths)
	for n, path := range paths {
		img, region, err := d.DecodeFor(path, s.transform, rng)
		if err != nil {
			return "", err
		}
		if err := s.transform.ApplyPart(img, region, rng, dst[n*each:(n+1)*each]); err != nil {
			return "", err
		}
	}
	return text, nil
}

// maxKept bounds the memory of a decoder that waits for its next picture, lest
// one huge picture be paid for to the end of the run.
const maxKept = 64 << 20

func (d *Decoder) footprint() int {
	return cap(d.file) + cap(d.cmyk) + cap(d.img.Pix) + cap(d.other.Pix) + d.jpeg.held()
}
