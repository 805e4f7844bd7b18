// Package recording finds recordings and parts of them: the lines of a wav.scp, segments, the files
// of a folder, and opens them.
//
//	Find, Script, Folder, Cut ──> []Recording ── Open ──> *audio.Stream
//
// # Commands
//
// Kaldi runs what stands before a bar in a wav.scp. Here nothing is run. But the commands that
// corpora have there mostly decode: what they would write is what audio reads from their file
// anyway. So a command of a short list (flac, sph2pipe, cat, gzip, sox, ffmpeg) with options that
// are known to leave the samples alone is taken as its file. What an option promises and only the
// file can tell, such as sox -r 16000, is checked when the file is opened.
package recording
