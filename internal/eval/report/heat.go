package report

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"gonum.org/v1/plot/palette/moreland"
)

// A View is what a network sees of an image: [Channels, Side, Side] bytes, in colours or grey.
type View struct {
	Channels, Side int
	Pix            []byte
}

// at is the colour of a pixel.
func (v View) at(x, y int) color.RGBA {
	area, i := v.Side*v.Side, y*v.Side+x
	if v.Channels == 1 {
		return color.RGBA{v.Pix[i], v.Pix[i], v.Pix[i], 255}
	}
	return color.RGBA{v.Pix[i], v.Pix[area+i], v.Pix[2*area+i], 255}
}

// Image is the view, each pixel as large as makes the image at least 224 pixels wide.
func (v View) Image() *image.RGBA {
	const least = 224
	return v.times(max(1, (least+v.Side-1)/v.Side))
}

// times is the view with each pixel so many pixels wide.
func (v View) times(scale int) *image.RGBA {
	side := scale * v.Side
	img := image.NewRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			img.SetRGBA(x, y, v.at(x/scale, y/scale))
		}
	}
	return img
}

// Heat is the view with an activation map [n, n] over it: the brighter, the more speaks for the
// class. What speaks against it is left dark.
func (v View) Heat(cam []float32, n int) *image.RGBA {
	img := v.Image()
	draw.Draw(img, img.Rect, overlay(cam, n, img.Rect.Dx()), image.Point{}, draw.Over)
	return img
}

// heatShare is the share of the heat's colour where the map is largest; elsewhere it is less, in
// proportion, so that what counts for nothing is seen as it is, darker.
const (
	heatShare = 0.75
	heatDim   = 0.6
)

// overlay is what an activation map [n, n] puts over an image, side pixels wide: a pixel of heat h,
// 0 to 1, leaves (1 − s)·0.6 of the image and adds s of the heat's colour, s = 0.75·h. A map that
// has nothing positive puts nothing over it.
func overlay(cam []float32, n, side int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, side, side))
	var top float64
	for _, c := range cam {
		top = max(top, float64(c))
	}
	if top <= 0 {
		return img
	}
	colours := moreland.ExtendedBlackBody()
	colours.SetMin(0)
	colours.SetMax(1)
	for y := range side {
		for x := range side {
			h := min(1, max(0, between(cam, n, (float64(x)+0.5)/float64(side), (float64(y)+0.5)/float64(side))/top))
			hot, err := colours.At(h)
			if err != nil {
				continue
			}
			share := heatShare * h
			r, g, b, _ := hot.RGBA()
			mix := func(c uint32) uint8 { return uint8(math.Round(share * float64(c>>8))) }
			img.SetRGBA(x, y, color.RGBA{mix(r), mix(g), mix(b), uint8(math.Round(255 * (1 - (1-share)*heatDim)))})
		}
	}
	return img
}

// between is the value of a map [n, n] at a place of 0 to 1, bilinear between the centres of its
// positions.
func between(m []float32, n int, x, y float64) float64 {
	at := func(p float64) (i, j int, f float64) {
		p = min(max(p*float64(n)-0.5, 0), float64(n-1))
		i = int(p)
		return i, min(i+1, n-1), p - float64(i)
	}
	x0, x1, fx := at(x)
	y0, y1, fy := at(y)
	row := func(y int) float64 { return (1-fx)*float64(m[y*n+x0]) + fx*float64(m[y*n+x1]) }
	return (1-fy)*row(y0) + fy*row(y1)
}

// Sheet puts rows of images beside one another, a few pixels apart, on white. All have the size of
// the first.
func Sheet(rows [][]*image.RGBA) *image.RGBA {
	const gap = 4
	w, columns := rows[0][0].Rect.Dx()+gap, 0
	for _, row := range rows {
		columns = max(columns, len(row))
	}
	sheet := image.NewRGBA(image.Rect(0, 0, columns*w+gap, len(rows)*w+gap))
	for i := range sheet.Pix {
		sheet.Pix[i] = 255
	}
	for r, row := range rows {
		for c, img := range row {
			for y := range img.Rect.Dy() {
				copy(sheet.Pix[sheet.PixOffset(gap+c*w, gap+r*w+y):], img.Pix[y*img.Stride:][:4*img.Rect.Dx()])
			}
		}
	}
	return sheet
}
