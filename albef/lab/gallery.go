package lab

import (
	"context"
	"errors"
	"fmt"
	"image"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"vlab/albef/data"
	features "vlab/albef/gallery"
	"vlab/albef/scenes"
)

// Images is a gallery: pictures that are searched by text, loaded when they are
// needed. Its pictures are numbered from 0.
type Images struct {
	from     string
	paths    []string   // of files; nil for drawn scenes and saved galleries
	captions [][]string // by picture; nil: unknown
	drawn    bool
	seed     uint64     // of scenes
	count    int        // of scenes
	saved    *savedFile // nil: not opened from one

	mu  sync.Mutex
	bad map[int]error // pictures that could not be read
}

// sceneSide is the side of a drawn picture where a person sees it, in pixels.
const sceneSide = 256

// Load reads a picture: JPEG, PNG, GIF, WebP or BMP.
func Load(path string) (image.Image, error) {
	img, err := data.Decode(homePath(path), 0)
	if err != nil {
		return nil, fmt.Errorf("load picture: %w", err)
	}
	return img, nil
}

// Gallery opens the pictures of a folder and the folders below it, those that a
// json file in the official pretraining or retrieval format names, or a file of
// [Model.SaveGallery], see [OpenGallery]. Image names in the json are relative to
// root, or without it to the json's own folder. A picture that can't be read is skipped, counted and named when it is
// first needed, see [Images.Bad].
func Gallery(path string, root ...string) (*Images, error) {
	g, err := gallery(homePath(path), root)
	if err != nil {
		return nil, fmt.Errorf("open gallery %s: %w", path, err)
	}
	return g, nil
}

func gallery(path string, root []string) (*Images, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, hinted("name a folder of pictures or an annotation json", "%w", errors.Unwrap(err))
	}
	g := &Images{from: path, bad: map[int]error{}}
	if info.IsDir() {
		g.paths, err = data.Folder(path)
		return g, err
	}
	if features.Is(path) {
		return openSaved(path)
	}
	if !strings.EqualFold(filepath.Ext(path), ".json") {
		return nil, hinted("one picture is opened by lab.Load", "neither a folder, a .json file nor a saved gallery")
	}
	folder := filepath.Dir(path)
	if len(root) > 0 && root[0] != "" {
		folder = homePath(root[0])
	}
	records, err := data.ReadRetrievalEval(context.Background(), folder, path)
	if err != nil {
		return nil, err
	}
	g.addRecords(records)
	if _, err := os.Stat(g.paths[0]); err != nil {
		return g, g.checkFiles(folder)
	}
	return g, nil
}

// addRecords lists every picture once, with the captions of all its records.
func (g *Images) addRecords(records []data.RetrievalEval) {
	place := map[string]int{}
	for _, r := range records {
		i, ok := place[r.Image]
		if !ok {
			i = len(g.paths)
			place[r.Image] = i
			g.paths, g.captions = append(g.paths, r.Image), append(g.captions, nil)
		}
		g.captions[i] = append(g.captions[i], r.Captions...)
	}
}

// checkFiles is an error when none of the files is there.
func (g *Images) checkFiles(folder string) error {
	for _, p := range g.paths {
		if _, err := os.Stat(p); err == nil {
			return nil
		}
	}
	return hinted("name the folder of the images too: lab.Gallery(json, folder)",
		"none of its %d images is under %s; the first is %s", len(g.paths), folder, g.paths[0])
}

// Scenes is a gallery of n scenes of the test split, drawn from a seed when
// they are needed.
func Scenes(seed uint64, n int) *Images {
	return &Images{from: fmt.Sprintf("drawn scenes, seed %d", seed), drawn: true, seed: seed, count: max(n, 0), bad: map[int]error{}}
}

// Len returns the number of pictures.
func (g *Images) Len() int {
	switch {
	case g == nil:
		return 0
	case g.drawn:
		return g.count
	case g.saved != nil:
		return g.saved.Len()
	}
	return len(g.paths)
}

// check is an error where there is no picture i.
func (g *Images) check(i int) error {
	if i < 0 || i >= g.Len() {
		return hinted(fmt.Sprintf("pictures are numbered from 0, and there are %d", g.Len()), "gallery: no picture %d", i)
	}
	return nil
}

// Name returns the path of picture i, or the number of a drawn scene; "" where
// there is no such picture.
func (g *Images) Name(i int) string {
	switch {
	case g.check(i) != nil:
		return ""
	case g.drawn:
		return fmt.Sprintf("scene %d", i)
	case g.saved != nil:
		return g.saved.name(i)
	}
	return g.paths[i]
}

// Image returns picture i; a drawn scene is 256 pixels wide and high.
func (g *Images) Image(i int) (image.Image, error) {
	if err := g.check(i); err != nil {
		return nil, err
	}
	if g.drawn {
		return g.Scene(i).Render(sceneSide), nil
	}
	img, err := data.Decode(g.Name(i), 0)
	if err != nil {
		g.markBad(i, err)
		return nil, err
	}
	return img, nil
}

// Scene returns what drawn picture i shows, its boxes in the pixels of
// [Images.Image]; nil where the pictures aren't drawn scenes.
func (g *Images) Scene(i int) *scenes.Scene {
	if g.check(i) != nil || !g.drawn {
		return nil
	}
	s := scenes.Generate(g.seed, i, scenes.Options{Split: scenes.Test, Size: sceneSide})
	return &s
}

// Captions returns what is known to be true of picture i: the json's captions,
// or the description of a drawn scene; nil where nothing is.
func (g *Images) Captions(i int) []string {
	switch {
	case g.check(i) != nil:
		return nil
	case g.drawn:
		return []string{scenes.Describe(*g.Scene(i)).String()}
	case g.captions == nil:
		return nil
	}
	return g.captions[i]
}

// AllCaptions returns the captions of all pictures, in their order.
func (g *Images) AllCaptions() []string {
	all := make([][]string, g.Len())
	for i := range all {
		all[i] = g.Captions(i)
	}
	return slices.Concat(all...)
}

// Bad lists the pictures that could not be read so far, in their order, each
// with the reason; of a saved gallery first those that could not when it was
// saved.
func (g *Images) Bad() []string {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	var list []string
	if g.saved != nil {
		for _, b := range g.saved.note.Bad {
			list = append(list, b.Reason)
		}
	}
	for _, i := range slices.Sorted(maps.Keys(g.bad)) {
		list = append(list, g.bad[i].Error())
	}
	return list
}

func (g *Images) markBad(i int, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bad[i] = err
}

// pixels writes picture i as model input of res by res pixels.
func (g *Images) pixels(i, res int, dst []float32) error {
	if g.drawn {
		return data.NewResized(res).Apply(data.FromImage(g.Scene(i).Render(res)), nil, dst)
	}
	img, err := data.Decode(g.Name(i), 0)
	if err == nil {
		err = data.NewResized(res).Apply(img, nil, dst)
	}
	if err != nil {
		g.markBad(i, err)
	}
	return err
}

// String tells how many pictures there are and from where, and which could not
// be read.
func (g *Images) String() string {
	if g == nil {
		return "no gallery"
	}
	return fmt.Sprintf("%d pictures from %s", g.Len(), g.from) + g.badNote()
}

// badNote is a sentence on pictures that could not be read, "" without any.
func (g *Images) badNote() string {
	const named = 3
	bad := g.Bad()
	if len(bad) == 0 {
		return ""
	}
	more := ""
	if len(bad) > named {
		more = "; ..."
	}
	return fmt.Sprintf("\n%d could not be read and are left out: %s%s", len(bad), strings.Join(bad[:min(named, len(bad))], "; "), more)
}
