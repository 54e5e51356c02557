package data

import (
	"image"
	"math"
	"math/rand/v2"
)

// Part says what of a picture is wanted, so that no more than that need be
// decoded.
type Part struct {
	// Box is in pixels of the whole picture at its full size.
	Box image.Rectangle
	// MinSide lets a JPEG be decoded at 1/2, 1/4 or 1/8 of its size as long as
	// both sides of Box stay at MinSide pixels or more; 0 means full size.
	MinSide int
}

// Region is the part of a decoded picture from X0, Y0 to X1, Y1, in pixels that
// need not be whole: in a picture decoded at half its size, a box of odd size
// ends in the middle of a pixel.
type Region struct{ X0, Y0, X1, Y1 float64 }

// whole is the region of all of m.
func whole(m *RGB) Region { return regionOf(m.Bounds(), 1) }

// regionOf is box in a picture decoded at 1/denominator of its size.
func regionOf(box image.Rectangle, denominator int) Region {
	d := float64(denominator)
	return Region{float64(box.Min.X) / d, float64(box.Min.Y) / d, float64(box.Max.X) / d, float64(box.Max.Y) / d}
}

// pixels is the smallest rectangle of whole pixels that holds r.
func (r Region) pixels() image.Rectangle {
	return image.Rect(int(math.Floor(r.X0)), int(math.Floor(r.Y0)), int(math.Ceil(r.X1)), int(math.Ceil(r.Y1)))
}

// sub moves the origin to x, y.
func (r Region) sub(x, y int) Region {
	fx, fy := float64(x), float64(y)
	return Region{r.X0 - fx, r.Y0 - fy, r.X1 - fx, r.Y1 - fy}
}

// DecodeFor reads of the picture at path the part that t draws from rng (see
// [Transform.Part]), and returns a picture and where in it that part lies, for
// [Transform.ApplyPart]. The pixels there are those of [Decoder.Decode] with a
// MinSide of 0, unless the part allows a smaller size. The picture is valid until the next
// call. Errors name the file and carry a hint.
func (d *Decoder) DecodeFor(path string, t Transform, rng *rand.Rand) (*RGB, Region, error) {
	if err := d.read(path); err != nil {
		return nil, Region{}, err
	}
	return d.DecodeBytesFor(path, d.file, t, rng)
}

// DecodeBytesFor is [Decoder.DecodeFor] for a file already in memory; name is
// what errors call it.
func (d *Decoder) DecodeBytesFor(name string, content []byte, t Transform, rng *rand.Rand) (*RGB, Region, error) {
	if !isJPEG(content) || d.Upright {
		img, err := d.DecodeBytes(name, content)
		if err != nil {
			return nil, Region{}, err
		}
		return img, regionOf(t.Part(img.W, img.H, rng).Box, 1), nil
	}
	region, err := d.decodeJPEGFor(content, t, rng)
	if err != nil {
		return nil, Region{}, decodeError(name, content, err)
	}
	return &d.img, region, nil
}

func (d *Decoder) decodeJPEGFor(content []byte, t Transform, rng *rand.Rand) (Region, error) {
	w, h, channels, err := jpegHeader(content)
	if err != nil {
		return Region{}, err
	}
	part := t.Part(w, h, rng)
	denominator := dctDenominator(part.Box.Dx(), part.Box.Dy(), part.MinSide)
	region := regionOf(part.Box, denominator)
	left, top, err := d.decodeJPEGPart(content, channels, denominator, region.pixels())
	return region.sub(left, top), err
}
