package viz

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"image"
	"image/png"
	"math"
	"strconv"
	"sync/atomic"

	"golang.org/x/image/draw"
)

// Explorer is a picture with the words of a text below it: pointing at a word, with the mouse or the keyboard, shows its map, and choosers
// take another layer and head.
type Explorer struct {
	Text   string
	Words  []string
	Score  float64 // of the match, 0 to 1
	Layers []ExplorerLayer
	First  int      // the layer that is shown first
	Colors Colormap // nil means Turbo
	Figure []byte   // a PNG for pages whose scripts may not run; none shows the picture
}

// ExplorerLayer has a layer's maps: Heads[0] are those of the mean over heads, the rest of heads 0 and up. In each the first map is the whole
// text's, the rest are the words'.
type ExplorerLayer struct {
	Name  string
	Heads [][]Map
}

//go:embed explorer.html
var explorerPage string

//nolint:gochecknoglobals // parsed once
var explorerTemplate = template.Must(template.New("explorer").Parse(explorerPage))

// explorers numbers the explorers of this process: two on one page must not share a name.
var explorers atomic.Int64 //nolint:gochecknoglobals // a counter

// explorerData is what the page's script reads.
type explorerData struct {
	Words  []string       `json:"words"`
	Layers []explorerMaps `json:"layers"`
	First  int            `json:"first"`
	Colors string         `json:"colors"` // 256 times red, green, blue, in base64
	Size   [2]int         `json:"size"`   // of the picture as it is drawn
}

// explorerMaps are a layer's maps: a byte a cell, in base64.
type explorerMaps struct {
	Name  string       `json:"name"`
	Width int          `json:"width"`
	Heads [][]explored `json:"heads"`
}

// explored is a map as a share of its largest value, which Max is.
type explored struct {
	Cells string     `json:"cells"`
	Max   string     `json:"max"`
	Peak  [2]float64 `json:"peak"`
}

// explorerSide is the longer side of the picture in a page, in pixels.
const explorerSide = 384

// HTML returns the explorer of a picture as a part of a page. It needs nothing beside itself: neither the network nor a kernel.
func (e Explorer) HTML(img image.Image) (string, error) {
	w, h := fitSize(img, explorerSide, explorerSide)
	small := image.NewNRGBA(image.Rect(0, 0, int(math.Round(w)), int(math.Round(h))))
	draw.CatmullRom.Scale(small, small.Bounds(), img, img.Bounds(), draw.Src, nil)
	picture, err := dataURL(small)
	if err != nil {
		return "", err
	}
	data := explorerData{Words: append([]string{}, e.Words...), First: e.First, Size: [2]int{small.Bounds().Dx(), small.Bounds().Dy()}, Colors: colorTable(e.Colors)}
	for _, l := range e.Layers {
		maps := explorerMaps{Name: l.Name}
		for _, head := range l.Heads {
			list := make([]explored, len(head))
			for i, m := range head {
				maps.Width = m.W
				list[i] = explore(m)
			}
			maps.Heads = append(maps.Heads, list)
		}
		data.Layers = append(data.Layers, maps)
	}
	text, err := json.Marshal(data)
	if err != nil {
		return "", fmt.Errorf("write explorer: %w", err)
	}
	figure := picture
	if len(e.Figure) > 0 {
		figure = pngURL(e.Figure)
	}
	var b bytes.Buffer
	err = explorerTemplate.Execute(&b, map[string]any{
		"ID": "vlab-explorer-" + strconv.FormatInt(explorers.Add(1), 10), "Text": e.Text, "Score": fmt.Sprintf("%.1f %%", 100*e.Score),
		"Picture": template.URL(picture), "Figure": template.URL(figure), "Data": template.JS(text), //nolint:gosec // written above, from numbers and by json
	})
	if err != nil {
		return "", fmt.Errorf("write explorer: %w", err)
	}
	return b.String(), nil
}

// explore writes a map's cells as bytes.
func explore(m Map) explored {
	m.check()
	top := m.Max()
	cells := make([]byte, len(m.V))
	for i, v := range m.V {
		if top > 0 && isFinite(float64(v)) {
			cells[i] = byte8(float64(v) / top)
		}
	}
	x, y := m.Peak()
	return explored{Cells: base64.StdEncoding.EncodeToString(cells), Max: number(top), Peak: [2]float64{round4(x), round4(y)}}
}

func round4(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// colorTable writes a colour map as bytes.
func colorTable(cm Colormap) string {
	if cm == nil {
		cm = Turbo
	}
	table := make([]byte, 0, 3*256)
	for i := range 256 {
		c := cm(float64(i) / 255)
		table = append(table, c.R, c.G, c.B)
	}
	return base64.StdEncoding.EncodeToString(table)
}

func dataURL(img image.Image) (string, error) {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return "", fmt.Errorf("encode picture: %w", err)
	}
	return pngURL(b.Bytes()), nil
}

func pngURL(b []byte) string { return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b) }
