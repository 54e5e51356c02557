package scenes

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// DefaultSize is the side of a scene in pixels where [Options] names none.
const DefaultSize = 64

// Scene is a drawn picture as data: what is in it and where. It does not change after it is made.
type Scene struct {
	Size       int        // the side of the square picture in pixels; boxes are in these pixels
	Objects    []Object   // one to three, in no particular order, never overlapping
	Background Background // far in colour from every object
	Split      Split      // the split it was made for; it limits what texts may mention
}

// Object is one thing in a scene.
type Object struct {
	Shape   Shape
	Colour  Colour
	Size    Size
	Texture Texture
	Box     Box     // the tight box of the drawn shape
	Tint    [3]int8 // added to the colour's red, green and blue, within ±5
}

// Centre returns the middle of the object's box in pixels.
func (o Object) Centre() (x, y float64) {
	return o.Box.X + float64(o.Box.W/2), o.Box.Y + float64(o.Box.H/2) // converted, so that no machine fuses the two
}

// Pair returns the object's colour and shape.
func (o Object) Pair() Pair { return Pair{o.Colour, o.Shape} }

// Box is a rectangle in pixels: its left upper corner, its width and its height, as in the official box files.
type Box struct {
	X, Y, W, H float64
}

// Options says what to draw. The zero Options draws the training split at 64 pixels.
type Options struct {
	Size       int     // the side in pixels; 0 means [DefaultSize]
	Split      Split   // zero is [Train]
	Objects    int     // how many objects in each scene, 1 to 3; 0 means 15 % one, 45 % two, 40 % three
	Pictograms float64 // the share of objects that are pictograms; 0: none
	Textures   float64 // the share of drawn shapes that have a texture; 0: none
	SameColour bool    // all objects of a scene share one colour, so that only shape or size tells them apart
}

// Generate makes scene i of a seed. It depends on seed, i and the options but opt.Size alone;
// opt.Size only scales the boxes. It panics when opt.Size is negative or opt.Objects is not 0 to 3.
func Generate(seed uint64, i int, opt Options) Scene {
	if opt.Size < 0 || opt.Objects < 0 || opt.Objects > 3 {
		panic(fmt.Sprintf("scenes: options %+v: size must be positive and objects 0 to 3", opt))
	}
	if opt.Size == 0 {
		opt.Size = DefaultSize
	}
	rng := sceneRand(seed, i, opt.Split)
	objects := drawObjects(rng, opt)
	for k, p := range place(rng, objects) {
		objects[k].Box = p.box(opt.Size)
	}
	return Scene{Size: opt.Size, Objects: objects, Background: pickBackground(rng, objects), Split: opt.Split}
}

// drawObjects chooses how many objects there are and their attributes, but not their places.
func drawObjects(rng *rand.Rand, opt Options) []Object {
	count := opt.Objects
	if roll := rng.IntN(100); count == 0 {
		switch {
		case roll < 15:
			count = 1
		case roll < 60:
			count = 2
		default:
			count = 3
		}
	}
	objects := make([]Object, 0, count)
	for len(objects) < count {
		o := drawObject(rng, objects, opt)
		if opt.Split.allows(o.Pair()) && !hasTwin(objects, o) {
			objects = append(objects, o)
		}
	}
	rng.Shuffle(count, func(a, b int) { objects[a], objects[b] = objects[b], objects[a] })
	return objects
}

// drawObject draws one candidate. One in four repeats the colour or the shape of an object that is there, so that
// neither alone is enough to tell objects apart.
func drawObject(rng *rand.Rand, there []Object, opt Options) Object {
	o := Object{
		Shape:  Shape(1 + rng.IntN(ShapeCount)),
		Colour: Colour(1 + rng.IntN(ColourCount)),
		Size:   Size(1 + rng.IntN(SizeCount)),
	}
	if opt.Split == HeldOut && len(there) == 0 {
		pair := heldOutPairs[rng.IntN(len(heldOutPairs))]
		o.Colour, o.Shape = pair.Colour, pair.Shape
	}
	if len(there) > 0 {
		other := there[rng.IntN(len(there))]
		switch repeat := rng.IntN(8); {
		case other.Shape.IsPictogram(): // it has no colour to repeat
		case repeat == 0 || opt.SameColour:
			o.Colour = other.Colour
		case repeat == 1:
			o.Shape = other.Shape
		}
	}
	if opt.Pictograms > 0 && rng.Float64() < opt.Pictograms && (opt.Split != HeldOut || len(there) > 0) {
		o.Shape, o.Colour = Pictogram(rng.IntN(PictogramCount)), NoColour
	}
	if opt.Textures > 0 && !o.Shape.IsPictogram() && rng.Float64() < opt.Textures {
		o.Texture = Texture(1 + rng.IntN(TextureCount))
	}
	for k := range o.Tint {
		o.Tint[k] = int8(rng.IntN(11) - 5)
	}
	return o
}

// hasTwin reports whether an object with all of o's attributes is there already: no words could tell them apart.
func hasTwin(objects []Object, o Object) bool {
	return slices.ContainsFunc(objects, func(p Object) bool {
		return p.Shape == o.Shape && p.Colour == o.Colour && p.Size == o.Size
	})
}

// Key returns the scene's objects as a sorted text: scenes with equal keys hold the same kinds of objects,
// wherever they are.
func (s *Scene) Key() string {
	parts := make([]string, len(s.Objects))
	for i, o := range s.Objects {
		parts[i] = describe(o, true).String()
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
