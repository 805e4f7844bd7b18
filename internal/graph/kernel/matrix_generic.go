package kernel

func genericDot(ni, nj int) func(*DotTile) {
	return func(t *DotTile) {
		for i := range ni {
			x := t.X[i*t.XRow:][:t.Len]
			for j := range nj {
				t.Y[i*t.YRow+j] += dot(x, t.W[j*t.WRow:][:t.Len])
			}
		}
	}
}

// dot adds products in four chains; the lengths are equal.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	for ; len(a) >= 4 && len(b) >= 4; a, b = a[4:], b[4:] {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
	}
	return (s0 + s1) + (s2 + s3)
}

func genericRows(ni int) func(*RowTile) {
	return func(t *RowTile) {
		for i := range ni {
			y := t.Y[i*t.YRow:][:t.Vecs*16]
			if t.Load == 0 {
				clear(y)
			}
			for j := range t.Inner {
				v := t.A[i*t.ARow+j*t.ACol]
				x := t.X[j*t.XRow:][:len(y)]
				for c := range y {
					y[c] += v * x[c]
				}
			}
		}
	}
}
