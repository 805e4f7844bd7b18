// Package checkpoint keeps the files of a run folder whole: checkpoints that are complete or
// absent, the lock that keeps two trainings apart, and the records beside them (metrics.csv,
// env.json).
//
//	runs/NAME/
//	  lock                              while a training runs: process, host, since when
//	  metrics.csv                       CSV
//	  env.json                          Env
//	  checkpoints/step-000123.safetensors         weights, running statistics, weights.Meta
//	              step-000123.state.safetensors   momentum and cursors
//	              step-000123.json                Manifest: sizes and sums of both, written last
//
// A checkpoint exists when its manifest does. Every file is written by package atomicfile; so a
// crash at any moment leaves temporary files or files without a manifest, which the next Open
// removes, and the checkpoints that were complete before. The format is described in
// docs/checkpoint-format.md.
//
// # Errors
//
// ErrIO marks what the system refused (full disk, permissions, a failing device), ErrCorrupt what
// is on disk but is not what was written, ErrVersion a format of a later version, ErrNotFound a
// checkpoint that is not there, ErrLocked a run folder in use. Every error names the file.
//
// # Why no pointer files
//
// "Last" and "best" are found from the manifests. A pointer is a second truth: it can dangle, and
// it is one more write that can fail. Newest means the greatest step in a manifest, never the time
// of a file or the order of names.
//
// # Why Save takes no context
//
// The usual moment of a cancelled context is the signal that asks for one last checkpoint. A save
// under way is finished (it takes as long as writing the model twice), or fails by itself.
package checkpoint
