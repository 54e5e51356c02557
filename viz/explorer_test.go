package viz_test

import (
	"encoding/base64"
	"encoding/json"
	"image"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vlab/viz"
)

// TestExplorerHoldsItsMaps reads a page's data as its script does.
func TestExplorerHoldsItsMaps(t *testing.T) {
	m := viz.Map{W: 2, H: 2, V: []float32{0, .25, .5, -1}}
	empty := viz.Map{W: 2, H: 2, V: make([]float32, 4)}
	e := viz.Explorer{
		Text: "a </script> <b>", Words: []string{"</script>", "x"}, Score: .5, First: 1,
		Layers: []viz.ExplorerLayer{{Name: "0", Heads: [][]viz.Map{{m, empty, m}}}, {Name: "1", Heads: [][]viz.Map{{m, empty, m}, {empty, m, m}}}},
	}
	img := image.NewGray(image.Rect(0, 0, 40, 20))
	page, err := e.HTML(img)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(page, "</script>") != 1 || strings.Contains(page, "<b> ") || strings.Contains(page, "http") {
		t.Errorf("the text is not escaped, or the page names another:\n%s", page)
	}
	var data struct {
		Words  []string
		Size   [2]int
		First  int
		Colors string
		Layers []struct {
			Name  string
			Width int
			Heads [][]struct {
				Cells, Max string
				Peak       [2]float64
			}
		}
	}
	found := regexp.MustCompile("var data = (.*);\n").FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("no data in\n%s", page)
	}
	if err := json.Unmarshal([]byte(found[1]), &data); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(data.Words, e.Words) || data.Size != [2]int{384, 192} || data.First != 1 || len(data.Layers) != 2 || len(data.Layers[1].Heads) != 2 {
		t.Errorf("got %+v", data)
	}
	got := data.Layers[1].Heads[1]
	if got[0].Max != "0" || got[1].Max != "0.5" || got[1].Peak != [2]float64{.25, .75} || data.Layers[1].Width != 2 {
		t.Errorf("got %+v, want an empty map and one whose highest place, of 0.5, is at the lower left", got)
	}
	cells, err := base64.StdEncoding.DecodeString(got[1].Cells)
	if err != nil || !slices.Equal(cells, []byte{0, 128, 255, 0}) {
		t.Errorf("cells %v, %v, want 0 128 255 0", cells, err)
	}
	colors, err := base64.StdEncoding.DecodeString(data.Colors)
	if top := viz.Turbo(1); err != nil || len(colors) != 768 || !slices.Equal(colors[765:], []byte{top.R, top.G, top.B}) {
		t.Errorf("the colours end with %v, want %v", colors[765:], top)
	}
	again, err := e.HTML(img)
	if err != nil || again == page {
		t.Errorf("two explorers share their name (%v)", err)
	}
}
