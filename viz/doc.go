// Package viz draws what a vision-language model sees: heat maps over pictures, one map for each word of a
// phrase, contact sheets of retrieved pictures, bars of probabilities, confusion matrices and loss curves.
//
// Everything here is pure Go. Functions take an [image.Image] and plain numbers, return a new image and leave
// their arguments unchanged; they touch no files and share no state, so they may run concurrently. Beyond the image's
// pixels, [SVG] and [PDF] write a figure for print, and a [Map] is written as NumPy's .npy and as JSON.
//
// Coordinates of boxes and points are fractions of the picture: 0,0 is its top left corner and 1,1 its bottom
// right one, and a box is x, y, width, height. Sizes are in points; a figure's Scale says how many pixels a
// point has: 1, the default, for a screen, 2 for print. Text is drawn with the Go fonts, and a character that they lack
// with DejaVu Sans: together Latin, Greek, Cyrillic, Armenian, Hebrew, Arabic and many signs. What is in neither, such as
// Chinese, shows as an empty frame. Hebrew and Arabic run from right to left and Arabic letters are joined; figures
// themselves are laid out from left to right, and the lines of a broken title begin at its left edge.
package viz
