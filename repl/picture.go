package repl

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	_ "image/gif"  // for image.Decode
	_ "image/jpeg" // for image.Decode
	_ "image/png"  // for image.Decode
	"strings"

	"vlab/viz"

	tea "charm.land/bubbletea/v2"
)

// maxPixels is the largest picture that is drawn in the terminal, 100 megapixels;
// a larger one would take more memory than the picture is worth here.
const maxPixels = 100_000_000

// pictureMsg brings a picture drawn for a width.
type pictureMsg struct {
	item *item
	of   *byte // the first byte of what was drawn; the item may show another by now
	size cells
	rows []string
	err  error
}

// cells is a size in character cells.
type cells struct{ w, h int }

// pictureOf returns the encoded picture among the forms of a value, if the
// terminal can draw one of them.
func pictureOf(data map[string]any) ([]byte, bool) {
	for _, mime := range []string{"image/png", "image/jpeg", "image/gif"} {
		switch v := data[mime].(type) {
		case []byte:
			return v, len(v) > 0
		case string: // as notebooks have it
			raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(v), ""))
			if err == nil && len(raw) > 0 {
				return raw, true
			}
		}
	}
	return nil, false
}

// drawPicture is the command that decodes a picture and draws it in at most
// size; it is never drawn larger than one pixel a cell.
func drawPicture(it *item, size cells) tea.Cmd {
	data := it.picture
	return func() tea.Msg {
		rows, err := pictureRows(data, size)
		return pictureMsg{item: it, of: &data[0], size: size, rows: rows, err: err}
	}
}

// pictureRows decodes a picture and returns it as rows of half blocks.
func pictureRows(data []byte, size cells) ([]string, error) {
	conf, kind, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	if conf.Width <= 0 || conf.Height <= 0 || conf.Width > maxPixels/conf.Height {
		return nil, fmt.Errorf("read picture: a %s of %dx%d pixels is not drawn here", kind, conf.Width, conf.Height)
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	cols, rows := min(size.w, conf.Width), min(size.h, (conf.Height+1)/2)
	text := viz.HalfBlocks(img, max(1, cols), max(1, rows))
	return selfContained(strings.TrimRight(text, "\n")), nil
}
