package kernel

import "math"

// ELU writes x where it is positive, else alpha·(exp(x)-1), to y, which may be x. The exponential
// is a polynomial of degree 6 after reduction to [-ln 2/2, ln 2/2]: within 2e-7 of the exact value,
// which is below the rounding of the sums around it, and the same on every CPU.
func ELU(y, x []float32, alpha float32) {
	n := vectors(Activation{X: x, Y: y, Alpha: alpha}, (*Activation).ELU)
	plainELU(y[n:len(x)], x[n:], alpha)
}

func plainELU(y, x []float32, alpha float32) {
	y = y[:len(x)]
	for i, v := range x {
		if v <= 0 {
			v = alpha * (float32(exp(v)) - 1)
		}
		y[i] = v
	}
}

// exp is e^x for x <= 0; a NaN stays one.
func exp(x float32) float32 {
	const log2e, ln2hi, ln2lo = 1.44269504088896341, 0.693359375, -2.12194440e-4
	if x < -87 {
		return 0
	}
	if x != x {
		return x
	}
	n := int32(float32(x*log2e) - 0.5) // truncation of a negative number rounds to the nearest here
	f := float32(n)
	r := float32(x-float32(f*ln2hi)) - float32(f*ln2lo)
	p := float32(1.0 / 720)
	p = float32(p*r) + 1.0/120
	p = float32(p*r) + 1.0/24
	p = float32(p*r) + 1.0/6
	p = float32(p*r) + 0.5
	p = float32(p*r) + 1
	p = float32(p*r) + 1
	return p * math.Float32frombits(uint32(n+127)<<23)
}

// ELUGrad writes dy where the output y is positive, else dy·(y+alpha), to dx, which may be dy.
func ELUGrad(dx, y, dy []float32, alpha float32) {
	n := vectors(Activation{X: y, Y: dx, D: dy, Alpha: alpha}, (*Activation).ELUGrad)
	plainELUGrad(dx[n:len(y)], y[n:], dy[n:len(y)], alpha)
}

func plainELUGrad(dx, y, dy []float32, alpha float32) {
	dx, dy = dx[:len(y)], dy[:len(y)]
	for i, v := range y {
		d := dy[i]
		if v <= 0 {
			d *= v + alpha
		}
		dx[i] = d
	}
}

// Logistic is 1/(1+exp(-x)), with the exponential of ELU.
func Logistic(x float32) float32 {
	if x < 0 {
		e := exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + exp(-x))
}

// Tanh is the hyperbolic tangent, with the exponential of ELU: within 3e-7.
func Tanh(x float32) float32 {
	if x < 0 {
		return 0 - Tanh(-x) // 0 where that is 0
	}
	e := exp(-2 * x)
	return (1 - e) / (1 + e)
}
