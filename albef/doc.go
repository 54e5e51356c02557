// Package albef is the ALBEF model: an image encoder (ViT), a text encoder, a
// fusion encoder whose layers attend to the image, and the three pretraining
// losses ITC, ITM and MLM with a momentum model and a queue of features.
//
// Names in checkpoints are those of the official release
// (salesforce/ALBEF), and so are the numbers: testdata/fixtures holds weights,
// inputs and outputs that the official code wrote, and the Parity tests
// compare with every one of them.
//
// Letters in shape comments: B batch, T text tokens, P image patches + 1, C
// channels, H heads, D joint width, Q queue length, V vocabulary.
//
// Paper: Li et al., Align before Fuse, NeurIPS 2021.
package albef
