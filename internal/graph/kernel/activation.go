package kernel

// Activation is the exponential linear unit of N values, which are a multiple of 16; Y may be X or
// D. Every implementation multiplies and adds in the same order, without fusing: the results are
// the same to the bit on every CPU.
//
//	ELU:      Y = X where X is positive or a NaN, else Alpha·(exp(X) - 1)
//	ELUGrad:  Y = D where X, the unit's output, is positive or a NaN, else D·(X + Alpha)
type Activation struct {
	X, Y, D []float32
	N       int
	Alpha   float32
}

func (a *Activation) check(more ...[]float32) {
	if a.N < 16 || a.N%16 != 0 {
		panic("kernel: bad activation")
	}
	for _, s := range append(more, a.X, a.Y) {
		if len(s) < a.N {
			panic("kernel: short activation")
		}
	}
}

// ELU applies the unit.
func (a *Activation) ELU() {
	a.check()
	active.elu(a)
}

// ELUGrad applies its derivative.
func (a *Activation) ELUGrad() {
	a.check(a.D)
	active.eluGrad(a)
}
