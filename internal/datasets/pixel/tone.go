package pixel

// Posterize keeps so many bits of each value, 0 to 8 (ImageOps.posterize).
func (*Editor) Posterize(m Image, bits int) {
	mask := byte(0xff << (8 - min(max(bits, 0), 8)))
	for i := range m.Pix {
		m.Pix[i] &= mask
	}
}

// Solarize inverts the values of threshold and above (ImageOps.solarize).
func (*Editor) Solarize(m Image, threshold float64) {
	for i, v := range m.Pix {
		if float64(v) >= threshold {
			m.Pix[i] = 255 - v
		}
	}
}

// AutoContrast stretches each channel so that its least value becomes 0 and its greatest 255
// (ImageOps.autocontrast).
func (*Editor) AutoContrast(m Image) {
	for c := range m.C {
		plane := m.plane(c)
		h := histogram(plane)
		lo, hi := 0, 255
		for ; lo < 256 && h[lo] == 0; lo++ {
		}
		for ; hi >= 0 && h[hi] == 0; hi-- {
		}
		if hi <= lo {
			continue
		}
		scale := 255 / float64(hi-lo)
		offset := -float64(lo) * scale
		var table [256]byte
		for i := range table {
			table[i] = clip(int(float64(float64(i)*scale) + offset))
		}
		look(plane, &table)
	}
}

// Equalize makes the values of each channel as evenly spread as a table can (ImageOps.equalize).
func (*Editor) Equalize(m Image) {
	for c := range m.C {
		plane := m.plane(c)
		h := histogram(plane)
		last := 255
		for ; last >= 0 && h[last] == 0; last-- {
		}
		step := 0
		if last >= 0 {
			step = (len(plane) - h[last]) / 255 // 0 for a single value, too
		}
		if step == 0 {
			continue
		}
		var table [256]byte
		n := step / 2
		for i := range table {
			table[i] = clip(n / step)
			n += h[i]
		}
		look(plane, &table)
	}
}

// blend moves a value from its degenerate form by factor: factor 0 gives that form, 1 the value
// (Image.blend). The products are rounded to float32 before they are added, as Pillow's are.
func blend(degenerate, value byte, factor float32) byte {
	x := float32(degenerate) + float32(factor*float32(int(value)-int(degenerate)))
	switch {
	case x <= 0:
		return 0
	case x >= 255:
		return 255
	}
	return byte(x)
}

// towards blends every value with a constant.
func towards(m Image, constant byte, factor float64) {
	var table [256]byte
	for i := range table {
		table[i] = blend(constant, byte(i), float32(factor))
	}
	look(m.Pix, &table)
}

// Brightness blends with black (ImageEnhance.Brightness); factor 1 changes nothing.
func (*Editor) Brightness(m Image, factor float64) { towards(m, 0, factor) }

// Contrast blends with the mean of the luma (ImageEnhance.Contrast).
func (*Editor) Contrast(m Image, factor float64) {
	n, sum := m.H*m.W, 0
	for i := range n {
		if m.C == 3 {
			sum += int(luma(m.Pix[i], m.Pix[n+i], m.Pix[2*n+i]))
		} else {
			sum += int(m.Pix[i])
		}
	}
	towards(m, byte(float64(sum)/float64(n)+0.5), factor)
}

// Color blends with the luma of each pixel (ImageEnhance.Color), which leaves images of one channel
// as they are.
func (*Editor) Color(m Image, factor float64) {
	if m.C != 3 {
		return
	}
	r, g, b, f := m.plane(0), m.plane(1), m.plane(2), float32(factor)
	for i := range r {
		grey := luma(r[i], g[i], b[i])
		r[i], g[i], b[i] = blend(grey, r[i], f), blend(grey, g[i], f), blend(grey, b[i], f)
	}
}

// Sharpness blends with the image smoothed by [1 1 1; 1 5 1; 1 1 1]/13 (ImageEnhance.Sharpness).
// Pixels at the edge are not smoothed.
func (e *Editor) Sharpness(m Image, factor float64) {
	if m.W < 3 || m.H < 3 {
		return
	}
	const thirteen float32 = 13
	one, five, f := 1/thirteen, 5/thirteen, float32(factor)
	from := e.scratch(m)
	for c := range m.C {
		src, dst := from.plane(c), m.plane(c)
		for y := 1; y < m.H-1; y++ {
			above, row, below := src[(y-1)*m.W:][:m.W], src[y*m.W:][:m.W], src[(y+1)*m.W:][:m.W]
			for x := 1; x < m.W-1; x++ {
				s := 0.5 + three(below[x-1:x+2], one, one)
				s += three(row[x-1:x+2], one, five)
				s += three(above[x-1:x+2], one, one)
				dst[y*m.W+x] = blend(byte(min(max(s, 0), 255)), row[x], f)
			}
		}
	}
}

// three is side·p0 + middle·p1 + side·p2, rounded after each operation.
func three(p []byte, side, middle float32) float32 {
	return float32(float32(float32(p[0])*side)+float32(float32(p[1])*middle)) + float32(float32(p[2])*side)
}
