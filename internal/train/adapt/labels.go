package adapt

import (
	"math"

	"resnet/internal/datasets/speech/corpus"
)

// FirstPass gives labels from a network's logits [T, k] of an utterance: the likeliest class of
// each frame, or, for whole utterances, the one class of their mean. Where its posterior is below
// confidence there is none, corpus.NoLabel.
func FirstPass(logits []float32, k int, whole bool, confidence float64) []int32 {
	frames := len(logits) / k
	if whole {
		mean := make([]float32, k)
		for c := range k {
			sum := 0.
			for t := range frames {
				sum += float64(logits[t*k+c])
			}
			mean[c] = float32(sum / float64(frames))
		}
		logits, frames = mean, 1
	}
	labels := make([]int32, frames)
	for t := range labels {
		labels[t] = likeliest(logits[t*k:(t+1)*k], confidence)
	}
	return labels
}

// likeliest is the class of the largest logit, the first of equals, if its posterior is at least
// confidence.
func likeliest(logits []float32, confidence float64) int32 {
	best := 0
	for c, z := range logits {
		if z > logits[best] {
			best = c
		}
	}
	sum := 0.
	for _, z := range logits {
		sum += math.Exp(float64(z - logits[best]))
	}
	if 1/sum < confidence {
		return corpus.NoLabel
	}
	return int32(best)
}
