// Package task holds what ALBEF is trained for: where a task's batches come
// from, and how a configuration file becomes a run.
package task
