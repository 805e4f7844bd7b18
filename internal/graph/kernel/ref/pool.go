package ref

// MaxPool is the largest value of each window; padding never wins, NaN always does. y [N, C, OutH,
// OutW], x [N, C, H, W].
func MaxPool[T Float](y, x []T, g PoolShape) {
	g.each(func(out, plane, i0, i1, j0, j1, _ int) {
		y[out] = x[argmax(x, plane, g.W, i0, i1, j0, j1)]
	})
}

// MaxPoolGrad gives each dy to the first largest value of its window, in row order, as PyTorch
// does. dx, x [N, C, H, W], dy [N, C, OutH, OutW].
func MaxPoolGrad[T Float](dx, x, dy []T, g PoolShape) {
	clear(dx[:g.N*g.C*g.H*g.W])
	g.each(func(out, plane, i0, i1, j0, j1, _ int) {
		dx[argmax(x, plane, g.W, i0, i1, j0, j1)] += dy[out]
	})
}

// AvgPool is the mean of each window. With includePad the zeros of the padding count in the divisor
// (PyTorch's default); a partial window past the padding (Ceil) never counts. y [N, C, OutH, OutW],
// x [N, C, H, W].
func AvgPool[T Float](y, x []T, includePad bool, g PoolShape) {
	g.each(func(out, plane, i0, i1, j0, j1, padded int) {
		var sum float64
		for i := i0; i < i1; i++ {
			for j := j0; j < j1; j++ {
				sum += float64(x[plane+i*g.W+j])
			}
		}
		y[out] = T(sum / float64(divisor(includePad, i0, i1, j0, j1, padded)))
	})
}

// AvgPoolGrad spreads each dy evenly over its window. dx [N, C, H, W], dy [N, C, OutH, OutW].
func AvgPoolGrad[T Float](dx, dy []T, includePad bool, g PoolShape) {
	clear(dx[:g.N*g.C*g.H*g.W])
	g.each(func(out, plane, i0, i1, j0, j1, padded int) {
		d := dy[out] / T(divisor(includePad, i0, i1, j0, j1, padded))
		for i := i0; i < i1; i++ {
			for j := j0; j < j1; j++ {
				dx[plane+i*g.W+j] += d
			}
		}
	})
}

// GlobalAvgPool is the mean of each plane. y [N, C], x [N, C, H, W].
func GlobalAvgPool[T Float](y, x []T, g ImageShape) {
	area := g.Area()
	for p := range g.N * g.C {
		var sum float64
		for _, v := range x[p*area:][:area] {
			sum += float64(v)
		}
		y[p] = T(sum / float64(area))
	}
}

// GlobalAvgPoolGrad spreads dy [N, C] evenly over the planes of dx [N, C, H, W].
func GlobalAvgPoolGrad[T Float](dx, dy []T, g ImageShape) {
	area := g.Area()
	for p := range g.N * g.C {
		d := dy[p] / T(area)
		plane := dx[p*area:][:area]
		for i := range plane {
			plane[i] = d
		}
	}
}

// each calls f for every output with the part of the plane (which starts at element plane) that its
// window covers, and the size of the window with its padding.
func (s PoolShape) each(f func(out, plane, i0, i1, j0, j1, padded int)) {
	oh, ow := s.OutH(), s.OutW()
	for p := range s.N * s.C {
		for i := range oh {
			i0, i1, ph := s.window(i, s.H)
			for j := range ow {
				j0, j1, pw := s.window(j, s.W)
				f((p*oh+i)*ow+j, p*s.H*s.W, i0, i1, j0, j1, ph*pw)
			}
		}
	}
}

func argmax[T Float](x []T, plane, width, i0, i1, j0, j1 int) int {
	best := plane + i0*width + j0
	for i := i0; i < i1; i++ {
		for j := j0; j < j1; j++ {
			at := plane + i*width + j
			if x[at] > x[best] || x[at] != x[at] {
				best = at
			}
		}
	}
	return best
}

func divisor(includePad bool, i0, i1, j0, j1, padded int) int {
	if includePad {
		return padded
	}
	return (i1 - i0) * (j1 - j0)
}
