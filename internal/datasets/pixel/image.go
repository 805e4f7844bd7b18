package pixel

// Image is an image of C planes of H×W bytes, row-major, C 1 or 3.
type Image struct {
	C, H, W int
	Pix     []byte
}

// plane is channel c.
func (m Image) plane(c int) []byte { return m.Pix[c*m.H*m.W : (c+1)*m.H*m.W] }

// Editor changes images in place, with buffers that serve again. It serves one goroutine.
type Editor struct {
	other []byte
}

// scratch is a copy of the image's pixels in the Editor's buffer.
func (e *Editor) scratch(m Image) Image {
	e.other = append(e.other[:0], m.Pix...)
	return Image{m.C, m.H, m.W, e.other}
}

// look replaces each byte of a plane by its entry in a table.
func look(plane []byte, table *[256]byte) {
	for i, v := range plane {
		plane[i] = table[v]
	}
}

func histogram(plane []byte) (h [256]int) {
	for _, v := range plane {
		h[v]++
	}
	return h
}

func clip(x int) byte { return byte(min(max(x, 0), 255)) }

// luma is Pillow's convert("L") of red, green and blue (ITU-R BT.601).
func luma(r, g, b byte) byte {
	return byte((19595*uint32(r) + 38470*uint32(g) + 7471*uint32(b) + 1<<15) >> 16)
}
