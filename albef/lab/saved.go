package lab

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	features "vlab/albef/gallery"
)

// savedFile is a file of [Model.SaveGallery].
type savedFile struct {
	*features.File
	note   savedNote
	folder string // that names are relative to
}

// savedNote is what a file says of itself.
type savedNote struct {
	Model    string       `json:"model"` // what the model was called
	ImageRes int          `json:"image_res"`
	From     string       `json:"from"`
	Drawn    bool         `json:"drawn,omitempty"`
	Seed     uint64       `json:"seed,omitempty"`
	Bad      []badPicture `json:"bad,omitempty"`
}

// badPicture is one that could not be read when the file was made.
type badPicture struct {
	features.Picture
	Reason string
}

// OpenGallery opens a file of [Model.SaveGallery] to be searched, at once: it is
// mapped into memory, not read. Searching it takes the model that it was made
// with. Of the pictures themselves those that are found are read, and what has
// changed or gone since is told then. A file that is damaged or cut off is an
// error, here or when the damaged part is first read. The caller closes the
// gallery.
func OpenGallery(path string) (*Images, error) {
	return openSaved(homePath(path))
}

func openSaved(path string) (*Images, error) {
	f, err := openSavedFile(path)
	if err != nil {
		return nil, err
	}
	g := &Images{from: path, saved: f, drawn: f.note.Drawn, seed: f.note.Seed, bad: map[int]error{}}
	if g.drawn {
		g.count = f.Len()
	}
	return g, nil
}

func openSavedFile(path string) (*savedFile, error) {
	f, err := features.Open(path)
	if err != nil {
		return nil, err
	}
	out := &savedFile{File: f, folder: filepath.Dir(path)}
	if err := json.Unmarshal(f.Note(), &out.note); err != nil {
		_ = f.Close() // its memory alone
		return nil, hinted("it was made by another program", "open saved gallery %s: its note: %w", path, err)
	}
	return out, nil
}

// Close gives the memory of a saved gallery back; of another one it does
// nothing.
func (g *Images) Close() error {
	if g == nil || g.saved == nil {
		return nil
	}
	return g.saved.Close()
}

// name is the path of picture i; "" where the file is damaged or closed.
func (f *savedFile) name(i int) string {
	p, err := f.Picture(i)
	if err != nil {
		return ""
	}
	return f.pathOf(p.Name)
}

// pathOf makes a name in the file a path.
func (f *savedFile) pathOf(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(f.folder, filepath.FromSlash(name))
}

// nameFor is what a file in folder calls a picture: its path from there if it
// lies below, so that both can be moved together, else the whole path.
func nameFor(folder, path string) (string, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return "", fmt.Errorf("the folder %s: %w", folder, err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", fmt.Errorf("the picture %s: %w", path, err)
	}
	if below, err := filepath.Rel(folder, path); err == nil && filepath.IsLocal(below) {
		return filepath.ToSlash(below), nil
	}
	return path, nil
}

// stamp is a picture's file as it is now: its size and when it was written; of a
// drawn scene nothing.
func stamp(path string) (size, written int64, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, 0, err
	}
	return info.Size(), info.ModTime().UnixNano(), nil
}

// changed reports whether picture i of a saved gallery isn't the one any more
// whose features the file has; one that is gone is an error, and noted.
func (g *Images) changed(i int) (bool, error) {
	p, err := g.saved.Picture(i)
	if err != nil || g.drawn {
		return false, err
	}
	size, written, err := stamp(g.saved.pathOf(p.Name))
	if err != nil {
		err = fmt.Errorf("%s has gone since %s was saved: %w", g.saved.pathOf(p.Name), g.from, reason(err))
		g.markBad(i, err)
		return false, &goneError{err}
	}
	return size != p.Size || written != p.Time, nil
}

// goneError is a picture that is not there any more.
type goneError struct{ error }

// reason is why a file can't be looked at, without its path.
func reason(err error) error {
	if at, ok := err.(*fs.PathError); ok { //nolint:errorlint // os.Stat's own, not wrapped
		return at.Err
	}
	return err
}

// fits is an error for a saved gallery that another model made; the caller is
// within work.
func (m *Model) fits(f *savedFile) error {
	own, err := m.featureHash()
	if err != nil {
		return err
	}
	if f.Model() == own {
		return nil
	}
	return hinted(fmt.Sprintf("make it anew: remove %s, or name another file, and save the gallery with this model", f.Path()),
		"%s was made with another model: %s (%s, %d px), this is %s (%s, %d px)",
		f.Path(), f.Model(), f.note.Model, f.note.ImageRes, own, m.name, m.config.ImageRes)
}
