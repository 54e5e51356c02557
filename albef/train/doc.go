// Package train runs the pretraining of a model: the loop over epochs and
// batches, the optimiser with its schedule of learning rates, the configuration,
// the checkpoints that a run resumes from and the metrics that it writes.
//
// Numbers, names and files are those of the official release (salesforce/ALBEF)
// unless a comment says otherwise.
package train
