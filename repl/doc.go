// Package repl is the terminal face of a session: one Bubble Tea program with
// an input for cells, the transcript of what they printed and drew, a history
// kept between runs, completion, and pictures made of half blocks.
//
// The program is one model. Update routes messages and changes the model;
// whatever may take long is a [tea.Cmd]; View only reads. Output of cells
// arrives through a feed that gathers what came since the last look, so that a
// cell that prints in a loop can neither flood nor stall the screen.
package repl
