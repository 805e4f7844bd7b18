package kernel

// Sigmoid writes 1/(1+exp(-x)) to y, which may be x: see Logistic.
func Sigmoid(y, x []float32) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] = Logistic(v)
	}
}

// SigmoidGrad writes dy·y·(1-y), with y the output, to dx, which may be dy.
func SigmoidGrad(dx, y, dy []float32) {
	dx, dy = dx[:len(y)], dy[:len(y)]
	for i, v := range y {
		dx[i] = dy[i] * v * (1 - v)
	}
}
