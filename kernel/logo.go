package kernel

import (
	"fmt"
	"math"
	"path/filepath"

	"github.com/fogleman/gg"
)

// logoSizes are the edges, in pixels, of the logos that front ends look for.
var logoSizes = [...]int{32, 64}

// writeLogos draws logo-32x32.png and logo-64x64.png into a folder.
func writeLogos(dir string) error {
	for _, size := range logoSizes {
		path := filepath.Join(dir, fmt.Sprintf("logo-%dx%d.png", size, size))
		if err := drawLogo(size).SavePNG(path); err != nil {
			return fmt.Errorf("write logo: %w", err)
		}
	}
	return nil
}

// drawLogo draws an eye whose iris is a heat map, warm in the middle: the lab
// shows where a model looks. All measures are in 64ths of the edge.
func drawLogo(size int) *gg.Context {
	dc := gg.NewContext(size, size)
	dc.Scale(float64(size)/64, float64(size)/64)
	dc.DrawRoundedRectangle(2, 2, 60, 60, 13)
	dc.SetHexColor("#12343b")
	dc.Fill()

	dc.MoveTo(8, 32)
	dc.QuadraticTo(32, 4, 56, 32)
	dc.QuadraticTo(32, 60, 8, 32)
	dc.ClosePath()
	dc.SetHexColor("#f4f1e8")
	dc.Fill()

	for _, ring := range []struct {
		radius float64
		colour string
	}{{13, "#2a9d8f"}, {10.5, "#e9c46a"}, {7.5, "#f4a261"}, {4.5, "#d7263d"}} {
		dc.DrawCircle(32, 32, ring.radius)
		dc.SetHexColor(ring.colour)
		dc.Fill()
	}
	dc.DrawArc(32, 32, 8.6, -2.4, -math.Pi/3)
	dc.SetLineWidth(2)
	dc.SetHexColor("#ffffff")
	dc.Stroke()
	return dc
}
