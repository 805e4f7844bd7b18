package conv

import "resnet/internal/graph/kernel"

// Geometry identifies a layout: two layouts of one geometry have their margins in the same places.
type Geometry struct {
	CB, H, W, Top, Left int
	Stride, StrideW     int
	Phases, PhasesW     int // of rows and of columns that are read
	PH, PW              int // rows and columns of a phase
}

// Padded is the layout of images prepared as the input of a convolution: [phase][channel
// block][PH][PW][16] with zero margins. Pixel (h, w) of the image is at padded row h+Top, column
// w+Left; padded row i belongs to phase i mod Stride, column j to j mod StrideW. A kernel smaller
// than the stride reads the first phases alone, and the layout has no others.
type Padded struct {
	Geometry
	views    []View
	phaseLen int
}

// View is where the pixels of one phase come from in a block of channels of an image, and where
// they go in its padded form; there may be none.
type View struct{ From, To, Rows, Pixels int }

// Views are those of the phases.
func (p *Padded) Views() []View { return p.views }

// FromPixel is the distance between pixels of a phase in an image.
func (p *Padded) FromPixel() int { return p.StrideW * block }

// FromRow is the distance between rows of a phase in an image.
func (p *Padded) FromRow() int { return p.Stride * p.W * block }

// extent is what an algorithm needs of a layout: margins before the image, and padded rows and
// columns in all.
type extent struct{ top, left, rows, cols int }

func (e extent) union(o extent) extent {
	top, left := max(e.top, o.top), max(e.left, o.left)
	return extent{top, left, max(e.rows+top-e.top, o.rows+top-o.top), max(e.cols+left-e.left, o.cols+left-o.left)}
}

// newPadded is the layout of an image whose pixels are all read, one after the other.
func newPadded(c, h, w int, e extent) *Padded {
	return newPhases(Geometry{CB: blocks(c), H: h, W: w, Stride: 1, StrideW: 1, Phases: 1, PhasesW: 1}, e)
}

// input is the layout of the input of a convolution.
func (s Shape) input(e extent) *Padded {
	u, v := s.Stride, s.ColStride()
	return newPhases(Geometry{CB: blocks(s.C), H: s.H, W: s.W, Stride: u, StrideW: v, Phases: min(s.R, u), PhasesW: min(s.S, v)}, e)
}

func newPhases(g Geometry, e extent) *Padded {
	g.Top, g.Left = e.top, e.left
	g.PH, g.PW = (e.rows+g.Stride-1)/g.Stride, (e.cols+g.StrideW-1)/g.StrideW
	p := &Padded{Geometry: g, phaseLen: g.CB * g.PH * g.PW * block}
	for a := range g.Phases {
		i, hh, rows := span(a, g.Top, g.H, g.Stride, g.PH)
		for b := range g.PhasesW {
			j, ww, cols := span(b, g.Left, g.W, g.StrideW, g.PW)
			p.views = append(p.views, View{
				From: (hh*g.W + ww) * block, To: len(p.views)*p.phaseLen + (i*g.PW+j)*block, Rows: rows, Pixels: cols,
			})
		}
	}
	return p
}

// span finds, for phase a, the first index in the phase and in the image that coincide, and how
// many do.
func span(a, margin, n, stride, most int) (phase, image, count int) {
	phase = max(0, (margin-a+stride-1)/stride)
	image = phase*stride + a - margin
	if image < n {
		count = min((n-image+stride-1)/stride, most-phase)
	}
	return phase, image, max(0, count)
}

// Len is the number of float32 values of one image.
func (p *Padded) Len() int { return len(p.views) * p.phaseLen }

// at is the offset of padded row i and column j of channel block cb.
func (p *Padded) at(cb, i, j int) int {
	u, v := p.Stride, p.StrideW
	return (i%u*p.PhasesW+j%v)*p.phaseLen + ((cb*p.PH+i/u)*p.PW+j/v)*block
}

// Row is the distance between rows of a phase; Plane between channel blocks.
func (p *Padded) Row() int { return p.PW * block }

// Plane is the distance between channel blocks.
func (p *Padded) Plane() int { return p.PH * p.PW * block }

// ClearMargins writes zeros around the pixels of one image.
func (p *Padded) ClearMargins(x []float32) {
	for cb := range p.CB {
		p.ClearBlock(x, cb)
	}
}

// ClearBlock writes zeros around the pixels of channel block cb of one image.
func (p *Padded) ClearBlock(x []float32, cb int) {
	row, plane := p.Row(), p.Plane()
	for v, w := range p.views {
		z := x[v*p.phaseLen+cb*plane : v*p.phaseLen+(cb+1)*plane]
		if w.Rows == 0 || w.Pixels == 0 {
			clear(z)
			continue
		}
		at := w.To - v*p.phaseLen // of channel block 0
		clear(z[:at])
		for range w.Rows - 1 {
			end := at + w.Pixels*block
			clear(z[end : at+row])
			at += row
		}
		clear(z[at+w.Pixels*block:])
	}
}

// Fill prepares one image: it calls f with a's X and Y (and R, where r is not nil) set to each part
// of channel block cb, for all blocks. src and r are blocked images, dst one padded image; the
// margins must be zero already.
func (p *Padded) Fill(a *kernel.Affine, dst, src, r []float32, f func(cb int)) {
	for cb := range p.CB {
		p.FillBlock(a, dst, src, r, cb, f)
	}
}

// FillBlock is Fill for channel block cb alone.
func (p *Padded) FillBlock(a *kernel.Affine, dst, src, r []float32, cb int, f func(cb int)) {
	a.XRow, a.RRow, a.YRow, a.XPixel = p.FromRow(), p.FromRow(), p.Row(), p.FromPixel()
	for _, v := range p.views {
		if v.Rows == 0 || v.Pixels == 0 {
			continue
		}
		from := cb*p.H*p.W*block + v.From
		a.Rows, a.Pixels = v.Rows, v.Pixels
		a.X, a.Y = src[from:], dst[v.To+cb*p.Plane():]
		if r != nil {
			a.R = r[from:]
		}
		f(cb)
	}
}

// Same reports whether the layout is that of the blocked image itself, so that nothing needs to be
// filled.
func (p *Padded) Same() bool {
	return p.Stride == 1 && p.StrideW == 1 && p.Top == 0 && p.Left == 0 && p.PH == p.H && p.PW == p.W
}
