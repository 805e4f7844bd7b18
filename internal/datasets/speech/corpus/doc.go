// Package corpus gives sequence networks their utterances: a Kaldi data directory or a folder of
// recordings, split into training, validation and test, with labels for frames (alignments) or for
// whole utterances, in batches of a few shapes.
//
// Letters: N utterances, C maps (static features, first and second differences), F features of a
// map, T frames. A batch is x [N, C, F, T], row-major, zero past each utterance's end; labels are
// [N·T] for frames, with -1 for none, or [N].
//
// # Why a few shapes
//
// A machine is planned for one N and T. Utterances go into a few lengths, quantiles of the corpus,
// and each batch is of one of them. Order and batches follow from (seed, epoch) alone, so that a
// training is resumed at any batch without replaying.
//
// # How to add a kind of corpus
//
// Write its opener (a file that fills a listing and a reader of features) and name it in kinds.
package corpus
