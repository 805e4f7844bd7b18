package jpeg

// Image is a decoded picture: a plane of samples for each component. Rows become RGB when they are
// asked for, with a picture's other rows left alone: a crop costs what it shows.
type Image struct {
	Width, Height int
	space         Space
	planes        []plane
	store         [4]plane
}

// set begins an image of a frame; samples follow.
func (m *Image) set(h *Header) {
	m.Width, m.Height, m.space = h.Width, h.Height, h.Space
	m.planes = m.store[:h.Components]
	for i := range m.planes {
		c, p := &h.comps[i], &m.planes[i]
		p.w, p.h, p.spanX, p.spanY = c.w, c.rows, h.hMax/c.h, h.vMax/c.v
	}
}

// RGB writes the pixels [x0, x1) of row y to dst, 3 bytes each: red, green and blue. It may not be
// called by several goroutines at once.
func (m *Image) RGB(dst []byte, y, x0, x1 int) {
	dst = dst[:3*(x1-x0)]
	first := m.planes[0].row(y, x0, x1)
	if m.space == Grey {
		for i, v := range first {
			p := dst[3*i : 3*i+3 : 3*i+3]
			p[0], p[1], p[2] = v, v, v
		}
		return
	}
	second, third := m.planes[1].row(y, x0, x1), m.planes[2].row(y, x0, x1)
	switch m.space {
	case YCbCr, YCCK:
		convert(dst, first, second, third)
	default:
		second, third = second[:len(first)], third[:len(first)]
		for i, v := range first {
			p := dst[3*i : 3*i+3 : 3*i+3]
			p[0], p[1], p[2] = v, second[i], third[i]
		}
	}
	if m.space == CMYK || m.space == YCCK {
		shade(dst, m.planes[3].row(y, x0, x1), m.space == CMYK)
	}
}
