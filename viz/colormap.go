package viz

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"
)

// Colormap turns a value between 0 and 1 into an opaque colour. Values outside are clamped, and NaN counts as 0.
type Colormap func(t float64) color.RGBA

// Turbo is a bright rainbow whose lightness rises and falls smoothly; it is what figures use by default.
func Turbo(t float64) color.RGBA { return stops(t, turboStops) }

// Viridis runs from dark violet over green to yellow, its lightness rising evenly.
func Viridis(t float64) color.RGBA { return stops(t, viridisStops) }

// Magma runs from black over red to pale yellow, its lightness rising evenly.
func Magma(t float64) color.RGBA { return stops(t, magmaStops) }

// Gray runs from black to white.
func Gray(t float64) color.RGBA {
	g := byte8(unit(t))
	return color.RGBA{R: g, G: g, B: g, A: 255}
}

// Jet is matplotlib's 'jet' with its 256 steps, for pictures to be compared with the paper's.
func Jet(t float64) color.RGBA {
	c := jet(t)
	// matplotlib cuts off where others round.
	return color.RGBA{R: uint8(c[0] * 255), G: uint8(c[1] * 255), B: uint8(c[2] * 255), A: 255}
}

// Colormaps lists the names that [ColormapNamed] knows, sorted.
func Colormaps() []string { return []string{"gray", "jet", "magma", "turbo", "viridis"} }

// ColormapNamed finds a colour map by its name; case does not matter. An unknown name is an error whose hint lists
// the known ones.
func ColormapNamed(name string) (Colormap, error) {
	maps := []Colormap{Gray, Jet, Magma, Turbo, Viridis}
	i := slices.Index(Colormaps(), strings.ToLower(name))
	if i < 0 {
		return nil, unknownColormap(name)
	}
	return maps[i], nil
}

// unknownColormap is the error for a name that no colour map has.
type unknownColormap string

func (e unknownColormap) Error() string { return fmt.Sprintf("unknown colour map %q", string(e)) }

// Hint names the colour maps there are.
func (e unknownColormap) Hint() string { return "one of " + strings.Join(Colormaps(), ", ") }

// Seventeen evenly spaced colours of each map are enough: a smooth curve through them stays within four levels of
// the published tables of 256.
const (
	turboStops   = "30123b4040a1466be34293ff29bbec18dcc331f2996bfd64a3fd3ccced34edd03afdae35fb8022ec520fd23105ac17017a0403"
	viridisStops = "44015448186a472d7b4240863b528b33638d2c728e26818e21908c1f9f8828ae803ebc745dc96382d34cabdc32d5e21afde725"
	magmaStops   = "0000040a08221d114636106a50127c691c818226819c2e7fb63779cf4170e65163f5695cfb8761fea571fec387fde0a2fcfdbf"
)

// stops draws a Catmull-Rom curve through evenly spaced colours, each six hexadecimal digits of table.
func stops(t float64, table string) color.RGBA {
	n := len(table) / 6
	p := unit(t) * float64(n-1)
	i := min(int(p), n-2)
	f := p - float64(i)
	channel := func(k int) uint8 {
		at := func(j int) float64 { return stop(table, j, k) }
		a, b, c, d := 0.0, at(i), at(i+1), 0.0
		// Beyond the ends the line goes on straight, so that the first and last steps keep their slope.
		if a = 2*b - c; i > 0 {
			a = at(i - 1)
		}
		if d = 2*c - b; i+2 < n {
			d = at(i + 2)
		}
		v := b + f/2*(c-a+f*(2*a-5*b+4*c-d+f*(3*(b-c)+d-a)))
		return byte8(v / 255)
	}
	return color.RGBA{R: channel(0), G: channel(1), B: channel(2), A: 255}
}

// stop is channel k (0 red, 1 green, 2 blue) of colour i of a table.
func stop(table string, i, k int) float64 {
	at := 6*i + 2*k
	return float64(strings.IndexByte("0123456789abcdef", table[at])*16 + strings.IndexByte("0123456789abcdef", table[at+1]))
}

// jet is [Jet] before rounding to bytes. Each channel is a chain of straight lines, read at 256 levels.
func jet(t float64) [3]float64 {
	x := math.Min(math.Floor(unit(t)*256), 255)
	return [3]float64{
		polyline(x, 0, 0, .35, 0, .66, 1, .89, 1, 1, .5),
		polyline(x, 0, 0, .125, 0, .375, 1, .64, 1, .91, 0, 1, 0),
		polyline(x, 0, .5, .11, 1, .34, 1, .65, 0, 1, 0),
	}
}

// polyline reads the height at level x, 0 to 255, of a line through points given as x, y, x, y, ..., x rising from 0 to 1. It works in
// levels, as matplotlib does, so that rounding falls alike.
func polyline(x float64, p ...float64) float64 {
	for i := 2; i < len(p); i += 2 {
		if from, to := p[i-2]*255, p[i]*255; x <= to {
			// The conversion keeps processors that can from fusing product and sum, which rounds otherwise.
			return float64((x-from)/(to-from)*(p[i+1]-p[i-1])) + p[i-1]
		}
	}
	return p[len(p)-1]
}

// unit clamps t to 0..1, and NaN to 0.
func unit(t float64) float64 {
	if !(t > 0) {
		return 0
	}
	return min(t, 1)
}

// byte8 turns 0..1 into 0..255, rounding to nearest and clamping what overshoots.
func byte8(t float64) uint8 { return uint8(unit(t)*255 + .5) }
