package kernel

// narrowKernels are those of an instruction set on bfloat16 memory.
type narrowKernels struct {
	copyRows, affine, affineReLU, affinePReLU, affine2, affine2ReLU func(*NarrowAffine)

	round, moments func(*NarrowMoments)
	mask           [4][2]func(*NarrowMask) // by MaskBy, then without and with addend
}

// genericNarrowAffine applies a map of float32 values pixel by pixel.
func genericNarrowAffine(second bool, apply func(*Affine)) func(*NarrowAffine) {
	return func(a *NarrowAffine) {
		a.one = Affine{X: a.x[:], R: a.r[:], S: a.S, T: a.T, S2: a.S2, Pixels: 1, Rows: 1}
		for r := range a.Rows {
			for p := range a.Pixels {
				widen(&a.x, a.X[r*a.XRow+p*a.XPixel:])
				if second {
					widen(&a.r, a.R[r*a.RRow+p*a.XPixel:])
				}
				a.one.Y = a.Y[r*a.YRow+p*16:]
				apply(&a.one)
			}
		}
	}
}

func widen(dst *Vec, src []BFloat16) {
	for i, v := range (*[16]BFloat16)(src) {
		dst[i] = v.Float32()
	}
}

func genericRound(m *NarrowMoments) {
	y := m.Y[:m.Pixels*16]
	for i, v := range m.X[:len(y)] {
		y[i] = ToBFloat16(v)
	}
}

func genericNarrowMoments(m *NarrowMoments) {
	genericRound(m)
	for p := range m.Pixels {
		for c, y := range (*[16]BFloat16)(m.Y[p*16:]) {
			v := y.Float32() - m.K[c]
			m.S1[c] += v
			m.S2[c] += v * v
		}
	}
}

func genericNarrowMask(by MaskBy) func(*NarrowMask) {
	return func(m *NarrowMask) {
		for p := range m.Pixels {
			for c := range 16 {
				i := p*16 + c
				g, z := m.D[i], m.Z[i].Float32()
				if m.R != nil {
					g += m.R[i].Float32()
				}
				switch {
				case by == MaskZ && m.S[c]*z+m.T[c] <= 0, by == MaskY && m.Y[i].Float32() <= 0:
					g = 0
				case by == MaskSlope && z <= 0:
					m.S2[c] += g * z
					g *= m.S[c]
				}
				m.G[i] = ToBFloat16(g)
				g = m.G[i].Float32()
				m.S1[c] += g
				if by != MaskSlope {
					m.S2[c] += g * (z - m.Mean[c])
				}
			}
		}
	}
}

func bothNarrow(f func(*NarrowMask)) [2]func(*NarrowMask) { return [2]func(*NarrowMask){f, f} }

var genericNarrow = narrowKernels{
	copyRows: genericNarrowAffine(false, genericAffine(false, false, false)), affine: genericNarrowAffine(false, genericAffine(true, false, false)),
	affineReLU: genericNarrowAffine(false, genericAffine(true, false, true)), affinePReLU: genericNarrowAffine(false, genericPReLU),
	affine2: genericNarrowAffine(true, genericAffine(true, true, false)), affine2ReLU: genericNarrowAffine(true, genericAffine(true, true, true)),
	round: genericRound, moments: genericNarrowMoments,
	mask: [4][2]func(*NarrowMask){
		bothNarrow(genericNarrowMask(MaskNone)), bothNarrow(genericNarrowMask(MaskZ)), bothNarrow(genericNarrowMask(MaskY)), bothNarrow(genericNarrowMask(MaskSlope)),
	},
}
