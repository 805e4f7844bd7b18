package datasets

import "slices"

// preparer turns images of bytes into normalised floats with the paper's augmentation of small
// images: zeros around the normalised image (that is, mean pixels), a random crop to the original
// size, a random horizontal flip. Of images of any size the crop has been made before (see
// Augment.draw), and it flips and shifts the colours. It is read-only after newPreparer and may
// serve several goroutines.
type preparer struct {
	c, h, w int
	augment Augment
	// table[k·256+x] is what byte x becomes before the mean image is subtracted; k is the channel,
	// or 0 for all.
	table []float32
	each  int       // 256 where each channel has a table of its own, else 0
	mean  []float32 // [C, H, W], or nil
	// deviation is what each of three channels is divided by.
	deviation [3]float64
}

func newPreparer(n Normalizer, a Augment, c, h, w int) *preparer {
	p := &preparer{c: c, h: h, w: w, augment: a, deviation: [3]float64{1, 1, 1}}
	if n.Kind == ChannelMeanStd {
		p.each = 256
		p.table = make([]float32, c*256)
		for k := range min(c, 3) {
			p.deviation[k] = float64(n.Std[k])
		}
		for i := range p.table {
			k := i / 256
			p.table[i] = float32((float64(i%256)/255 - float64(n.Mean[k])) / float64(n.Std[k]))
		}
		return p
	}
	p.table = make([]float32, 256)
	for i := range p.table {
		p.table[i] = float32(float64(i) / 255)
	}
	if n.Kind == PixelMean {
		p.mean = n.Mean
		if len(n.Std) > 0 {
			p.divide(n.Std)
		}
	}
	return p
}

// divide makes the tables and the mean image those of values that are divided by std, of each
// channel: (x - mean)/std is x/std - mean/std.
func (p *preparer) divide(std []float32) {
	p.each = 256
	p.table = make([]float32, p.c*256)
	p.mean = slices.Clone(p.mean)
	for c := range p.c {
		for i := range 256 {
			p.table[256*c+i] = float32(float64(i) / 255 / float64(std[c]))
		}
		plane := p.mean[c*p.h*p.w : (c+1)*p.h*p.w]
		for i, v := range plane {
			plane[i] = float32(float64(v) / float64(std[c]))
		}
		if c < len(p.deviation) {
			p.deviation[c] = float64(std[c])
		}
	}
}

func (p *preparer) channelTable(c int) *[256]float32 {
	return (*[256]float32)(p.table[c*p.each:])
}

// plain normalises a whole image.
func (p *preparer) plain(dst []float32, src []byte) {
	if p.mean != nil && p.each == 0 {
		scaleSubtract(dst, src, p.mean, p.channelTable(0))
		return
	}
	n := p.h * p.w
	for c := range p.c {
		from, to, table := src[c*n:(c+1)*n], dst[c*n:(c+1)*n], p.channelTable(c)
		if p.mean != nil {
			scaleSubtract(to, from, p.mean[c*n:(c+1)*n], table)
		} else {
			scale(to, from, table)
		}
	}
}

// tinted is the preparer of one image to whose channels shift is added before they are normalised.
func (p *preparer) tinted(shift [3]float64) *preparer {
	if shift == [3]float64{} {
		return p
	}
	t := *p
	t.each, t.table = 256, make([]float32, 3*256)
	for c := range 3 {
		from, to := p.channelTable(c), t.table[256*c:]
		add := float32(shift[c] / p.deviation[c])
		for i, v := range from {
			to[i] = v + add
		}
	}
	return &t
}

// view normalises an image that has been cut out already, and mirrors it.
func (p *preparer) view(dst []float32, src []byte, flip bool, shift [3]float64) {
	p.tinted(shift).plain(dst, src)
	if flip {
		for at := 0; at < len(dst); at += p.w {
			slices.Reverse(dst[at : at+p.w])
		}
	}
}

// draw chooses the crop, as offsets into the padded image, the flip and the shift of the colours of
// one sample.
func (p *preparer) draw(seed uint64, epoch, index int) (dy, dx int, flip bool, shift [3]float64) {
	dy, dx = p.augment.Pad, p.augment.Pad
	g := newDraws(streamAugment, seed, uint64(epoch), uint64(index))
	if p.augment.Pad > 0 {
		dy, dx = g.below(2*p.augment.Pad+1), g.below(2*p.augment.Pad+1)
	}
	flip = p.augment.Flip && g.below(2) == 1
	return dy, dx, flip, g.colorNoise(p.augment.Color)
}

// augmented normalises a sample with the augmentation that (seed, epoch, index) gives it.
func (p *preparer) augmented(dst []float32, src []byte, seed uint64, epoch, index int) {
	if p.augment.Pad == 0 && !p.augment.Flip && p.augment.Color == 0 {
		p.plain(dst, src)
		return
	}
	dy, dx, flip, shift := p.draw(seed, epoch, index)
	p.tinted(shift).crop(dst, src, dy-p.augment.Pad, dx-p.augment.Pad, flip)
}

// crop writes dst[c, y, x] = normalised src[c, y+top, x+left], zero where that is outside, each row
// reversed by flip.
func (p *preparer) crop(dst []float32, src []byte, top, left int, flip bool) {
	// Columns [x0, x1) of dst come from src.
	x0, x1 := min(max(0, -left), p.w), max(0, min(p.w, p.w-left))
	for c := range p.c {
		table := p.channelTable(c)
		for y := range p.h {
			row := dst[(c*p.h+y)*p.w:][:p.w]
			sy := y + top
			if sy < 0 || sy >= p.h || x0 >= x1 {
				clear(row)
				continue
			}
			from := (c*p.h+sy)*p.w + left
			clear(row[:x0])
			if p.mean != nil {
				scaleSubtract(row[x0:x1], src[from+x0:from+x1], p.mean[from+x0:from+x1], table)
			} else {
				scale(row[x0:x1], src[from+x0:from+x1], table)
			}
			clear(row[x1:])
			if flip {
				slices.Reverse(row)
			}
		}
	}
}

// scale writes dst[i] = table[src[i]].
func scale(dst []float32, src []byte, table *[256]float32) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = table[v]
	}
}

// scaleSubtract writes dst[i] = table[src[i]] − mean[i].
func scaleSubtract(dst []float32, src []byte, mean []float32, table *[256]float32) {
	dst, mean = dst[:len(src)], mean[:len(src)]
	for i, v := range src {
		dst[i] = table[v] - mean[i]
	}
}
