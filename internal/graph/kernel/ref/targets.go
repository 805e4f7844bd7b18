package ref

import "math"

// TargetCrossEntropy returns the mean over the batch of Σ_k t_k·(log Σ_j exp(z_j) - z_k), with the
// largest logit subtracted first. logits and targets t are [N, K]; a row of targets need not sum to
// 1.
func TargetCrossEntropy[T Float](logits, targets []T, n, k int) T {
	var loss float64
	for i := range n {
		loss += TargetLoss(nil, logits[i*k:][:k], targets[i*k:][:k], 1)
	}
	return T(loss / float64(n))
}

// TargetCrossEntropyGrad is dlogits = dloss / N · (Σ_k t_k · softmax(logits) - t).
func TargetCrossEntropyGrad[T Float](dlogits, logits, targets []T, dloss T, n, k int) {
	for i := range n {
		TargetLoss(dlogits[i*k:][:k], logits[i*k:][:k], targets[i*k:][:k], float64(dloss)/float64(n))
	}
}

// TargetLoss is the cross-entropy of one row, Σ_k t_k·(log Σ_j exp(z_j) - z_k), and writes scale
// times its gradient to d unless that is nil.
func TargetLoss[T Float](d, z, t []T, scale float64) float64 {
	m, sum := logSumParts(z)
	log, whole, loss := m+math.Log(sum), 0., 0.
	for j, v := range t {
		whole += float64(v)
		loss += float64(v) * (log - float64(z[j]))
	}
	for j := range d {
		d[j] = T(scale * (whole*math.Exp(float64(z[j])-m)/sum - float64(t[j])))
	}
	return loss
}

// BinaryCrossEntropy returns the mean over the batch and the classes of -t·log σ(z) - (1-t)·log(1 -
// σ(z)), with σ the logistic function: a decision of its own for each class. logits and targets t
// are [N, K].
func BinaryCrossEntropy[T Float](logits, targets []T, n, k int) T {
	var loss float64
	for i := range n {
		loss += BinaryLoss(nil, logits[i*k:][:k], targets[i*k:][:k], 1)
	}
	return T(loss / float64(n*k))
}

// BinaryCrossEntropyGrad is dlogits = dloss / (N·K) · (σ(logits) - t).
func BinaryCrossEntropyGrad[T Float](dlogits, logits, targets []T, dloss T, n, k int) {
	for i := range n {
		BinaryLoss(dlogits[i*k:][:k], logits[i*k:][:k], targets[i*k:][:k], float64(dloss)/float64(n*k))
	}
}

// BinaryLoss is the sum over the classes of one row, Σ_k max(z, 0) - z·t + log(1 + exp(-|z|)),
// which is the binary cross-entropy without overflow, and writes scale times its gradient to d
// unless that is nil.
func BinaryLoss[T Float](d, z, t []T, scale float64) float64 {
	loss := 0.
	for j, v := range z {
		x := float64(v)
		loss += max(x, 0) - x*float64(t[j]) + math.Log1p(math.Exp(-math.Abs(x)))
		if d != nil {
			d[j] = T(scale * (1/(1+math.Exp(-x)) - float64(t[j])))
		}
	}
	return loss
}
