package kernel

func genericGroup(np, g int) func(*GroupTile) {
	return func(t *GroupTile) {
		for r := range t.Rows {
			for i := range np {
				var acc [16]float32
				for k, tap := range t.Taps {
					x := (*[16]float32)(t.X[r*t.XRow+tap+i*16:])
					for d := range g {
						w := (*[16]float32)(t.W[(k*g+d)*16:])
						for o := range acc {
							acc[o] += x[o^d] * w[o]
						}
					}
				}
				*(*[16]float32)(t.Y[r*t.YRow+i*t.YPixel:]) = acc
			}
		}
	}
}

// genericGroups are the strips of groups of g channels, by pixels.
func genericGroups(g int) []func(*GroupTile) {
	fs := make([]func(*GroupTile), 1, groupStrip+1)
	for np := 1; np <= groupStrip; np++ {
		fs = append(fs, genericGroup(np, g))
	}
	return fs
}

func genericGroupGrad(g int) []groupGrad {
	return []groupGrad{{1, func(t *GroupGrad) {
		for k, tap := range t.Taps {
			for d := range g {
				dw := (*[16]float32)(t.DW[(k*g+d)*16:])
				acc := *dw
				for r := range t.Rows {
					for p := range t.Pixels {
						x, dy := (*[16]float32)(t.X[tap+r*t.XRow+p*16:]), (*[16]float32)(t.DY[r*t.DYRow+p*16:])
						for o := range acc {
							acc[o] += x[o^d] * dy[o]
						}
					}
				}
				*dw = acc
			}
		}
	}}}
}
