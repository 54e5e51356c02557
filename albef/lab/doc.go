// Package lab is what a person types in a cell: open a model, ask it for
// pictures by text and for texts by picture, see where each word looks, train.
//
//	m, err := lab.Open("demo")
//	g := lab.Scenes(7, 200)
//	m.Retrieve(ctx, g, "a red circle left of a blue square", 8)
//	m.Ground(ctx, g.Image(0), "the red circle")
//
// Results draw themselves: each has PNG for its figure and String for a table
// of its scores. Every failure is an error, many with a Hint; nothing panics on
// bad input, nil included. A context ends a query within one small batch.
package lab
