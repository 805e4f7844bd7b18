// Package speech computes features of recordings: log-mel filter banks as Kaldi computes them,
// deltas, and normalisation of mean and variance.
//
// Letters: T frames, D values a frame, F mel bins, L samples in a window, S samples between
// windows, P = the power of two from L up.
//
//	audio.Audio ─ FbankOptions.Compute ─> Features ─ Deltas ─> Features ─ CMVN.Apply ─> Features
//
// The files that hold recordings and features have packages of their own below this one: audio
// (WAV, FLAC), kaldi (ark, scp and tables), htk.
//
// # Why float32 where Kaldi has it
//
// A filter bank's value is a logarithm, and where a bin holds almost nothing, its last bits are the
// roundings on the way. Removing the mean, pre-emphasis, window, mel weights and energies are
// therefore rounded to float32 where Kaldi rounds them. The Fourier transform is computed in
// float64: Kaldi's and kaldi-native-fbank's are in float32, of different algorithms, and their
// errors show in bins that hold less than 1e-10 of the frame's energy.
package speech
