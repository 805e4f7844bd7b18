package kernel

import "unsafe"

// Kernels on values that are bfloat16 in memory. What they compute is float32; what they write as
// BFloat16 they round as ToBFloat16 does, to the same bits in every implementation, denormals and
// NaN included.

// BFloat16s is the memory of float32 values as twice as many bfloat16 values.
func BFloat16s(s []float32) []BFloat16 {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*BFloat16)(unsafe.Pointer(&s[0])), 2*len(s))
}

// NarrowAffine is Affine of bfloat16 inputs, which computes float32 values.
type NarrowAffine struct {
	X, R             []BFloat16
	Y                []float32
	S, T, S2         *Vec
	Pixels, Rows     int
	XRow, RRow, YRow int
	XPixel           int
	one              Affine // of plain Go: a pixel
	x, r             Vec
}

func (a *NarrowAffine) check() bool {
	if a.Pixels < 1 || a.Rows < 1 {
		return false
	}
	if min(a.XRow, a.YRow, a.XPixel) < 0 || (a.Rows-1)*a.XRow+(a.Pixels-1)*a.XPixel+16 > len(a.X) || (a.Rows-1)*a.YRow+a.Pixels*16 > len(a.Y) {
		panic("kernel: short narrow rows")
	}
	return true
}

// Copy widens rows.
func (a *NarrowAffine) Copy() {
	if a.check() {
		active.narrow.copyRows(a)
	}
}

// Map is that of Affine.
func (a *NarrowAffine) Map(relu bool) {
	if !a.check() {
		return
	}
	if relu {
		active.narrow.affineReLU(a)
	} else {
		active.narrow.affine(a)
	}
}

// MapPReLU is that of Affine.
func (a *NarrowAffine) MapPReLU() {
	if a.check() {
		active.narrow.affinePReLU(a)
	}
}

// Map2 is that of Affine.
func (a *NarrowAffine) Map2(relu bool) {
	if !a.check() {
		return
	}
	if a.RRow < 0 || (a.Rows-1)*a.RRow+(a.Pixels-1)*a.XPixel+16 > len(a.R) {
		panic("kernel: short narrow second rows")
	}
	if relu {
		active.narrow.affine2ReLU(a)
	} else {
		active.narrow.affine2(a)
	}
}

// NarrowMoments is Y = X, rounded, of Pixels vectors, and Moments of what is written: for each
// channel, Σ(y-K) is added to S1 and Σ(y-K)² to S2.
type NarrowMoments struct {
	X         []float32
	Pixels    int
	K, S1, S2 *Vec
	Y         []BFloat16
}

func (m *NarrowMoments) check() {
	if n := m.Pixels * 16; n < 16 || n > len(m.X) || n > len(m.Y) {
		panic("kernel: short narrow moments")
	}
}

// Round writes Y alone; K, S1 and S2 are not used.
func (m *NarrowMoments) Round() {
	m.check()
	active.narrow.round(m)
}

// Run writes Y and adds its moments.
func (m *NarrowMoments) Run() {
	m.check()
	active.narrow.moments(m)
}

// NarrowMask is Mask of bfloat16 values but D: G is rounded, and its sums are those of what is
// written. The gradient of the slope is that of the values before PReLU, which are not in memory.
type NarrowMask struct {
	D          []float32
	R, Y, Z, G []BFloat16
	S, T, Mean *Vec
	S1, S2     *Vec
	Pixels     int
}

// Run masks D (plus R where it is not nil).
func (m *NarrowMask) Run(by MaskBy) {
	n := m.Pixels * 16
	if n < 16 || n > len(m.D) || n > len(m.Z) || n > len(m.G) || by == MaskY && n > len(m.Y) || m.R != nil && n > len(m.R) {
		panic("kernel: short narrow mask")
	}
	add := 0
	if m.R != nil {
		add = 1
	}
	active.narrow.mask[by][add](m)
}
