package pixel

import (
	"math"
	"strconv"
)

// affine is a map from a pixel of the result to one of the source: x' = a0·x + a1·y + a2, y' = a3·x
// + a4·y + a5.
type affine [6]float64

// ShearX moves each row by slope times its number, from the top left corner (torchvision's ShearX).
func (e *Editor) ShearX(m Image, slope float64) {
	e.transform(m, affine{1, math.Tan(angle(slope)), 0, 0, 1, 0})
}

// ShearY moves each column by slope times its number.
func (e *Editor) ShearY(m Image, slope float64) {
	sine, cosine := math.Sin(angle(slope)), math.Cos(angle(slope))
	e.transform(m, affine{1, 0, 0, sine / cosine, 1, 0})
}

// angle is that of a slope after torchvision's way to degrees and back.
func angle(slope float64) float64 { return math.Atan(slope) * (180 / math.Pi) * (math.Pi / 180) }

// Translate moves the image by whole pixels to the right and down; black comes in.
func (e *Editor) Translate(m Image, dx, dy int) {
	e.transform(m, affine{1, 0, float64(-dx), 0, 1, float64(-dy)})
}

// Rotate turns the image about its centre by degrees, counter-clockwise; black comes in
// (Image.rotate).
func (e *Editor) Rotate(m Image, degrees float64) {
	degrees = math.Mod(degrees, 360)
	if degrees < 0 {
		degrees += 360
	}
	switch {
	case degrees == 0:
		return
	case degrees == 180, (degrees == 90 || degrees == 270) && m.W == m.H:
		e.quarters(m, int(degrees)/90)
		return
	}
	t := -(degrees * (math.Pi / 180))
	c, s := decimals(math.Cos(t)), decimals(math.Sin(t))
	x, y := float64(m.W)/2, float64(m.H)/2
	a := affine{c, s, 0, decimals(-math.Sin(t)), c, 0}
	a[2] = float64(a[0]*-x) + float64(a[1]*-y) + x
	a[5] = float64(a[3]*-x) + float64(a[4]*-y) + y
	e.transform(m, a)
}

// decimals rounds to 15 decimals, correctly, as Python's round does.
func decimals(x float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'f', 15, 64), 64)
	return r
}

// quarters turns the image by so many quarters, counter-clockwise; by an odd number only squares.
func (e *Editor) quarters(m Image, n int) {
	from := e.scratch(m)
	for c := range m.C {
		src, dst := from.plane(c), m.plane(c)
		for y := range m.H {
			for x := range m.W {
				sx, sy := m.W-1-x, m.H-1-y
				switch n {
				case 1:
					sx, sy = m.W-1-y, x
				case 3:
					sx, sy = y, m.H-1-x
				}
				dst[y*m.W+x] = src[sy*m.W+sx]
			}
		}
	}
}

// transform takes the nearest pixel, in Pillow's 16.16 fixed-point numbers
// (ImagingTransformAffine); a map that scales alone is followed in doubles, as Pillow does. Images
// here have at most 4096 pixels a side, which the fixed-point numbers reach.
func (e *Editor) transform(m Image, a affine) {
	from := e.scratch(m)
	clear(m.Pix)
	if a[1] == 0 && a[3] == 0 {
		e.scaled(m, from, a)
		return
	}
	fix := func(v float64) int { return int(math.Floor(v*65536 + 0.5)) }
	ax, bx, ay, by := fix(a[0]), fix(a[1]), fix(a[3]), fix(a[4])
	x0, y0 := fix(a[2]+float64(a[0]*0.5)+float64(a[1]*0.5)), fix(a[5]+float64(a[3]*0.5)+float64(a[4]*0.5))
	area := m.H * m.W
	for y := range m.H {
		xx, yy := x0, y0
		for x := range m.W {
			sx, sy := xx>>16, yy>>16
			if sx >= 0 && sx < m.W && sy >= 0 && sy < m.H {
				to, at := y*m.W+x, sy*m.W+sx
				for c := range m.C {
					m.Pix[c*area+to] = from.Pix[c*area+at]
				}
			}
			xx += ax
			yy += ay
		}
		x0 += bx
		y0 += by
	}
}

// scaled is ImagingScaleAffine for maps without rotation.
func (*Editor) scaled(m, from Image, a affine) {
	at := func(v float64) int {
		if v < 0 {
			return -1
		}
		return int(v)
	}
	for c := range m.C {
		src, dst := from.plane(c), m.plane(c)
		yo := a[5] + a[4]*0.5
		for y := range m.H {
			if sy := at(yo); sy >= 0 && sy < m.H {
				xo := a[2] + a[0]*0.5
				for x := range m.W {
					if sx := at(xo); sx >= 0 && sx < m.W {
						dst[y*m.W+x] = src[sy*m.W+sx]
					}
					xo += a[0]
				}
			}
			yo += a[4]
		}
	}
}
