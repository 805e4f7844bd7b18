package schedule

import (
	"math"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
)

// norm is one batch normalisation: its partial sums by unit, and the maps that follow from them.
type norm struct {
	name        string
	c, hw       int
	eps         float64
	gamma, beta *graph.Param
	mean, vari  *graph.Param // running statistics
	// trainedGamma and trainedBeta are gamma and beta, or nil where no gradient is wanted.
	trainedGamma, trainedBeta *graph.Param
	// In evaluation: of the convolution whose result this normalises without it; or nil.
	bias     *graph.Param
	momentum float64

	apply *affine      // y = s·z + t
	mu    []kernel.Vec // the batch's mean
	inv   []float64    // 1/sqrt(var + eps)
	// The gradient of the input is a linear map of two tensors: fromG·g + fromZ·z, constant
	// included.
	fromG, fromZ *affine

	batchMean, batchVar []float64
	moments             unitSums       // Σ(z-shift), Σ(z-shift)²
	shift               [][]kernel.Vec // by block and unit: what the moments are taken about
	count               []int          // by unit: values of a channel in the moments
	backward            unitSums       // Σg, Σg(z-mean)
}

func newNorm(name string, c, hw int, eps float64) *norm {
	n := &norm{name: name, c: c, hw: hw, eps: eps, apply: newAffine(c), fromG: newAffine(c), fromZ: newAffine(c)}
	n.mu = make([]kernel.Vec, blocks(c))
	n.inv, n.batchMean, n.batchVar = make([]float64, c), make([]float64, c), make([]float64, c)
	return n
}

// units makes room for the moments of so many units.
func (n *norm) units(count int) {
	n.moments = newUnitSums(n.c, count)
	n.shift, n.count = make([][]kernel.Vec, blocks(n.c)), make([]int, count)
	for cb := range n.shift {
		n.shift[cb] = make([]kernel.Vec, count)
	}
}

// begin clears a unit's moments, of so many values of a channel.
func (n *norm) begin(u, count int) {
	n.moments.begin(u)
	n.count[u] = count
}

// observePart adds some pixels of one block of channels to a unit's moments, the unit's first
// ones or others. The first pixel of a unit is what they are taken about: a value of the channel
// itself, so that nothing cancels.
func (n *norm) observePart(w *worker, u, cb int, z []float32, first bool) {
	if first {
		n.shift[cb][u] = kernel.Vec(z[:block])
	}
	m, sums := &w.moments, &w.sums
	*sums = pair{}
	m.X, m.Pixels, m.K, m.S1, m.S2 = z, len(z)/block, &n.shift[cb][u], &sums.first, &sums.second
	m.Run()
	n.moments.add(u, cb, sums)
}

// mergeIn makes a step merge the moments of so many units when they are done.
func (c *compiler) mergeIn(st *step, n *norm, units int) {
	m := c.m
	c.eachChannels(st, n, units, func(from, to int) { n.merge(from, to, units, m.options.StatsMomentum) })
}

// mergeWork is how many sums it takes some microseconds to merge, so that more are worth another
// thread.
const mergeWork = 1 << 10

// eachChannels makes a step merge the sums of so many units when they are done, the channels of a
// norm divided among threads: merge does those in [from, to).
func (c *compiler) eachChannels(st *step, n *norm, units int, merge func(from, to int)) {
	parts := max(1, min(c.m.threads, n.c*units/mergeWork, n.c))
	for i := range parts {
		st.finish = append(st.finish, func() { merge(i*n.c/parts, (i+1)*n.c/parts) })
	}
}

// merge turns the units' moments of channels [from, to) into the batch's mean and variance (Chan,
// Golub and LeVeque 1979), the maps that apply them, and the running statistics.
func (n *norm) merge(from, to, units int, momentum float64) {
	var mean, m2 [block]float64
	for from < to {
		end := min(to, (from/block+1)*block)
		count := n.moment(mean[:end-from], m2[:end-from], from, units)
		for c := from; c < end; c++ {
			n.setBatch(c, mean[c-from], m2[c-from], count, momentum)
		}
		from = end
	}
}

// moment merges the units' moments of the channels of a block from the given one, and returns of
// how many values they are. It goes unit by unit, so that the divisions of a channel do not wait
// for those of another.
func (n *norm) moment(mean, m2 []float64, from, units int) (count float64) {
	clear(mean)
	clear(m2)
	m2 = m2[:len(mean)]
	shifts, first, second := n.shift[from/block], n.moments.first[from/block], n.moments.second[from/block]
	for u := range units {
		k := float64(n.count[u])
		if k == 0 {
			continue
		}
		total := count + k
		shift := shifts[u][from%block:][:len(mean)]
		firsts, seconds := first[u][from%block:][:len(mean)], second[u][from%block:][:len(mean)]
		for i, first := range firsts {
			d := first / k
			um := float64(shift[i]) + d
			um2 := seconds[i] - first*d
			delta := um - mean[i]
			mean[i] += delta * k / total
			m2[i] += um2 + delta*delta*count*k/total
		}
		count = total
	}
	return count
}

// setBatch is what follows from the moments of channel c, of so many values.
func (n *norm) setBatch(c int, mean, m2, count, momentum float64) {
	v := max(m2/count, 0)
	if math.IsNaN(m2) {
		v = m2
	}
	n.batchMean[c], n.batchVar[c] = mean, v
	n.set(c, mean, v, n.gamma.Data[c], n.beta.Data[c])
	if n.mean == nil {
		return
	}
	m := n.momentum
	if momentum != 0 {
		m = momentum
	}
	unbiased := v * count / max(count-1, 1)
	n.mean.Data[c] = float32((1-m)*float64(n.mean.Data[c]) + m*mean)
	n.vari.Data[c] = float32((1-m)*float64(n.vari.Data[c]) + m*unbiased)
}

// set computes the map of channel c.
func (n *norm) set(c int, mean, variance float64, gamma, beta float32) {
	cb, i := c/block, c%block
	inv := 1 / math.Sqrt(variance+n.eps)
	s := float64(gamma) * inv
	n.inv[c] = inv
	n.mu[cb][i] = float32(mean)
	n.apply.s[cb][i] = float32(s)
	n.apply.t[cb][i] = float32(float64(beta) - mean*s)
}

// running sets the map from the running statistics, for evaluation.
func (n *norm) running() {
	for c := range n.c {
		mean := float64(n.mean.Data[c])
		if n.bias != nil {
			mean -= float64(n.bias.Data[c])
		}
		n.set(c, mean, float64(n.vari.Data[c]), n.gamma.Data[c], n.beta.Data[c])
	}
}

// gradients merges the units' Σg and Σg(z-mean) of channels [from, to) into the gradients of γ and
// β and the map that gives the gradient of the input:
//
//	dz = γ/σ · (g - Σg/M - ẑ·Σ(g·ẑ)/M),  ẑ = (z-μ)/σ
func (n *norm) gradients(from, to, units, images int, accumulate bool) {
	m := float64(images * n.hw)
	for c := from; c < to; c++ {
		cb, i := c/block, c%block
		sum := total(n.backward.first[cb][:units], i)
		dot := total(n.backward.second[cb][:units], i) * n.inv[c] // Σ g·ẑ
		if n.trainedBeta != nil {
			put(n.trainedBeta.Grad, c, float32(sum), accumulate)
		}
		if n.trainedGamma != nil {
			put(n.trainedGamma.Grad, c, float32(dot), accumulate)
		}
		a := float64(n.gamma.Data[c]) * n.inv[c]
		b := -a * dot / m * n.inv[c]
		n.fromG.s[cb][i], n.fromG.t[cb][i] = float32(a), float32(-a*sum/m-b*n.batchMean[c])
		n.fromZ.s[cb][i] = float32(b)
	}
}

func put(dst []float32, i int, v float32, accumulate bool) {
	if accumulate {
		v += dst[i]
	}
	dst[i] = v
}

func finite(xs []float64) bool {
	for _, x := range xs {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}
