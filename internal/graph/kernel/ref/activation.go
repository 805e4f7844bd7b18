package ref

import "math"

// ReLU is y = max(x, 0), element by element; NaN stays NaN, so that a diverging run is seen.
func ReLU[T Float](y, x []T) {
	for i, v := range x {
		if v < 0 {
			v = 0
		}
		y[i] = v
	}
}

// ReLUGrad is dx = dy where the output y is positive, else 0.
func ReLUGrad[T Float](dx, y, dy []T) {
	for i, v := range y {
		var d T
		if v > 0 {
			d = dy[i]
		}
		dx[i] = d
	}
}

// Sigmoid is y = 1 / (1 + exp(-x)).
func Sigmoid[T Float](y, x []T) {
	for i, v := range x {
		y[i] = T(1 / (1 + math.Exp(-float64(v))))
	}
}

// SigmoidGrad is dx = dy · y (1 - y), with y the output.
func SigmoidGrad[T Float](dx, y, dy []T) {
	for i, v := range y {
		dx[i] = dy[i] * v * (1 - v)
	}
}

// ELU is y = x for x > 0, else α (exp(x) - 1) (Clevert et al. 2015).
func ELU[T Float](y, x []T, alpha float64) {
	for i, v := range x {
		if v <= 0 {
			v = T(alpha * math.Expm1(float64(v)))
		}
		y[i] = v
	}
}

// ELUGrad is dx = dy where the output y is positive, else dy · (y + α), which is dy · α exp(x).
func ELUGrad[T Float](dx, y, dy []T, alpha float64) {
	for i, v := range y {
		d := dy[i]
		if v <= 0 {
			d *= v + T(alpha)
		}
		dx[i] = d
	}
}

// PReLU is y = x for x > 0, else slope[c] · x (He et al. 2015, arXiv:1502.01852). x, y [N, C, H,
// W], slope [C].
func PReLU[T Float](y, x, slope []T, g ImageShape) {
	for c := range g.C {
		a := slope[c]
		g.channel(c, func(at int) {
			v := x[at]
			if v <= 0 {
				v *= a
			}
			y[at] = v
		})
	}
}

// PReLUInputGrad is dx = dy where x is positive, else slope[c] · dy.
func PReLUInputGrad[T Float](dx, x, slope, dy []T, g ImageShape) {
	for c := range g.C {
		a := slope[c]
		g.channel(c, func(at int) {
			d := dy[at]
			if x[at] <= 0 {
				d *= a
			}
			dx[at] = d
		})
	}
}

// PReLUSlopeGrad is dslope[c] = Σ x·dy over the elements of channel c that are not positive.
func PReLUSlopeGrad[T Float](dslope, x, dy []T, g ImageShape) {
	for c := range g.C {
		var sum float64
		g.channel(c, func(at int) {
			if x[at] <= 0 {
				sum += float64(x[at]) * float64(dy[at])
			}
		})
		dslope[c] = T(sum)
	}
}
