package scenes

import (
	"image/color"
	"math/rand/v2"
)

// BackgroundKind is the way a background is painted.
type BackgroundKind int

// The kinds of background.
const (
	Flat     BackgroundKind = iota // one colour
	Gradient                       // from one colour to a neighbouring one
	Stripes                        // two neighbouring colours in turn
	Noise                          // one colour with soft blotches
)

// String returns "flat", "gradient", "stripes" or "noise".
func (k BackgroundKind) String() string {
	return [...]string{"flat", "gradient", "stripes", "noise"}[k]
}

// Background is what is behind the objects. Its seed makes the blotches of [Noise].
type Background struct {
	Kind      BackgroundKind
	From, To  color.RGBA
	Direction int // 0 along x, 1 along y, 2 and 3 along the diagonals
	Period    int // the width of a stripe in 4096ths of the picture's side
	Seed      uint64
}

// tones are the colours that backgrounds start from, none of them a colour that objects are called.
var tones = [...]color.RGBA{
	{232, 232, 228, 255},
	{206, 210, 214, 255},
	{240, 232, 210, 255},
	{206, 222, 240, 255},
	{212, 232, 214, 255},
	{224, 212, 236, 255},
	{128, 130, 134, 255},
	{104, 118, 130, 255},
	{150, 140, 124, 255},
	{128, 146, 140, 255},
	{78, 82, 90, 255},
	{56, 64, 74, 255},
	{40, 42, 48, 255},
	{18, 20, 24, 255},
	{22, 30, 54, 255},
	{20, 46, 42, 255},
	{52, 36, 30, 255},
	{42, 26, 48, 255},
}

// contrast is how far a background keeps from every object's colour, in the measure of distanceSquared. It is the
// most, to the next ten, that leaves five tones to choose from for any three colours.
const contrast = 230

// noiseDepth is the most that a blotch changes a channel.
const noiseDepth = 12

// distanceSquared is the square of how different two colours look, black and white being 765 apart: the
// approximation called "redmean".
func distanceSquared(a, b color.RGBA) int {
	mean := (int(a.R) + int(b.R)) / 2
	dr, dg, db := int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B)
	return (512+mean)*dr*dr>>8 + 4*dg*dg + (767-mean)*db*db>>8
}

// pickBackground chooses a background that every object stands out from; pictograms have edges of their own.
func pickBackground(rng *rand.Rand, objects []Object) Background {
	fits := func(c color.RGBA) bool {
		for _, o := range objects {
			if !o.Shape.IsPictogram() && distanceSquared(c, o.Colour.RGB()) < contrast*contrast {
				return false
			}
		}
		return true
	}
	from := pickTone(rng, fits, tones[:])
	b := Background{
		Kind: BackgroundKind(rng.IntN(4)), From: from, To: from,
		Direction: rng.IntN(4), Period: (3 + rng.IntN(6)) * pixel, Seed: rng.Uint64(),
	}
	switch b.Kind {
	case Flat, Noise:
	case Gradient:
		b.To = pickTone(rng, fits, shades(from, 20, 32, 44))
	case Stripes:
		b.To = pickTone(rng, fits, shades(from, 8, 12, 16))
	}
	return b
}

// pickTone chooses among the tones that fit. Some tone fits any three colours, which TestEveryColourHasBackgrounds
// holds; of shades of a fitting tone the last is the tone itself.
func pickTone(rng *rand.Rand, fits func(color.RGBA) bool, from []color.RGBA) color.RGBA {
	good := make([]color.RGBA, 0, len(from))
	for _, c := range from {
		if fits(c) {
			good = append(good, c)
		}
	}
	return good[rng.IntN(len(good))]
}

// shades returns c made lighter and darker by each amount, and c itself last.
func shades(c color.RGBA, amounts ...int) []color.RGBA {
	var list []color.RGBA
	for _, a := range amounts {
		list = append(list, shifted(c, a), shifted(c, -a))
	}
	return append(list, c)
}

func shifted(c color.RGBA, by int) color.RGBA {
	move := func(v uint8) uint8 { return uint8(min(max(int(v)+by, 0), 255)) }
	return color.RGBA{move(c.R), move(c.G), move(c.B), 255}
}

// paint fills the pixels of a square picture, four bytes each.
func (b Background) paint(pix []uint8, size int) {
	colourAt := b.colourer()
	for py := range size {
		y := (2*py + 1) * unit / (2 * size)
		for px := range size {
			c := colourAt((2*px+1)*unit/(2*size), y)
			copy(pix[4*(py*size+px):], []uint8{c.R, c.G, c.B, 255})
		}
	}
}

// colourer returns the background's colour as a function of a place in units.
func (b Background) colourer() func(x, y int) color.RGBA {
	switch b.Kind {
	case Gradient:
		return func(x, y int) color.RGBA { return blend(b.From, b.To, b.along(x, y)) }
	case Stripes:
		return func(x, y int) color.RGBA {
			if b.along(x, y)/b.Period%2 == 0 {
				return b.From
			}
			return b.To
		}
	case Noise:
		blotch := blotches(b.Seed)
		return func(x, y int) color.RGBA { return shifted(b.From, blotch(x, y)) }
	default:
		return func(int, int) color.RGBA { return b.From }
	}
}

// along returns how far, from 0 to unit, a place is in the background's direction.
func (b Background) along(x, y int) int {
	switch b.Direction {
	case 0:
		return x
	case 1:
		return y
	case 2:
		return (x + y) / 2
	default:
		return (x + unit - y) / 2
	}
}

func blend(from, to color.RGBA, t int) color.RGBA {
	mix := func(a, b uint8) uint8 { return uint8((int(a)*(unit-t) + int(b)*t) / unit) }
	return color.RGBA{mix(from.R, to.R), mix(from.G, to.G), mix(from.B, to.B), 255}
}

// blotches returns smooth noise from -noiseDepth to noiseDepth: random values on a lattice, blended between.
func blotches(seed uint64) func(x, y int) int {
	const cells, cell = 16, unit / 16
	var lattice [cells + 1][cells + 1]int
	for j := range lattice {
		for i := range lattice[j] {
			lattice[j][i] = int(mix64(seed+uint64(j*(cells+1)+i))%(2*noiseDepth+1)) - noiseDepth
		}
	}
	return func(x, y int) int {
		i, j, u, v := x/cell, y/cell, x%cell, y%cell
		top := lattice[j][i]*(cell-u) + lattice[j][i+1]*u
		bottom := lattice[j+1][i]*(cell-u) + lattice[j+1][i+1]*u
		return (top*(cell-v) + bottom*v) / (cell * cell)
	}
}
