package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	features "vlab/albef/gallery"
	"vlab/albef/torch"
)

// SavedGallery tells what [Model.SaveGallery] did.
type SavedGallery struct {
	Path     string
	Pictures int // in the file
	Encoded  int // now; the others were known
	Changed  int // of those, pictures that were in the file and are other ones now
	Gone     int // pictures that were in the file and are none of the gallery's any more
	Bad      []string
	Written  bool // false: the file was up to date
}

// SaveGallery makes a file of a gallery's features, or brings one up to date,
// that [OpenGallery] opens at once: by custom its name ends in .vgal. Features
// are rounded to half precision. A picture whose file has the size and the time
// that are noted, or that was searched in this session, is not encoded again. A
// file that another model made is an error, and so is one that is no saved
// gallery. When ctx ends first, the file gets what is encoded so far, and the next
// call goes on.
func (m *Model) SaveGallery(ctx context.Context, g *Images, path string) (*SavedGallery, error) {
	out := &SavedGallery{Path: path}
	err := m.work(ctx, "save gallery", func(ctx context.Context, s *torch.Scope) error {
		if g.Len() == 0 {
			return errEmptyGallery
		}
		a := &archive{model: m, images: g, out: out, path: homePath(path)}
		err := a.open()
		if err == nil {
			err = a.plan()
		}
		if err == nil && !a.upToDate() {
			err = a.write(ctx, s)
		}
		return errors.Join(err, a.close())
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// String tells it in a line.
func (s *SavedGallery) String() string {
	if s == nil {
		return "no saved gallery"
	}
	what := fmt.Sprintf("%s: %d pictures", s.Path, s.Pictures)
	switch {
	case !s.Written:
		what += ", up to date"
	case s.Changed > 0:
		what += fmt.Sprintf(", %d encoded, %d of them had changed", s.Encoded, s.Changed)
	default:
		what += fmt.Sprintf(", %d encoded", s.Encoded)
	}
	if s.Gone > 0 {
		what += fmt.Sprintf(", %d gone", s.Gone)
	}
	if n := len(s.Bad); n > 0 {
		what += fmt.Sprintf("; %d can't be read, the first: %s", n, s.Bad[0])
	}
	return what
}

// archive is a gallery on its way into a file.
type archive struct {
	model  *Model
	images *Images
	out    *SavedGallery
	path   string

	old   *savedFile // what is there already, or nil
	hash  features.Hash
	seen  *seenGallery // what this session knows, or nil
	plans []planned    // a picture of the gallery each
	bad   []badPicture
}

// open opens what is there already.
func (a *archive) open() (err error) {
	if a.hash, err = a.model.featureHash(); err != nil {
		return err
	}
	for _, seen := range a.model.seen {
		if seen.images == a.images {
			a.seen = seen
		}
	}
	if _, err := os.Stat(a.path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if !features.Is(a.path) {
		return hinted("name a new file, such as photos.vgal", "%s is there, and is no saved gallery", a.path)
	}
	if a.old, err = openSavedFile(a.path); err != nil {
		return err
	}
	return a.model.fits(a.old)
}

func (a *archive) close() error {
	if a.old == nil {
		return nil
	}
	return a.old.Close()
}

// write makes the new file, a batch at a time.
func (a *archive) write(ctx context.Context, s *torch.Scope) error {
	w, err := features.Create(a.path, len(a.plans), a.model.config.EmbedDim, a.hash)
	if err != nil {
		return err
	}
	bar := newBar(ctx, "reading pictures", len(a.plans), 2*imageBatch)
	defer bar.done()
	for first := 0; first < len(a.plans); first += imageBatch {
		if err := a.writeBatch(ctx, s, w, first, min(first+imageBatch, len(a.plans))); err != nil {
			return errors.Join(err, w.Discard())
		}
		bar.set(first)
	}
	if a.out.Pictures == 0 {
		return errors.Join(a.nothing(ctx), w.Discard())
	}
	g := a.images
	note, err := json.Marshal(savedNote{
		Model: a.model.name, ImageRes: a.model.config.ImageRes, From: g.from, Drawn: g.drawn, Seed: g.seed, Bad: a.bad,
	})
	if err != nil {
		return errors.Join(err, w.Discard())
	}
	if err := w.Finish(note); err != nil {
		return err
	}
	a.out.Written = true
	if err := ctx.Err(); err != nil {
		return hinted("saving it again goes on", "%d of %d pictures are in %s: %w", a.out.Pictures, len(a.plans), a.path, err)
	}
	return nil
}

// nothing is why no picture came into the file.
func (a *archive) nothing(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return fmt.Errorf("none of the gallery's pictures can be read%s", a.images.badNote())
}

// writeBatch adds the pictures from first up to end. Once ctx has ended, those
// that would have to be encoded are left out.
func (a *archive) writeBatch(ctx context.Context, s *torch.Scope, w *features.Writer, first, end int) error {
	made := a.encode(ctx, s, first, end)
	for i := first; i < end; i++ {
		p := a.plans[i]
		var err error
		switch {
		case p.bad != "":
			a.bad, a.out.Bad = append(a.bad, badPicture{p.Picture, p.bad}), append(a.out.Bad, p.bad)
			continue
		case p.old >= 0:
			err = w.Copy(p.Picture, a.old.File, p.old)
		case p.seen >= 0:
			dim := a.model.config.EmbedDim
			err = w.Add(p.Picture, a.seen.feats[p.seen*dim:(p.seen+1)*dim])
		case made[i] != nil:
			err = w.Add(p.Picture, made[i])
		default:
			continue // ctx has ended
		}
		if err != nil {
			return err
		}
		a.out.Pictures++
	}
	return nil
}

// encode makes the features of the pictures from first up to end that aren't
// known and can be read, by picture.
func (a *archive) encode(ctx context.Context, s *torch.Scope, first, end int) map[int][]float32 {
	m, res := a.model, a.model.config.ImageRes
	var pixels []float32
	var which []int
	for i := first; i < end; i++ {
		p := &a.plans[i]
		if p.bad != "" || p.old >= 0 || p.seen >= 0 || ctx.Err() != nil {
			continue
		}
		one := make([]float32, 3*res*res)
		if err := a.images.pixels(i, res, one); err != nil {
			p.bad = err.Error()
			continue
		}
		pixels, which = append(pixels, one...), append(which, i)
	}
	made := map[int][]float32{}
	if len(which) == 0 {
		return made
	}
	s.Do(func(s *torch.Scope) {
		all := m.imageFeats(m.core.Image.Forward(s.Floats(pixels, len(which), 3, res, res).ToDevice(m.device))).Floats()
		for row, i := range which {
			made[i] = all[row*m.config.EmbedDim : (row+1)*m.config.EmbedDim]
		}
	})
	a.out.Encoded += len(which)
	return made
}
