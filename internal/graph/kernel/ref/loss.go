package ref

import "math"

// SoftmaxCrossEntropy returns the mean over the batch of log Σ_k exp(z_k) - z_label, with the
// largest logit subtracted first. logits [N, K]; labels [N] are class indices. A label that is no
// class gives NaN.
func SoftmaxCrossEntropy[T Float](logits, labels []T, n, k int) T {
	var loss float64
	for i := range n {
		z := logits[i*k:][:k]
		label, ok := class(labels[i], k)
		if !ok {
			return T(math.NaN())
		}
		m, sum := logSumParts(z)
		loss += m + math.Log(sum) - float64(z[label])
	}
	return T(loss / float64(n))
}

// SoftmaxCrossEntropyGrad is dlogits = dloss / N · (softmax(logits) - onehot(labels)). dlogits,
// logits [N, K]; labels [N].
func SoftmaxCrossEntropyGrad[T Float](dlogits, logits, labels []T, dloss T, n, k int) {
	scale := float64(dloss) / float64(n)
	for i := range n {
		z, d := logits[i*k:][:k], dlogits[i*k:][:k]
		m, sum := logSumParts(z)
		label, ok := class(labels[i], k)
		for j := range d {
			p := math.Exp(float64(z[j])-m) / sum
			switch {
			case !ok:
				p = math.NaN()
			case j == label:
				p--
			}
			d[j] = T(scale * p)
		}
	}
}

// logSumParts returns m = max z and Σ exp(z - m).
func logSumParts[T Float](z []T) (m, sum float64) {
	m = math.Inf(-1)
	for _, v := range z {
		m = max(m, float64(v))
	}
	for _, v := range z {
		sum += math.Exp(float64(v) - m)
	}
	return m, sum
}

func class[T Float](label T, k int) (int, bool) {
	i := int(label)
	return i, label >= 0 && i < k && T(i) == label
}
