package kernel

// A Vec is one value for each of a block's 16 channels.
type Vec = [16]float32

// Affine maps rows of pixels; X and R step XPixel from pixel to pixel (16, or more to take every
// second pixel of a strided convolution's input), Y steps 16. R's rows are RRow apart.
//
//	Copy:      Y = X
//	Map:       Y = S·X + T            MapReLU:  Y = max(0, S·X + T)
//	Map2:      Y = S·X + S2·R + T     Map2ReLU: Y = max(0, S·X + S2·R + T)
//	MapPReLU:  Y = v where v = S·X + T is above 0, else S2·v
//
// A NaN stays a NaN through max.
type Affine struct {
	X, R, Y          []float32
	S, T, S2         *Vec
	Pixels, Rows     int
	XRow, RRow, YRow int
	XPixel           int
}

func (a *Affine) check() bool {
	if a.Pixels < 1 || a.Rows < 1 {
		return false
	}
	if min(a.XRow, a.YRow, a.XPixel) < 0 || (a.Rows-1)*a.XRow+(a.Pixels-1)*a.XPixel+16 > len(a.X) || (a.Rows-1)*a.YRow+a.Pixels*16 > len(a.Y) {
		panic("kernel: short rows")
	}
	return true
}

func (a *Affine) check2() bool {
	if !a.check() {
		return false
	}
	if a.RRow < 0 || (a.Rows-1)*a.RRow+(a.Pixels-1)*a.XPixel+16 > len(a.R) {
		panic("kernel: short second rows")
	}
	return true
}

// Copy copies rows.
func (a *Affine) Copy() {
	if a.check() {
		active.copyRows(a)
	}
}

// Map applies S·X + T, then ReLU if relu.
func (a *Affine) Map(relu bool) {
	if !a.check() {
		return
	}
	if relu {
		active.affineReLU(a)
	} else {
		active.affine(a)
	}
}

// MapPReLU applies S·X + T, then PReLU with the slopes S2.
func (a *Affine) MapPReLU() {
	if a.check() {
		active.affinePReLU(a)
	}
}

// Map2 applies S·X + S2·R + T, then ReLU if relu.
func (a *Affine) Map2(relu bool) {
	if !a.check2() {
		return
	}
	if relu {
		active.affine2ReLU(a)
	} else {
		active.affine2(a)
	}
}

// Moments adds, for each channel, Σ(x-K) to S1 and Σ(x-K)² to S2 over Pixels vectors. With K near
// the mean (any value of the channel will do) nothing cancels when the variance is taken from them.
type Moments struct {
	X         []float32
	Pixels    int
	K, S1, S2 *Vec
}

// Run adds the moments.
func (m *Moments) Run() {
	if m.Pixels*16 > len(m.X) || m.Pixels < 1 {
		panic("kernel: short moments")
	}
	active.moments(m)
}

// MaskBy says what decides where Mask passes a gradient on.
type MaskBy uint8

// Nothing: the gradient passes everywhere. S·Z + T > 0: a ReLU straight after the batch
// normalisation of Z. Y > 0: the ReLU's stored output. PReLU of Z with the slopes S.
const (
	MaskNone MaskBy = iota
	MaskZ
	MaskY
	MaskSlope
)

// Mask is the backward pass of ReLU with the two sums that batch normalisation's backward pass
// needs, in one pass over Pixels vectors: G = D (+ R) where the ReLU was active and 0 elsewhere,
// S1 += ΣG, S2 += ΣG·(Z - Mean). G may be D. Of PReLU, G is S·(D (+ R)) where Z is not above 0, and
// S2, the gradient of the slope, gets Σ(D (+ R))·Z of those alone.
type Mask struct {
	D, R, Y, Z, G []float32
	S, T, Mean    *Vec
	S1, S2        *Vec
	Pixels        int
}

// Run masks D (plus R where it is not nil).
func (m *Mask) Run(by MaskBy) {
	n := m.Pixels * 16
	if n < 16 || n > len(m.D) || n > len(m.Z) || n > len(m.G) || by == MaskY && n > len(m.Y) || m.R != nil && n > len(m.R) {
		panic("kernel: short mask")
	}
	add := 0
	if m.R != nil {
		add = 1
	}
	active.mask[by][add](m)
}
