package adapt

import (
	"resnet/internal/datasets"
	"resnet/internal/datasets/speech/corpus"
)

// Fill writes a batch of at most n utterances into a machine's input x and labels, n utterances
// each: the places left over get zeros and no label. own, if not nil, holds the labels of each
// utterance of the corpus by index (none for those it lacks), otherwise they are the batch's. It
// returns how many labels there are, of frames or utterances.
func Fill(x []float32, labels []int32, n int, b *datasets.Batch, own map[int][]int32) (labelled int) {
	clear(x[copy(x, b.X):])
	for i := range labels {
		labels[i] = corpus.NoLabel
	}
	if own == nil {
		copy(labels, b.Labels)
	}
	per := len(labels) / n
	for j, i := range b.Index {
		copy(labels[j*per:(j+1)*per], own[i])
	}
	for _, l := range labels {
		if l != corpus.NoLabel {
			labelled++
		}
	}
	return labelled
}
