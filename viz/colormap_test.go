package viz_test

import (
	"image/color"
	"math"
	"strings"
	"testing"

	"vlab/viz"
)

func TestColormapNamed(t *testing.T) {
	for _, name := range viz.Colormaps() {
		if cm, err := viz.ColormapNamed(strings.ToUpper(name)); err != nil || cm == nil {
			t.Errorf("%s: got %v", name, err)
		}
	}
	_, err := viz.ColormapNamed("rainbow")
	hint, ok := err.(interface{ Hint() string })
	if !ok || !strings.Contains(hint.Hint(), "viridis") {
		t.Errorf("got error %v, want one whose hint names the colour maps", err)
	}
}

func TestColormapClamps(t *testing.T) {
	for _, name := range viz.Colormaps() {
		cm, err := viz.ColormapNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		if cm(-3) != cm(0) || cm(math.NaN()) != cm(0) || cm(9) != cm(1) || cm(.5).A != 255 {
			t.Errorf("%s: values outside 0..1 are not clamped", name)
		}
	}
}

// TestPublishedColours compares with colours read from matplotlib: those of jet exactly, those of the others, which are drawn
// through seventeen of them, within four levels.
func TestPublishedColours(t *testing.T) {
	tests := []struct {
		cm    viz.Colormap
		name  string
		at    float64
		want  uint32
		level int
	}{
		{viz.Jet, "jet", 0, 0x00007f, 0},
		{viz.Jet, "jet", 0.1, 0x0000f1, 0},
		{viz.Jet, "jet", 0.125, 0x0000ff, 0},
		{viz.Jet, "jet", 0.25, 0x0080ff, 0},
		{viz.Jet, "jet", 0.3, 0x00b0ff, 0},
		{viz.Jet, "jet", 0.4, 0x29ffcd, 0},
		{viz.Jet, "jet", 0.5, 0x7cff79, 0},
		{viz.Jet, "jet", 0.65, 0xf7f400, 0},
		{viz.Jet, "jet", 0.75, 0xff9400, 0},
		{viz.Jet, "jet", 0.9, 0xf10700, 0},
		{viz.Jet, "jet", 1, 0x7f0000, 0},
		{viz.Turbo, "turbo", 0, 0x30123b, 4},
		{viz.Turbo, "turbo", 0.08, 0x424bb5, 4},
		{viz.Turbo, "turbo", 0.17, 0x4587fb, 4},
		{viz.Turbo, "turbo", 0.3, 0x18d5cc, 4},
		{viz.Turbo, "turbo", 0.47, 0x8bfe4b, 4},
		{viz.Turbo, "turbo", 0.6, 0xe1dc37, 4},
		{viz.Turbo, "turbo", 0.72, 0xfd952b, 4},
		{viz.Turbo, "turbo", 0.85, 0xdd3c07, 4},
		{viz.Turbo, "turbo", 0.95, 0xa01101, 4},
		{viz.Turbo, "turbo", 1, 0x7a0402, 4},
		{viz.Viridis, "viridis", 0, 0x440154, 4},
		{viz.Viridis, "viridis", 0.08, 0x481d6f, 4},
		{viz.Viridis, "viridis", 0.17, 0x433a83, 4},
		{viz.Viridis, "viridis", 0.3, 0x345e8d, 4},
		{viz.Viridis, "viridis", 0.47, 0x23898d, 4},
		{viz.Viridis, "viridis", 0.6, 0x22a784, 4},
		{viz.Viridis, "viridis", 0.72, 0x4dc26b, 4},
		{viz.Viridis, "viridis", 0.85, 0x9ad83c, 4},
		{viz.Viridis, "viridis", 0.95, 0xdfe318, 4},
		{viz.Viridis, "viridis", 1, 0xfde724, 4},
		{viz.Magma, "magma", 0, 0x000003, 4},
		{viz.Magma, "magma", 0.08, 0x0e0a2a, 4},
		{viz.Magma, "magma", 0.17, 0x2d1060, 4},
		{viz.Magma, "magma", 0.3, 0x63197f, 4},
		{viz.Magma, "magma", 0.47, 0xa9327c, 4},
		{viz.Magma, "magma", 0.6, 0xdd4968, 4},
		{viz.Magma, "magma", 0.72, 0xf9795c, 4},
		{viz.Magma, "magma", 0.85, 0xfeb77d, 4},
		{viz.Magma, "magma", 0.95, 0xfce6a8, 4},
		{viz.Magma, "magma", 1, 0xfbfcbf, 4},
	}
	for _, c := range tests {
		got, want := c.cm(c.at), color.RGBA{uint8(c.want >> 16), uint8(c.want >> 8), uint8(c.want), 255}
		for k, d := range []int{int(got.R) - int(want.R), int(got.G) - int(want.G), int(got.B) - int(want.B)} {
			if max(d, -d) > c.level {
				t.Errorf("%s(%g) channel %d: got %v, want %v", c.name, c.at, k, got, want)
			}
		}
	}
}

// TestLightnessRises holds what viridis and magma are for.
func TestLightnessRises(t *testing.T) {
	for name, cm := range map[string]viz.Colormap{"viridis": viz.Viridis, "magma": viz.Magma, "gray": viz.Gray} {
		last := -1.0
		for i := range 101 {
			c := cm(float64(i) / 100)
			light := .2126*linear(c.R) + .7152*linear(c.G) + .0722*linear(c.B)
			if light < last-.001 {
				t.Fatalf("%s: lightness falls at %d %%", name, i)
			}
			last = light
		}
	}
}

func linear(v uint8) float64 { return math.Pow(float64(v)/255, 2.2) }
