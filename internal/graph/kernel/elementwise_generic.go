package kernel

import "runtime"

func genericAffine(scale, second, relu bool) func(*Affine) {
	return func(a *Affine) {
		for r := range a.Rows {
			for p := range a.Pixels {
				x := (*Vec)(a.X[r*a.XRow+p*a.XPixel:])
				y := (*Vec)(a.Y[r*a.YRow+p*16:])
				for c, v := range x {
					if scale {
						v = a.S[c]*v + a.T[c]
					}
					if second {
						v += a.S2[c] * a.R[r*a.RRow+p*a.XPixel+c]
					}
					if relu && v <= 0 {
						v = 0
					}
					y[c] = v
				}
			}
		}
	}
}

func genericPReLU(a *Affine) {
	for r := range a.Rows {
		for p := range a.Pixels {
			x := (*Vec)(a.X[r*a.XRow+p*a.XPixel:])
			y := (*Vec)(a.Y[r*a.YRow+p*16:])
			for c, v := range x {
				v = a.S[c]*v + a.T[c]
				if v <= 0 {
					v *= a.S2[c]
				}
				y[c] = v
			}
		}
	}
}

func genericMoments(m *Moments) {
	for p := range m.Pixels {
		for c, v := range (*Vec)(m.X[p*16:]) {
			v -= m.K[c]
			m.S1[c] += v
			m.S2[c] += v * v
		}
	}
}

func genericMask(by MaskBy, add bool) func(*Mask) {
	return func(m *Mask) {
		for p := range m.Pixels {
			for c := range 16 {
				i := p*16 + c
				g, z := m.D[i], m.Z[i]
				if add {
					g += m.R[i]
				}
				if by == MaskZ && m.S[c]*z+m.T[c] <= 0 || by == MaskY && m.Y[i] <= 0 {
					g = 0
				}
				m.G[i] = g
				m.S1[c] += g
				m.S2[c] += g * (z - m.Mean[c])
			}
		}
	}
}

func genericMaskSlope(add bool) func(*Mask) {
	return func(m *Mask) {
		for p := range m.Pixels {
			for c := range 16 {
				i := p*16 + c
				g, z := m.D[i], m.Z[i]
				if add {
					g += m.R[i]
				}
				if z <= 0 {
					m.S2[c] += g * z
					g *= m.S[c]
				}
				m.G[i] = g
				m.S1[c] += g
			}
		}
	}
}

// genericPeak multiplies and adds in eight independent chains, n rounds.
func genericPeak(n int) float64 {
	var a [8]float32
	x := float32(n & 1)
	for range n {
		for i := range a {
			a[i] += x * x
		}
	}
	runtime.KeepAlive(a[0]) // the sums are wanted, or the loop would go
	return float64(n) * 16
}

var generic = &implementation{
	name:      "generic",
	grad:      map[gradSize]func(*GradTile){{16, 1}: genericGrad(16, 1), {3, 1}: genericGrad(3, 1)},
	gradSplit: [3][]int{1: {16}},
	tile:      [3][]func(*Tile){1: genericTiles(1)},
	group:     [2][]func(*GroupTile){genericGroups(4), genericGroups(8)},
	groupGrad: [2][]groupGrad{genericGroupGrad(4), genericGroupGrad(8)},
	winoInput: genericInput, winoOutput: genericOutput, winoSpread: genericSpread, winoFilter: genericFilter, winoGather: genericGather,
	copyRows: genericAffine(false, false, false), affine: genericAffine(true, false, false), affineReLU: genericAffine(true, false, true), affinePReLU: genericPReLU,
	affine2: genericAffine(true, true, false), affine2ReLU: genericAffine(true, true, true),
	windowMax: genericWindowMax, windowGrad: genericWindowGrad, windowSum: genericWindowSum, windowSpread: genericWindowSpread,
	response: genericResponse, responseGrad: genericResponseGrad,
	elu:         func(a *Activation) { plainELU(a.Y[:a.N], a.X[:a.N], a.Alpha) },
	eluGrad:     func(a *Activation) { plainELUGrad(a.Y[:a.N], a.X[:a.N], a.D[:a.N], a.Alpha) },
	sigmoid:     func(a *Activation) { plainSigmoid(a.Y[:a.N], a.X[:a.N]) },
	sigmoidGrad: func(a *Activation) { plainSigmoidGrad(a.Y[:a.N], a.X[:a.N], a.D[:a.N]) },
	tanh:        func(a *Activation) { plainTanh(a.Y[:a.N], a.X[:a.N]) },
	expBelow:    func(a *Activation) { plainExpBelow(a.Y[:a.N], a.X[:a.N], a.Alpha) },
	dot:         [2][]func(*DotTile){{1: genericDot(1, 1)}, {1: genericDot(1, dotWeights)}},
	rows:        []func(*RowTile){1: genericRows(1)},
	moments:     genericMoments,
	mask: [4][2]func(*Mask){
		{genericMask(MaskNone, false), genericMask(MaskNone, true)},
		{genericMask(MaskZ, false), genericMask(MaskZ, true)},
		{genericMask(MaskY, false), genericMask(MaskY, true)},
		{genericMaskSlope(false), genericMaskSlope(true)},
	},
	peak:   genericPeak,
	narrow: genericNarrow,
}

func genericTiles(nb int) []func(*Tile) {
	fs := make([]func(*Tile), genericStrip+1)
	for np := 1; np <= genericStrip; np++ {
		fs[np] = genericTile(np, nb)
	}
	return fs
}
