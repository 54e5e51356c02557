// Package mirror gives go/types the packages that the interpreter knows,
// derived by reflection from the interpreter's own symbol tables. So a cell is
// checked against exactly what it can call, with no Go toolchain and no
// export data at hand.
//
// What reflection does not tell is missing: names of parameters, generic
// functions and types, and methods that are not exported.
package mirror
