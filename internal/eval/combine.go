package eval

import (
	"math"
	"slices"
)

// Combine says what is averaged over views or members.
type Combine string

// What is averaged. The class probabilities are the usual choice, and what the paper's 10-crop
// testing does.
const (
	CombineSoftmax Combine = "softmax"
	CombineLogits  Combine = "logits"
)

// addScores adds logits [K] to sums [K]: themselves, or their probabilities. Probabilities are
// summed as logarithms, which do not underflow: sums holds log Σ softmax. row [K] is scratch.
func addScores(sums, row []float64, logits []float32, combine Combine, first bool) {
	for c, z := range logits {
		row[c] = float64(z)
	}
	if combine == CombineLogits {
		for c, z := range row {
			if first {
				sums[c] = z
			} else {
				sums[c] += z
			}
		}
		return
	}
	norm := logSumExp(row)
	for c, z := range row {
		if p := z - norm; first {
			sums[c] = p
		} else {
			hi, lo := math.Max(sums[c], p), math.Min(sums[c], p)
			sums[c] = hi + math.Log1p(math.Exp(lo-hi))
		}
	}
}

// meanScore makes the mean of a sum over n: of logits, or the logarithm of the mean probability.
func meanScore(sum float64, n int, combine Combine) float64 {
	if combine == CombineLogits {
		return sum / float64(n)
	}
	return sum - math.Log(float64(n))
}

// viewMean combines the views of an image.
type viewMean struct {
	combine   Combine
	sums, row []float64
}

func newMean(combine Combine, classes int) *viewMean {
	return &viewMean{combine, make([]float64, classes), make([]float64, classes)}
}

// scores writes the mean over the views' logits to dst [K]; of one view its logits. A view whose
// logits are not finite is not averaged away: they become the scores.
func (m *viewMean) scores(dst []float32, views [][]float32) {
	for _, logits := range views {
		if len(views) == 1 || slices.ContainsFunc(logits, func(z float32) bool { return z-z != 0 }) {
			copy(dst, logits)
			return
		}
	}
	for i, logits := range views {
		addScores(m.sums, m.row, logits, m.combine, i == 0)
	}
	for c, s := range m.sums {
		dst[c] = float32(meanScore(s, len(views), m.combine))
	}
}
