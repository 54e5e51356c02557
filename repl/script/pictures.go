package script

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// picture is one picture among the forms of a value.
type picture struct {
	ext  string // with its dot
	data []byte
	err  error
}

// picturesOf returns the pictures among the forms of a value. Where there are
// several forms, one of pixels and one of lines is kept each.
func picturesOf(data map[string]any) []picture {
	kinds := []struct{ mime, ext string }{
		{"image/png", ".png"}, {"image/jpeg", ".jpg"}, {"image/gif", ".gif"}, {"image/svg+xml", ".svg"}, {"application/pdf", ".pdf"},
	}
	var found []picture
	for _, k := range kinds {
		switch v := data[k.mime].(type) {
		case []byte:
			found = append(found, picture{ext: k.ext, data: v})
		case string:
			if k.ext == ".svg" {
				found = append(found, picture{ext: k.ext, data: []byte(v)})
				continue
			}
			raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(v), ""))
			if err != nil {
				err = fmt.Errorf("a picture of type %s that is neither bytes nor base64: %w", k.mime, err)
			}
			found = append(found, picture{ext: k.ext, data: raw, err: err})
		}
	}
	return found
}

// pictures writes the pictures of a run into a folder.
type pictures struct {
	dir   string
	names map[string]string // of displays with an ID: ID and extension to path
}

// write writes a picture and returns its path: cell03-1.png is the first of cell
// 3. An update of a display goes into the file of the display.
func (p pictures) write(cell int, drawn *int, id string, pic picture) (string, error) {
	if pic.err != nil {
		return "", pic.err
	}
	key := id + "\x00" + pic.ext
	path, again := p.names[key]
	if id == "" || !again {
		*drawn++
		path = filepath.Join(p.dir, fmt.Sprintf("cell%02d-%d%s", cell, *drawn, pic.ext))
	}
	if id != "" {
		p.names[key] = path
	}
	if p.dir != "" {
		if err := os.MkdirAll(p.dir, 0o755); err != nil {
			return "", fmt.Errorf("write picture: %w", err)
		}
	}
	if err := replaceFile(path, pic.data); err != nil {
		return "", fmt.Errorf("write picture: %w", err)
	}
	return path, nil
}
