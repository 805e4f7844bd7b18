package kernel

// Response is the elementwise part of local response normalisation with the exponent 3/4, over N
// values. S holds the sums of squares of each value's window, times α over its size; s = K + S.
//
//	Apply:  Y = X·s^-¾
//	Grad:   Y = D·s^-¾, T = D·X·s^(-7/4)
type Response struct {
	X, S, Y, D, T []float32
	N             int // a multiple of 16
	K             float32
}

func (r *Response) check(more ...[]float32) {
	if r.N < 16 || r.N%16 != 0 {
		panic("kernel: bad response")
	}
	for _, s := range append(more, r.X, r.S, r.Y) {
		if len(s) < r.N {
			panic("kernel: short response")
		}
	}
}

// Apply normalises.
func (r *Response) Apply() {
	r.check()
	active.response(r)
}

// Grad makes the two parts of the derivative.
func (r *Response) Grad() {
	r.check(r.D, r.T)
	active.responseGrad(r)
}
