// Package bench measures the model's work beside what the machine can do: the
// time of a pretraining step, of an evaluation of retrieval, of a Grad-CAM, of an
// embedding, of an answer and of the loading of pictures, the peak memory, and the
// share of the machine's own matrix-product rate that it reaches. Each does what
// users run, on random weights and inputs. Package peer within it does the same
// with the official code, by turns.
package bench
