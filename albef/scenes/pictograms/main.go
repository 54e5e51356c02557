// Command pictograms makes pictograms.png, a sheet of the pictograms that scenes
// may hold, out of the npm package emoji-datasource-google: see build.sh.
//
// usage: pictograms PACKAGE LIST SHEET
//
// LIST has a line for each pictogram: the word for it, and its short name in the
// package's emoji.json. The sheet has eight a row, 64 pixels wide and high each,
// in the order of the list.
package main

import (
	"encoding/json"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strings"
)

const side, columns = 64, 8

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: pictograms PACKAGE LIST SHEET")
		os.Exit(2)
	}
	if err := build(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "pictograms:", err)
		os.Exit(1)
	}
}

func build(folder, list, sheet string) error {
	raw, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	files, err := imagesOf(folder)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	out := image.NewNRGBA(image.Rect(0, 0, columns*side, (len(lines)+columns-1)/columns*side))
	for i, line := range lines {
		word, name, _ := strings.Cut(line, " ")
		file, ok := files[name]
		if !ok {
			return fmt.Errorf("%s: line %d: %s has no %q for %s", list, i+1, folder, name, word)
		}
		picture, err := read(filepath.Join(folder, "img", "google", "64", file))
		if err != nil {
			return err
		}
		at := image.Pt(i%columns*side, i/columns*side)
		draw.Draw(out, image.Rectangle{Min: at, Max: at.Add(image.Pt(side, side))}, picture, picture.Bounds().Min, draw.Src)
	}
	f, err := os.Create(sheet)
	if err != nil {
		return err
	}
	defer f.Close()
	best := png.Encoder{CompressionLevel: png.BestCompression}
	if err := best.Encode(f, out); err != nil {
		return fmt.Errorf("%s: %w", sheet, err)
	}
	return f.Close()
}

// imagesOf maps the package's short names to its files.
func imagesOf(folder string) (map[string]string, error) {
	raw, err := os.ReadFile(filepath.Join(folder, "emoji.json"))
	if err != nil {
		return nil, err
	}
	var all []struct {
		Name  string `json:"short_name"`
		Image string `json:"image"`
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("%s: emoji.json: %w", folder, err)
	}
	files := make(map[string]string, len(all))
	for _, one := range all {
		files[one.Name] = one.Image
	}
	return files, nil
}

func read(path string) (image.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	picture, err := png.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return picture, nil
}
