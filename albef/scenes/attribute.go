package scenes

import (
	"image/color"
	"slices"
)

// Shape is what an object is: drawn in a colour, or a pictogram. The values 1 to [ThingCount] are class numbers,
// drawn shapes first; [NoShape] means none, or unsaid.
type Shape int

// The shapes. Their words are single word-pieces of bert-base-uncased.
const (
	NoShape Shape = iota
	Circle
	Square
	Triangle
	Star
	Cross
	Heart
	Diamond
	Ring
)

// ShapeCount is the number of drawn shapes, without [NoShape].
const ShapeCount = int(Ring)

var shapeNames = [ShapeCount + 1]string{
	"object", "circle", "square", "triangle", "star", "cross", "heart", "diamond", "ring",
}

// String returns the shape's word, and "object" for [NoShape].
func (s Shape) String() string {
	if s.IsPictogram() {
		return pictogramNames[s-Ring-1]
	}
	return shapeNames[s]
}

// Colour is an object's colour. The values 1 to [ColourCount] are class numbers; [NoColour] means none, or unsaid.
type Colour int

// The colours. Their words are single word-pieces of bert-base-uncased.
const (
	NoColour Colour = iota
	Red
	Green
	Blue
	Yellow
	Purple
	Orange
	Pink
	White
)

// ColourCount is the number of colours, without [NoColour].
const ColourCount = int(White)

var colourNames = [ColourCount + 1]string{
	"", "red", "green", "blue", "yellow", "purple", "orange", "pink", "white",
}

// Any two of these are more than 36 apart in CIELAB, which TestPaletteIsWellApart holds.
var palette = [ColourCount + 1]color.RGBA{
	Red:    {214, 36, 40, 255},
	Green:  {36, 160, 64, 255},
	Blue:   {30, 92, 222, 255},
	Yellow: {250, 216, 32, 255},
	Purple: {146, 40, 172, 255},
	Orange: {247, 132, 16, 255},
	Pink:   {252, 150, 202, 255},
	White:  {246, 246, 246, 255},
}

// String returns the colour's word, and the empty string for [NoColour].
func (c Colour) String() string { return colourNames[c] }

// RGB returns the colour's mean paint; an object is painted within five levels of it in each channel.
func (c Colour) RGB() color.RGBA { return palette[c] }

// Size is an object's size class: [Small] is 17 to 19 pixels of 64 in the longer direction, [Large] 24 to 27.
// The values 1 to [SizeCount] are class numbers; [NoSize] means none, or unsaid.
type Size int

// The sizes.
const (
	NoSize Size = iota
	Small
	Large
)

// SizeCount is the number of sizes, without [NoSize].
const SizeCount = int(Large)

var sizeNames = [SizeCount + 1]string{"", "small", "large"}

// String returns the size's word, and the empty string for [NoSize].
func (s Size) String() string { return sizeNames[s] }

// Pair is a colour and a shape together.
type Pair struct {
	Colour Colour
	Shape  Shape
}

var heldOutPairs = [...]Pair{
	{Green, Star}, {Purple, Square}, {Orange, Heart}, {Blue, Ring}, {Pink, Cross}, {White, Triangle},
}

// HeldOutPairs returns the six colour-shape pairs that occur in no split but [HeldOut]. No two share a colour or a
// shape, so each colour and each shape is seen in training with at least seven partners.
func HeldOutPairs() []Pair { return slices.Clone(heldOutPairs[:]) }

// IsHeldOut reports whether the pair is one of [HeldOutPairs].
func (p Pair) IsHeldOut() bool {
	return slices.Contains(heldOutPairs[:], p)
}
