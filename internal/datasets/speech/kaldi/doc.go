// Package kaldi reads and writes the files of the Kaldi toolkit: archives (ark) of matrices,
// vectors and alignments, the scripts (scp) that point into them, and tables of text (utt2spk,
// wav.scp, segments).
//
// An archive is a sequence of entries, each a key, a space and an object, binary or text:
//
//	key SP \0 B FM SP \4 int32 rows \4 int32 cols  float32 …   a matrix
//	key SP \0 B CM SP float32 min, range  int32 rows, cols  …  compressed, see compressed.go
//	key SP \0 B \4 int32 n  (\4 int32)…                        integers: an alignment
//	key SP SP [ NL 1 2 3 NL 4 5 6 ] NL                         text; in one line it is a vector
//	key SP 1 1 7 7 NL                                          integers as text
//
// DM is a matrix of float64, FV and DV are vectors without cols, CM2 and CM3 are compressed in
// other ways.
//
// Numbers are little-endian. Files that are compressed with gzip are read as they are, whatever
// their name.
//
// # Paths in scripts
//
// A line is `key path`, `key path:offset` or either with a range of rows and columns, [a:b] or
// [a:b,c:d], both ends included, as in Kaldi. A relative path is taken from the working directory,
// as by Kaldi, and where there is no such file, from the script's own folder.
//
// # Pipes are refused
//
// Kaldi runs what ends or begins with a bar as a shell command. A script is data here, and data
// does not run programs: such a line is an error that says how to get the same without it.
//
// # Errors
//
// What is wrong with a file is fault.ErrData and names file, entry and byte, or line; a missing one
// is fault.ErrMissing. Memory grows with what has been read, not with what a header claims, and an
// entry of a compressed file may be at most a hundred times the file (and 16 MB).
package kaldi
