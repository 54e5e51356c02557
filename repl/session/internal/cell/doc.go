// Package cell reads the text of a cell: it splits it into imports,
// declarations and statements, finds lines and columns, says whether more
// input is needed, and rewrites text by edits that keep the offsets of the
// cell.
package cell
