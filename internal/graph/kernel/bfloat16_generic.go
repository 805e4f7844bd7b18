package kernel

var genericBF16 = &bf16Kernels{
	name:  "generic",
	strip: func(width int) int { return min(width, BF16Strip) },
	tile: func(t *BF16Tile, np, nb int) {
		for s := 0; s < len(t.At); s += 2 {
			for i := range np {
				for b := range nb {
					var acc [Lanes]float32
					for k, tap := range t.Taps {
						w := t.W[b*t.W2+k*BF16Tap:]
						for c, v := range t.X[t.At[s]+tap+i*t.XPixel:][:32] {
							x := v.Float32()
							for o := range acc {
								acc[o] += x * w[c/2*32+o*2+c%2].Float32()
							}
						}
					}
					*(*[Lanes]float32)(t.Y[t.At[s+1]+i*t.YPixel+b*t.Y2:]) = acc
				}
			}
		}
	},
	grad: func(t *BF16Grad, nb int) {
		for s := 0; s < len(t.At); s += 2 {
			for b := range nb {
				for i := range Lanes {
					dw := (*[Lanes]float32)(t.DW[t.At[s+1]+b*t.DW2+i*Lanes:])
					for p, v := range t.X[t.At[s]+i*t.XRow:][:t.Steps*BF16Step] {
						x := v.Float32()
						for o := range dw {
							dw[o] += x * t.DY[b*t.DY2+p/2*32+o*2+p%2].Float32()
						}
					}
				}
			}
		}
	},
	concat: func(j *Joined) {
		for n := range j.N {
			for c := range Lanes {
				j.Y[n*32+c], j.Y[n*32+16+c] = ToBFloat16(j.X[n*j.Step+c]), ToBFloat16(j.X2[n*j.Step+c])
			}
		}
	},
	interleave: func(j *Joined) {
		for n := range j.N {
			for c := range Lanes {
				j.Y[n*32+c*2], j.Y[n*32+c*2+1] = ToBFloat16(j.X[n*j.Step+c]), ToBFloat16(j.X2[n*j.Step+c])
			}
		}
	},
	mix: func(m *Mixed) { m.rest(0) },
	gather: func(g *Gathered) {
		for n := range g.N {
			to := g.Y[n*32 : (n+1)*32]
			clear(to)
			for i := range 2 * g.Lanes {
				to[i] = ToBFloat16(g.X[i/2*g.Lane+(2*n+i%2)*g.Step])
			}
		}
	},
	transpose: func(t *Transposed) {
		for p := range t.Steps * BF16Step {
			for c := range Lanes {
				t.Y[c*t.YRow+p] = ToBFloat16(t.X[p*Lanes+c])
			}
		}
	},
}
