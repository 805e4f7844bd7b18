package kernel

// Sigmoid writes 1/(1+exp(-x)) to y, which may be x: see Logistic. Its bits, and those of the
// functions below, are the same on every CPU.
func Sigmoid(y, x []float32) {
	n := vectors(Activation{X: x, Y: y}, (*Activation).Sigmoid)
	plainSigmoid(y[n:len(x)], x[n:])
}

func plainSigmoid(y, x []float32) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] = Logistic(v)
	}
}

// SigmoidGrad writes dy·y·(1-y), with y the output, to dx, which may be dy.
func SigmoidGrad(dx, y, dy []float32) {
	n := vectors(Activation{X: y, Y: dx, D: dy}, (*Activation).SigmoidGrad)
	plainSigmoidGrad(dx[n:len(y)], y[n:], dy[n:len(y)])
}

func plainSigmoidGrad(dx, y, dy []float32) {
	dx, dy = dx[:len(y)], dy[:len(y)]
	for i, v := range y {
		dx[i] = dy[i] * v * (1 - v)
	}
}

// TanhOf writes the hyperbolic tangent of x to y, which may be x: see Tanh.
func TanhOf(y, x []float32) {
	n := vectors(Activation{X: x, Y: y}, (*Activation).Tanh)
	plainTanh(y[n:len(x)], x[n:])
}

func plainTanh(y, x []float32) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] = Tanh(v)
	}
}

// ExpBelow writes exp(x-top) to y, which may be x, with the exponential of ELU: at most 3 units
// in the last place from the exact value of the float32 difference, and 0 where that is below -87.
// No x may be more than top.
func ExpBelow(y, x []float32, top float32) {
	n := vectors(Activation{X: x, Y: y, Alpha: top}, (*Activation).ExpBelow)
	plainExpBelow(y[n:len(x)], x[n:], top)
}

func plainExpBelow(y, x []float32, top float32) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] = exp(v - top)
	}
}
