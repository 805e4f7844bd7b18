package kernel

const genericStrip = 8

func genericTile(np, nb int) func(*Tile) {
	return func(t *Tile) {
		for p := range t.Planes {
			for r := range t.Rows {
				x := t.X[p*t.XPlane+r*t.XRow:]
				for b := range nb {
					w := t.W[p*t.WPlane+b*t.W2:]
					for i := range np {
						var acc [16]float32
						for k, tap := range t.Taps {
							for c, v := range x[tap+i*16 : tap+i*16+t.In] {
								wv := (*[16]float32)(w[(k*t.In+c)*16:])
								for o := range acc {
									acc[o] += v * wv[o]
								}
							}
						}
						*(*[16]float32)(t.Y[p*t.YPlane+r*t.YRow+i*t.YPixel+b*t.Y2:]) = acc
					}
				}
			}
		}
	}
}

func genericGrad(ni, nb int) func(*GradTile) {
	return func(t *GradTile) {
		for k, tap := range t.Taps {
			for b := range nb {
				for i := range ni {
					dw := (*[16]float32)(t.DW[k*t.DWTap+b*t.DW2+i*16:])
					acc := *dw
					for r := range t.Rows {
						for p := range t.Pixels {
							v := t.X[tap+r*t.XRow+p*16+i]
							dy := (*[16]float32)(t.DY[k*t.DYPlane+r*t.DYRow+p*16+b*t.DY2:])
							for o := range acc {
								acc[o] += v * dy[o]
							}
						}
					}
					*dw = acc
				}
			}
		}
	}
}
