package scenes

import "image/color"

// Texture is a pattern on a drawn shape. Most shapes have none and are painted evenly, which is left unsaid. The
// values 1 to [TextureCount] are class numbers.
type Texture int

// The textures.
const (
	NoTexture Texture = iota
	Striped
	Dotted
)

// TextureCount is the number of textures, without [NoTexture].
const TextureCount = int(Dotted)

var textureNames = [TextureCount + 1]string{"", "striped", "dotted"}

// String returns the texture's word, and the empty string for [NoTexture].
func (t Texture) String() string { return textureNames[t] }

// weave paints a texture in whole pixels, so that every machine paints the same.
type weave struct {
	texture     Texture
	paint, dark color.RGBA
	size        int // of the picture, in pixels
}

// newWeave returns the texture of an object in a picture of a size.
func newWeave(o Object, size int) weave {
	c := o.paint()
	return weave{o.Texture, c, color.RGBA{c.R / 2, c.G / 2, c.B / 2, 255}, size}
}

// ColorAt returns the paint of a pixel: stripes fall from the left to the right, dots sit on a square lattice.
func (p weave) ColorAt(x, y int) color.Color {
	// Halves of a 64th of the side, counted to a pixel's middle.
	at := func(v int) int { return (2*v + 1) * DefaultSize / p.size }
	u, v := at(x), at(y)
	if p.texture == Striped {
		const period = 12
		if (u+v)%period < period/2 {
			return p.dark
		}
		return p.paint
	}
	const period, radius = 12, 4
	u, v = u%period-period/2, v%period-period/2
	if u*u+v*v <= radius*radius {
		return p.dark
	}
	return p.paint
}
