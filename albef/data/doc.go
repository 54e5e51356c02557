// Package data turns files into model input: it decodes images, applies the
// transforms of the official ALBEF code, reads its json annotation formats and
// feeds batches to training.
//
// Results are meant to equal the official Python pipeline (Pillow, torchvision
// and OpenCV 4.5) pixel for pixel: [Resizer] repeats Pillow's fixed-point
// bicubic filter, [Op] the augmentations of dataset/randaugment.py, [Decoder]
// the way Pillow opens a file and converts it to RGB. Departures are named
// where they are made.
//
// The package knows nothing of tensors. Images leave it as []float32 in CHW
// order, normalised with the mean and deviation of CLIP.
package data
