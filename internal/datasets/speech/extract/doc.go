// Package extract computes the features of many recordings: of the lines of a wav.scp, the segments
// of them, the files of a folder (package recording finds them).
//
//	recording.Find ──> []Recording ── Job.Run ──> features of each, in order
//
// Recordings are read and computed by several goroutines and handed over in their order, one at a
// time, so that neither the results nor the statistics of speakers depend on the number of threads,
// and no more than a few utterances are in memory.
package extract
