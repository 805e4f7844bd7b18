package kernel

func b6(d *[6]float32) [6]float32 {
	a, b := d[4]-4*d[2], d[3]-4*d[1]
	e, f := d[4]-d[2], 2*(d[3]-d[1])
	return [6]float32{4*d[0] + (d[4] - 5*d[2]), a + b, a - b, e + f, e - f, 4*d[1] + (d[5] - 5*d[3])}
}

func a4(m *[6]float32) [4]float32 {
	a, b := m[1]+m[2], m[1]-m[2]
	e, f := m[3]+m[4], m[3]-m[4]
	return [4]float32{m[0] + a + e, 2*f + b, 4*e + a, 8*f + b + m[5]}
}

func s6(y *[4]float32) [6]float32 {
	e, o := y[0]+y[2], y[1]+y[3]
	e2, o2 := y[0]+4*y[2], 2*y[1]+8*y[3]
	return [6]float32{y[0], e + o, e - o, e2 + o2, e2 - o2, y[3]}
}

func g6(g *[3]float32) [6]float32 {
	s := g[0] + g[2]
	u, v := g[1]*(1./12), (g[0]+4*g[2])*(1./24)
	return [6]float32{g[0] * (1. / 4), (s + g[1]) * (-1. / 6), (s - g[1]) * (-1. / 6), v + u, v - u, g[2]}
}

func g3(m *[6]float32) [3]float32 {
	a, b := m[1]+m[2], m[2]-m[1]
	e, f := m[3]+m[4], m[3]-m[4]
	return [3]float32{m[0]*(1./4) - a*(1./6) + e*(1./24), b*(1./6) + f*(1./12), m[5] - a*(1./6) + e*(1./6)}
}

// eachLane calls f for every tile and channel with its source and destination; a row of tiles ends
// srcRow or dstRow after it began, or, where these are 0, where the tiles end.
func (t *Transform) eachLane(srcStep, srcRow, dstStep, dstRow int, f func(src, dst []float32)) {
	if srcRow == 0 {
		srcRow = t.Tiles * srcStep
	}
	if dstRow == 0 {
		dstRow = t.Tiles * dstStep
	}
	for r := range t.Rows {
		for n := range t.Tiles {
			for c := range 16 {
				f(t.Src[r*srcRow+n*srcStep+c:], t.Dst[r*dstRow+n*dstStep+c:])
			}
		}
	}
}

func genericInput(t *Transform) {
	t.eachLane(64, t.Step, 16, 0, func(src, dst []float32) {
		var m [6][6]float32
		for col := range 6 {
			var d [6]float32
			for r := range 6 {
				d[r] = src[r*t.SrcRow+col*16]
			}
			for r, v := range b6(&d) {
				m[r][col] = v
			}
		}
		for r := range 6 {
			for col, v := range b6(&m[r]) {
				dst[(r*6+col)*t.Plane] = v
			}
		}
	})
}

func genericSpread(t *Transform) {
	t.eachLane(64, t.Step, 16, 0, func(src, dst []float32) {
		var m [6][4]float32
		for col := range 4 {
			var d [4]float32
			for r := range 4 {
				d[r] = src[r*t.SrcRow+col*16]
			}
			for r, v := range s6(&d) {
				m[r][col] = v
			}
		}
		for r := range 6 {
			for col, v := range s6(&m[r]) {
				dst[(r*6+col)*t.Plane] = v
			}
		}
	})
}

func genericOutput(t *Transform) {
	t.eachLane(16, 0, 64, t.Step, func(src, dst []float32) {
		var m [4][6]float32 // by column of the result
		for r := range 6 {
			var d [6]float32
			for col := range 6 {
				d[col] = src[(r*6+col)*t.Plane]
			}
			for col, v := range a4(&d) {
				m[col][r] = v
			}
		}
		for col := range 4 {
			for r, v := range a4(&m[col]) {
				dst[r*t.SrcRow+col*16] = v
			}
		}
	})
}

func genericFilter(t *Transform) {
	t.eachLane(144, 0, 16, 0, func(src, dst []float32) {
		var m [6][3]float32
		for col := range 3 {
			d := [3]float32{src[col*16], src[(3+col)*16], src[(6+col)*16]}
			for r, v := range g6(&d) {
				m[r][col] = v
			}
		}
		for r := range 6 {
			for col, v := range g6(&m[r]) {
				dst[(r*6+col)*t.Plane] = v
			}
		}
	})
}

func genericGather(t *Transform) {
	t.eachLane(16, 0, 144, 0, func(src, dst []float32) {
		var m [3][6]float32
		for r := range 6 {
			var d [6]float32
			for col := range 6 {
				d[col] = src[(r*6+col)*t.Plane]
			}
			for col, v := range g3(&d) {
				m[col][r] = v
			}
		}
		for col := range 3 {
			for r, v := range g3(&m[col]) {
				dst[(r*3+col)*16] = v
			}
		}
	})
}
