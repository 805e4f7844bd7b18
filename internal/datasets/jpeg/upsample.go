package jpeg

// plane is a component's samples.
type plane struct {
	pix          []byte
	stride       int
	w, h         int // samples that belong to the picture
	spanX, spanY int // pixels that a sample covers
	line         []byte
	sums         []int32
}

// row gives the values of the pixels [x0, x1) of row y, until the next call.
//
// As libjpeg does by default, samples that cover two pixels in a direction, or two in both, are
// interpolated: three quarters of the nearest and one of the next. What is rounded up and what down
// alternates, because a half always rounded up would make pictures lighter. Columns of two samples
// are too few for it, and other ratios are repeated.
func (p *plane) row(y, x0, x1 int) []byte {
	if p.spanX == 1 && p.spanY == 1 {
		return p.pix[y*p.stride:][x0:x1]
	}
	p.line = room(p.line, x1-x0)
	switch fit := p.spanX == 2 && p.w > 2; {
	case fit && p.spanY == 2:
		p.enlargeBoth(p.line, y, x0)
	case fit && p.spanY == 1:
		p.enlargeX(p.line, p.pix[y*p.stride:][:p.w], x0)
	case p.spanX == 1 && p.spanY == 2:
		p.enlargeY(p.line, y, x0)
	default:
		from := p.pix[y/p.spanY*p.stride:][:p.w]
		for i := range p.line {
			p.line[i] = from[(x0+i)/p.spanX]
		}
	}
	return p.line
}

// neighbours are the row of samples that covers row y of pixels, and the next one.
func (p *plane) neighbours(y int) (near, far []byte) {
	n := y / 2
	f := min(p.h-1, n+1)
	if y%2 == 0 {
		f = max(0, n-1)
	}
	return p.pix[n*p.stride:][:p.w], p.pix[f*p.stride:][:p.w]
}

func (p *plane) enlargeY(dst []byte, y, x0 int) {
	near, far := p.neighbours(y)
	half := int32(1 + y&1)
	near, far = near[x0:x0+len(dst)], far[x0:x0+len(dst)]
	for i := range dst {
		dst[i] = byte((3*int32(near[i]) + int32(far[i]) + half) >> 2)
	}
}

func (p *plane) enlargeX(dst, row []byte, x0 int) {
	for i := range dst {
		x := x0 + i
		c := x / 2
		here := int32(row[c])
		if x%2 == 0 {
			dst[i] = byte((3*here + int32(row[max(0, c-1)]) + 1) >> 2)
		} else {
			dst[i] = byte((3*here + int32(row[min(len(row)-1, c+1)]) + 2) >> 2)
		}
	}
}

func (p *plane) enlargeBoth(dst []byte, y, x0 int) {
	near, far := p.neighbours(y)
	// sums[1+j] belongs to sample lo+j; both ends have a neighbour, at the picture's edge their own
	// value.
	lo, hi := x0/2, (x0+len(dst)+1)/2
	p.sums = room(p.sums, hi-lo+2)
	for j := range p.sums {
		c := max(0, min(p.w-1, lo+j-1))
		p.sums[j] = 3*int32(near[c]) + int32(far[c])
	}
	i := 0
	if x0%2 == 1 {
		dst[0] = byte((3*p.sums[1] + p.sums[2] + 7) >> 4)
		i = 1
	}
	for j := (x0+i)/2 - lo; i < len(dst); j++ {
		s := (*[3]int32)(p.sums[j:])
		dst[i] = byte((3*s[1] + s[0] + 8) >> 4)
		if i+1 < len(dst) {
			dst[i+1] = byte((3*s[1] + s[2] + 7) >> 4)
		}
		i += 2
	}
}
