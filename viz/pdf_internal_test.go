package viz

import (
	"bytes"
	"strings"
	"testing"
)

// TestPDFRaisesQuadraticCurves looks at the control points on a page 100 points high, where y grows upwards.
func TestPDFRaisesQuadraticCurves(t *testing.T) {
	d := newPDF(page{w: 100, h: 100, scale: 1})
	d.SetCompression(false)
	d.trace(path{{moveTo, [3]point{{0, 0}}}, {quadTo, [3]point{{15, 30}, {45, 0}}}}, 2)
	var file bytes.Buffer
	if err := d.Output(&file); err != nil {
		t.Fatal(err)
	}
	if want := "20.00000 60.00000 50.00000 60.00000 90.00000 100.00000 c"; !strings.Contains(file.String(), want) {
		t.Errorf("got no %q in the page", want)
	}
}
