package kernel

import "sync"

// Activation is a function of N values, which are a multiple of 16; Y may be X or
// D. Every implementation multiplies and adds in the same order, without fusing: the results are
// the same to the bit on every CPU.
//
//	ELU:      Y = X where X is positive or a NaN, else Alpha·(exp(X) - 1)
//	ELUGrad:  Y = D where X, the unit's output, is positive or a NaN, else D·(X + Alpha)
//	Sigmoid:  Y = 1/(1 + exp(-X))
//	SigmoidGrad:  Y = D·X·(1 - X), X being the sigmoid's output
//	Tanh:     Y = tanh(X)
//	ExpBelow: Y = exp(X - Alpha), of X no more than Alpha
type Activation struct {
	X, Y, D []float32
	N       int
	Alpha   float32
}

// activations are structs to use again: what a function pointer is given, lives on the heap.
var activations = sync.Pool{New: func() any { return new(Activation) }}

// vectors applies a function to as many values as are a multiple of 16, and returns how many.
func vectors(of Activation, apply func(*Activation)) int {
	of.N = len(of.X) &^ 15
	if of.N > 0 {
		a := activations.Get().(*Activation)
		*a = of
		apply(a)
		*a = Activation{}
		activations.Put(a)
	}
	return of.N
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

// Sigmoid applies the logistic function.
func (a *Activation) Sigmoid() {
	a.check()
	active.sigmoid(a)
}

// SigmoidGrad applies its derivative.
func (a *Activation) SigmoidGrad() {
	a.check(a.D)
	active.sigmoidGrad(a)
}

// Tanh applies the hyperbolic tangent.
func (a *Activation) Tanh() {
	a.check()
	active.tanh(a)
}

// ExpBelow makes exponentials.
func (a *Activation) ExpBelow() {
	a.check()
	active.expBelow(a)
}
