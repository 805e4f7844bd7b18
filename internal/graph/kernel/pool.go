package kernel

// Window is max pooling of a run of Pixels outputs whose windows have the same taps: offsets in X, the same for every output once
// XPixel is added for each. A NaN wins over everything.
//
//	Max:      Y[16p + o] = max over t: X[Taps[t] + p·XPixel + o]
//	MaxGrad:  DX[Taps[t] + p·XPixel + o] += D[16p + o], for the first t where X is Y[16p + o]; t = 0 where that is a NaN
type Window struct {
	X, Y, D, DX    []float32
	Taps           []int
	Pixels, XPixel int
}

func (w *Window) check() {
	if w.Pixels < 1 || w.XPixel < 0 || len(w.Taps) == 0 {
		panic("kernel: bad window")
	}
	low, high := w.Taps[0], w.Taps[0]
	for _, t := range w.Taps {
		low, high = min(low, t), max(high, t)
	}
	if low < 0 || high+(w.Pixels-1)*w.XPixel+16 > len(w.X) || w.Pixels*16 > len(w.Y) {
		panic("kernel: short window")
	}
}

// Max takes the largest value of each window.
func (w *Window) Max() {
	w.check()
	active.windowMax(w)
}

// MaxGrad adds each D to where its window's largest value, Y, came from. DX is as long as X.
func (w *Window) MaxGrad() {
	w.check()
	if w.Pixels*16 > len(w.D) || len(w.DX) < len(w.X) {
		panic("kernel: short window gradient")
	}
	active.windowGrad(w)
}
