package kernel

func genericWindowMax(w *Window) {
	for p := range w.Pixels {
		y := (*Vec)(w.Y[p*16:])
		*y = *(*Vec)(w.X[w.Taps[0]+p*w.XPixel:])
		for _, t := range w.Taps[1:] {
			for c, v := range (*Vec)(w.X[t+p*w.XPixel:]) {
				if v > y[c] || v != v {
					y[c] = v
				}
			}
		}
	}
}

func genericWindowGrad(w *Window) {
	for p := range w.Pixels {
		for c := range 16 {
			y, d := w.Y[p*16+c], w.D[p*16+c]
			for _, t := range w.Taps {
				at := t + p*w.XPixel + c
				if w.X[at] == y || y != y {
					w.DX[at] += d
					break
				}
			}
		}
	}
}

func genericWindowSum(w *Window) {
	for p := range w.Pixels {
		var sum Vec
		for _, t := range w.Taps {
			for c, v := range (*Vec)(w.X[t+p*w.XPixel:]) {
				sum[c] += v
			}
		}
		y := (*Vec)(w.Y[p*16:])
		for c, v := range sum {
			y[c] = v * w.Scale
		}
	}
}

func genericWindowSpread(w *Window) {
	for p := range w.Pixels {
		part := *(*Vec)(w.D[p*16:])
		for c := range part {
			part[c] *= w.Scale
		}
		for _, t := range w.Taps {
			dx := (*Vec)(w.DX[t+p*w.XPixel:])
			for c, v := range part {
				dx[c] += v
			}
		}
	}
}
