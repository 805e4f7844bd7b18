// Package audio reads recordings: WAV (also RIFX, RF64, BW64), Wave64, FLAC, NIST SPHERE, behind
// tags and in gzip; of codings PCM, float, µ-law and A-law.
//
// Samples are float32 in the range of 16-bit integers, as Kaldi holds them: what was stored with 16
// bits keeps its value, other widths are scaled by a power of two, floating-point samples of [-1,
// 1] by 32768. Nothing is clipped, and nothing is resampled unless Stream.Resample asks for it.
//
// # Errors
//
// A file that is not what it claims is fault.ErrData, with the name and the byte; of formats that
// are not read, the message says which it is and how to convert it. Sizes that a header claims are
// never allocated. A recording may be of any length: Stream gives it piece by piece.
//
// # How to add a container
//
// Write its reader (a file that reads the header and ends in layout.stream), name it with its magic
// number in readers, and add a file of it to the fixtures and to FuzzAudio's seeds.
package audio
