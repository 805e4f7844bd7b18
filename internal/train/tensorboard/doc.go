// Package tensorboard writes scalars to an event file that TensorBoard opens.
//
// An event file is a sequence of TFRecords: a length (8 bytes, little-endian), its masked CRC-32C,
// the data, and theirs. Each record is a protocol buffer, tensorflow.Event
// (tensorflow/core/util/event.proto), of which these fields are used:
//
//	1 wall_time double   2 step int64   3 file_version string
//	5 summary { 1 value { 1 tag string   2 simple_value float } }
//
// The first record holds the version alone. A Log is one file for the whole life of a run: opening
// it again drops the events after the point that a run resumes from, and a record that an
// interruption tore, so that no step is there twice. TensorBoard's own way, a new file for each
// start and a rule for what it hides, leaves the duplicates in the files for other readers.
package tensorboard
