package ref

// Add is y = a + b, element by element.
func Add[T Float](y, a, b []T) {
	for i := range y {
		y[i] = a[i] + b[i]
	}
}

// Concat joins the sources [N, channels[i], area] along their channels into y [N, Σ channels,
// area].
func Concat[T Float](y []T, n, area int, channels []int, xs ...[]T) {
	total := 0
	for _, c := range channels {
		total += c
	}
	at := 0
	for i, c := range channels {
		for image := range n {
			copy(y[(image*total+at)*area:][:c*area], xs[i][image*c*area:][:c*area])
		}
		at += c
	}
}

// ConcatGrad takes the channels [from, to) of dy [N, C, H, W]: dx [N, to-from, H, W].
func ConcatGrad[T Float](dx, dy []T, g ImageShape, from, to int) {
	area, c := g.Area(), to-from
	for n := range g.N {
		copy(dx[n*c*area:][:c*area], dy[(n*g.C+from)*area:][:c*area])
	}
}

// ShortcutPad is the parameter-free shortcut (option A of He et al. 2016, section 3.3): every U-th
// pixel of x, between or before channels of zeros. y [N, K, OutH, OutW], x [N, C, H, W].
func ShortcutPad[T Float](y, x []T, g ShortcutShape) {
	clear(y[:g.N*g.K*g.OutH()*g.OutW()])
	g.pixels(func(out, in int) { y[out] = x[in] })
}

// ShortcutPadGrad brings dy [N, K, OutH, OutW] back to dx [N, C, H, W], zero where x was not taken.
func ShortcutPadGrad[T Float](dx, dy []T, g ShortcutShape) {
	clear(dx[:g.N*g.C*g.H*g.W])
	g.pixels(func(out, in int) { dx[in] = dy[out] })
}

// pixels calls f with the index of each output that comes from x, and that of its source.
func (s ShortcutShape) pixels(f func(out, in int)) {
	oh, ow := s.OutH(), s.OutW()
	for n := range s.N {
		for c := range s.C {
			y := (n*s.K + s.Before() + c) * oh * ow
			x := (n*s.C + c) * s.H * s.W
			for i := range oh {
				for j := range ow {
					f(y+i*ow+j, x+(i*s.W+j)*s.Stride)
				}
			}
		}
	}
}
