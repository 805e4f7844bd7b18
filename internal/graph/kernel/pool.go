package kernel

// Window is pooling of a run of Pixels outputs whose windows have the same taps: offsets in X, the
// same for every output once XPixel is added for each. The largest value of a window with a NaN is
// NaN.
//
//	Max:      Y[16p + o] = max over t: X[Taps[t] + p·XPixel + o]
//	MaxGrad:  DX[Taps[t] + p·XPixel + o] += D[16p + o], for the first t where X is Y[16p + o];
//	          t = 0 where that is a NaN
//	Sum:      Y[16p + o] = Scale · Σ over t: X[Taps[t] + p·XPixel + o]
//	Spread:   DX[Taps[t] + p·XPixel + o] += Scale · D[16p + o], for all t
type Window struct {
	X, Y, D, DX    []float32
	Taps           []int
	Pixels, XPixel int
	Scale          float32
}

// check compares the lengths of what is read or written at the taps and by output.
func (w *Window) check(x, y []float32) {
	if w.Pixels < 1 || w.XPixel < 0 || len(w.Taps) == 0 {
		panic("kernel: bad window")
	}
	low, high := w.Taps[0], w.Taps[0]
	for _, t := range w.Taps {
		low, high = min(low, t), max(high, t)
	}
	if low < 0 || high+(w.Pixels-1)*w.XPixel+16 > len(x) || w.Pixels*16 > len(y) {
		panic("kernel: short window")
	}
}

// Max takes the largest value of each window.
func (w *Window) Max() {
	w.check(w.X, w.Y)
	active.windowMax(w)
}

// MaxGrad adds each D to where its window's largest value, Y, came from. DX is as long as X.
func (w *Window) MaxGrad() {
	w.check(w.X, w.Y)
	if w.Pixels*16 > len(w.D) || len(w.DX) < len(w.X) {
		panic("kernel: short window gradient")
	}
	active.windowGrad(w)
}

// Sum takes the sum of each window times Scale.
func (w *Window) Sum() {
	w.check(w.X, w.Y)
	active.windowSum(w)
}

// Spread adds each D times Scale to all of its window.
func (w *Window) Spread() {
	w.check(w.DX, w.D)
	active.windowSpread(w)
}
