// Package script runs the cells of a file one after another with nobody at the
// keyboard: a .go script whose cells are separated by lines "// %%", or a
// Jupyter notebook. Text goes to a writer as it comes, pictures go into files,
// and the first cell that fails ends the run.
package script
