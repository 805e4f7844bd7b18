package ref

import "math"

// BatchStats computes the mean and the biased variance of each channel: stats [2, C], x [N, C, H,
// W]. Two passes, because E[x²] - E[x]² cancels.
func BatchStats[T Float](stats, x []T, g ImageShape) {
	count := float64(g.N * g.Area())
	for c := range g.C {
		var sum, squares float64
		g.channel(c, func(at int) { sum += float64(x[at]) })
		mean := sum / count
		g.channel(c, func(at int) {
			d := float64(x[at]) - mean
			squares += d * d
		})
		stats[c] = T(mean)
		stats[g.C+c] = T(squares / count)
	}
}

// BatchNorm normalises each channel: y = γ (x - μ) / sqrt(σ² + ε) + β. y, x [N, C, H, W]; gamma,
// beta, mean, variance [C].
func BatchNorm[T Float](y, x, gamma, beta, mean, variance []T, eps float64, g ImageShape) {
	for c := range g.C {
		scale := T(float64(gamma[c]) / math.Sqrt(float64(variance[c])+eps))
		m, shift := mean[c], beta[c]
		g.channel(c, func(at int) { y[at] = (x[at]-m)*scale + shift })
	}
}

// BatchNormSums computes the two reductions of the backward pass, with x̂ = (x - μ) / sqrt(σ² + ε):
// sums[0, c] = Σ dy = dβ and sums[1, c] = Σ dy·x̂ = dγ. sums [2, C]; x, dy [N, C, H, W]; stats [2,
// C].
func BatchNormSums[T Float](sums, x, stats, dy []T, eps float64, g ImageShape) {
	for c := range g.C {
		mean := float64(stats[c])
		inv := 1 / math.Sqrt(float64(stats[g.C+c])+eps)
		var db, dg float64
		g.channel(c, func(at int) {
			d := float64(dy[at])
			db += d
			dg += d * (float64(x[at]) - mean) * inv
		})
		sums[c] = T(db)
		sums[g.C+c] = T(dg)
	}
}

// BatchNormInputGrad is the derivative with respect to x through the normalisation and through both
// statistics (Ioffe and Szegedy 2015, section 3), with M = N·H·W:
//
//	dx = γ / sqrt(σ² + ε) · (dy - Σdy / M - x̂ · Σ(dy·x̂) / M)
//
// dx, x, dy [N, C, H, W]; stats, sums [2, C] of BatchStats and BatchNormSums; gamma [C].
func BatchNormInputGrad[T Float](dx, x, stats, gamma, sums, dy []T, eps float64, g ImageShape) {
	count := float64(g.N * g.Area())
	for c := range g.C {
		mean := float64(stats[c])
		inv := 1 / math.Sqrt(float64(stats[g.C+c])+eps)
		scale := float64(gamma[c]) * inv
		db, dg := float64(sums[c])/count, float64(sums[g.C+c])/count
		g.channel(c, func(at int) {
			xhat := (float64(x[at]) - mean) * inv
			dx[at] = T(scale * (float64(dy[at]) - db - xhat*dg))
		})
	}
}

// channel calls f with the index of each element of channel c, image by image.
func (s ImageShape) channel(c int, f func(at int)) {
	area := s.Area()
	for n := range s.N {
		first := (n*s.C + c) * area
		for at := first; at < first+area; at++ {
			f(at)
		}
	}
}
