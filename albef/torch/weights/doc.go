// Package weights reads and writes files of model weights: PyTorch's .pth (a zip
// around a pickle, and the older form without the zip) and .safetensors.
//
// Nothing in a file is ever executed. A pickle is a program for a small stack
// machine; the machine here knows a short list of names that only hold data
// (tensors, ordered dicts, sizes) and refuses every other by name. Sizes that a
// file claims are checked against the bytes that are there before any memory is
// asked for, so a hostile file costs no more than a few times its own length.
//
// Tensors are plain bytes ([Tensor]), in the order and with the sharing that the
// file has: two names for one storage come back with the same Data, and are
// written as one storage again. Files appear under their final name whole or not
// at all.
//
// Errors name the file and what was wrong with it; those that a person can act on
// have a Hint method.
package weights
