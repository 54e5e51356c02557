// Package bench measures the model's work beside what the machine can do: the
// time of a pretraining step, of a Grad-CAM and of an embedding, the peak
// memory, and the share of the machine's own matrix-product rate that it
// reaches. Package peer within it does the same with the official code, by
// turns.
package bench
