// Package scenes draws the default corpus: small pictures of one to three coloured shapes, with everything
// that can be said about them.
//
// A [Scene] is data, made by [Generate] from a seed and an index and drawn by [Scene.Render] at any size. Texts
// are made as a [Claim], a structured sentence that can be judged against a scene ([Claim.Judge]) and printed
// ([Claim.String]); so captions are true, and negatives false, by construction and by check.
//
//	scene := scenes.Generate(1, 0, scenes.Options{})
//	picture := scene.Render(64)
//	rng := rand.New(rand.NewPCG(1, 0))
//	caption := scenes.Caption(scene, rng)            // "a small red circle left of a large blue square"
//	wrong := scenes.Negatives(scene, caption, rng, 4) // each differs in one point and is false
//
// Everything repeats from a seed, byte for byte and on any machine: positions, outlines and colours are computed
// with integers, and pixel coordinates are integers divided by a power of two, which is exact.
//
// # Splits
//
// [Train], [Val] and [Test] draw from the same colour-shape pairs and from streams that never meet. Six pairs
// ([HeldOutPairs]) never occur in them, neither in a picture nor in a text, so that a model cannot learn that such
// a pair is always false. Every scene of [HeldOut] holds at least one of them.
//
// # What counts as true
//
// An object described by colour, shape and size is there or not. A relation is true when the centres differ by at
// least an eighth of the picture in that direction, false when they differ by at most a thirty-second, and unclear
// in between; unclear claims are used nowhere.
package scenes
