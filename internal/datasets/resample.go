package datasets

import "math"

// precisionBits is the fixed point of the weights: the sum of eight-bit values times weights that
// add up to 1 << 22 stays below 1 << 30, and with those of the bicubic filter, of which some are
// negative, below 1 << 31. Pillow uses the same, so that both round alike.
const precisionBits = 22

// axis holds the weights that make n pixels of an axis out of its source: pixel i is the sum over j
// of weights[i·taps+j] · source[first[i]+j], for j < count[i].
type axis struct {
	first, count []int32
	weights      []int32 // [n, taps], 1 << precisionBits in all for each pixel
	taps         int
}

// filter is what a pixel is made of, by the distance from its centre.
type filter struct {
	support float64 // half width when enlarging, source pixels
	at      func(distance float64) float64
}

// filterOf is the filter of an interpolation: a triangle for Bilinear, and for Bicubic the cubic
// convolution of Keys (1981) with a = -1/2, both as Pillow has them.
func filterOf(interpolation string) filter {
	if interpolation == Bicubic {
		return filter{2, bicubic}
	}
	return filter{1, func(x float64) float64 { return max(0, 1-math.Abs(x)) }}
}

func bicubic(x float64) float64 {
	const a = -0.5
	switch x = math.Abs(x); {
	case x < 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return (((x-5)*x+8)*x - 4) * a
	}
	return 0
}

// set fills in the weights of the pixels [from, from+n) when a source of `in` pixels is resized to
// `out`.
//
// The filter is as wide as its support times max(1, in/out) source pixels: interpolation when
// enlarging, and a weighted mean of all that a pixel covers when shrinking (antialiasing). The
// arithmetic is that of Pillow (src/libImaging/Resample.c), with which the result agrees to the
// bit.
func (a *axis) set(f filter, in, out, from, n int) {
	scale := float64(in) / float64(out)
	wide := max(scale, 1)
	support, inverse := f.support*wide, 1/wide
	a.taps = 2*int(math.Ceil(support)) + 1
	a.first, a.count = grow(a.first, n), grow(a.count, n)
	a.weights = grow(a.weights, n*a.taps)
	var exact []float64
	for i := range n {
		centre := (float64(from+i) + 0.5) * scale
		lo := max(0, int(centre-support+0.5))
		hi := min(in, int(centre+support+0.5))
		a.first[i], a.count[i] = int32(lo), int32(hi-lo)
		exact = exact[:0]
		sum := 0.0
		for x := lo; x < hi; x++ {
			w := f.at((float64(x) - centre + 0.5) * inverse)
			exact = append(exact, w)
			sum += w
		}
		weights := a.weights[i*a.taps:]
		for j, w := range exact {
			weights[j] = int32(math.Copysign(0.5, w) + w/sum*(1<<precisionBits))
		}
	}
}

// span is the range of source pixels that the axis reads.
func (a *axis) span() (lo, hi int) {
	last := len(a.first) - 1
	return int(a.first[0]), int(a.first[last] + a.count[last])
}

// resampler resizes parts of images. Its buffers serve again: one for each goroutine.
type resampler struct {
	x, y   axis
	line   []byte // one row of the source, RGB
	narrow []byte // rows of the source with the width of the result
	sums   []int32
}

// region writes the rectangle [x, x+w) × [y, y+h) of src resized to width×height, as RGB,
// interleaved, row-major. Only the rows and columns of src that it depends on are read.
func (r *resampler) region(dst []byte, src rows, f filter, width, height, x, y, w, h int) {
	sw, sh := src.size()
	r.x.set(f, sw, width, x, w)
	r.y.set(f, sh, height, y, h)
	left, right := r.x.span()
	if sw == width { // the weights are 1, and 0 for the neighbours
		left, right = x, x+w
	}
	top, bottom := r.y.span()
	r.line = grow(r.line, 3*(right-left))
	r.narrow = grow(r.narrow, 3*w*(bottom-top))
	for row := top; row < bottom; row++ {
		out := r.narrow[3*w*(row-top):][:3*w]
		if sw == width {
			src.rgb(out, row, left, right)
			continue
		}
		src.rgb(r.line, row, left, right)
		r.x.across(out, r.line, left)
	}
	r.sums = grow(r.sums, 3*w)
	for i := range h {
		first, n := int(r.y.first[i])-top, int(r.y.count[i])
		down(dst[3*w*i:][:3*w], r.narrow[3*w*first:], r.y.weights[i*r.y.taps:][:n], r.sums)
	}
}

// across resizes one row of RGB, of which line[0] is source pixel left.
func (a *axis) across(dst, line []byte, left int) {
	for i, first := range a.first {
		n := int(a.count[i])
		weights := a.weights[i*a.taps:][:n]
		from := line[3*(int(first)-left):][:3*n]
		red, green, blue := int32(1<<(precisionBits-1)), int32(1<<(precisionBits-1)), int32(1<<(precisionBits-1))
		for j, w := range weights {
			p := from[3*j : 3*j+3 : 3*j+3]
			red += w * int32(p[0])
			green += w * int32(p[1])
			blue += w * int32(p[2])
		}
		p := dst[3*i : 3*i+3 : 3*i+3]
		p[0], p[1], p[2] = level(red), level(green), level(blue)
	}
}

// down makes one row as the weighted sum of len(weights) rows that follow each other in src.
func down(dst, src []byte, weights, sums []int32) {
	n := len(dst)
	sums = sums[:n]
	for i := range sums {
		sums[i] = 1 << (precisionBits - 1)
	}
	for k, w := range weights {
		if w == 0 {
			continue
		}
		row := src[k*n:][:n]
		for i, v := range row {
			sums[i] += w * int32(v)
		}
	}
	for i, s := range sums {
		dst[i] = level(s)
	}
}

// level rounds a fixed-point sum, into which a half has been added, to [0, 255].
func level(sum int32) byte { return byte(max(0, min(255, sum>>precisionBits))) }

// grow gives s the length n; its contents are undefined.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
