// Package notebooks holds the project's notebooks, kept with their outputs.
// Its tests run each of them from top to bottom, by vlab run and by a real
// Jupyter client.
package notebooks
