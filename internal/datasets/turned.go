package datasets

// turn shows an image as its EXIF orientation says. Images whose rows become columns are made RGB
// first: a column would be read pixel by pixel otherwise.
func turn(img rows, orientation int) rows {
	switch orientation {
	case 2, 3, 4:
		return mirrored{img, orientation != 4, orientation != 2}
	case 5, 6, 7, 8:
		return transposed{whole(img), orientation == 6 || orientation == 7, orientation == 7 || orientation == 8}
	}
	return img
}

// mirrored is an image whose columns or rows are in the opposite order.
type mirrored struct {
	rows
	columns, lines bool
}

func (m mirrored) rgb(dst []byte, y, x0, x1 int) {
	w, h := m.size()
	if m.lines {
		y = h - 1 - y
	}
	if !m.columns {
		m.rows.rgb(dst, y, x0, x1)
		return
	}
	m.rows.rgb(dst, y, w-x1, w-x0)
	for i, j := 0, 3*(x1-x0-1); i < j; i, j = i+3, j-3 {
		for k := range 3 {
			dst[i+k], dst[j+k] = dst[j+k], dst[i+k]
		}
	}
}

// transposed is a picture whose columns are its rows: its pixel (x, y) is the picture's (y, x), or
// from the picture's lower end (bottom), or from its right end (right).
type transposed struct {
	Picture
	bottom, right bool
}

func (t transposed) size() (width, height int) { return t.Height, t.Width }

func (t transposed) rgb(dst []byte, y, x0, x1 int) {
	column := y
	if t.right {
		column = t.Width - 1 - y
	}
	for x := x0; x < x1; x++ {
		row := x
		if t.bottom {
			row = t.Height - 1 - x
		}
		copy(dst[3*(x-x0):][:3], t.Pix[3*(row*t.Width+column):])
	}
}
