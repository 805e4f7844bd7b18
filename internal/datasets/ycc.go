package datasets

import "image"

// ycc is a JPEG's luma and chroma. Chroma of half the resolution is enlarged with the weights ¾ and
// ¼ (libjpeg calls it fancy upsampling) and the colours follow from libjpeg's fixed-point tables,
// so that a picture has the values that Pillow, and with it torchvision, gives it. (image.YCbCr.At
// repeats chroma samples; on photographs the mean difference is three times as large.)
type ycc struct {
	*image.YCbCr
	w, h   int // pixels
	cw, ch int // chroma samples
	// halfX and halfY say that chroma has half the resolution in a direction and is interpolated
	// there.
	halfX, halfY bool
	cb, cr       []byte  // one row, enlarged
	sums         []int32 // one row of weighted sums over two rows of chroma
}

func newYCC(m *image.YCbCr) *ycc {
	r := &ycc{YCbCr: m, w: m.Rect.Dx(), h: m.Rect.Dy()}
	r.cw, r.ch = r.w, r.h
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio420:
		r.cw, r.ch, r.halfX, r.halfY = (r.w+1)/2, (r.h+1)/2, true, true
	case image.YCbCrSubsampleRatio422:
		r.cw, r.halfX = (r.w+1)/2, true
	case image.YCbCrSubsampleRatio440:
		r.ch, r.halfY = (r.h+1)/2, true
	}
	return r
}

func (r *ycc) size() (width, height int) { return r.w, r.h }

func (r *ycc) rgb(dst []byte, y, x0, x1 int) {
	n := x1 - x0
	luma := r.Y[y*r.YStride+x0:][:n]
	cb, cr := r.chroma(y, x0, x1)
	cb, cr, dst = cb[:n], cr[:n], dst[:3*n]
	for i, v := range luma {
		l, u, w := int32(v), cb[i], cr[i]
		p := dst[3*i : 3*i+3 : 3*i+3]
		p[0] = clip(l + redOfCr[w])
		p[1] = clip(l + (greenOfCb[u]+greenOfCr[w])>>16)
		p[2] = clip(l + blueOfCb[u])
	}
}

// chroma gives both chroma values of the pixels [x0, x1) of row y, until the next call.
func (r *ycc) chroma(y, x0, x1 int) (cb, cr []byte) {
	if !r.halfX && !r.halfY {
		if r.SubsampleRatio == image.YCbCrSubsampleRatio444 {
			at := y*r.CStride + x0
			return r.Cb[at:], r.Cr[at:]
		}
		return r.repeated(y, x0, x1)
	}
	if r.halfX && r.cw <= 2 { // too narrow to interpolate: libjpeg repeats
		return r.repeated(y, x0, x1)
	}
	r.cb, r.cr = grow(r.cb, x1-x0), grow(r.cr, x1-x0)
	for k, plane := range [][]byte{r.Cb, r.Cr} {
		out := [][]byte{r.cb, r.cr}[k]
		switch {
		case r.halfX && r.halfY:
			r.enlargeBoth(out, plane, y, x0, x1)
		case r.halfX:
			r.enlargeX(out, plane[y*r.CStride:], x0, x1)
		default:
			r.enlargeY(out, plane, y, x0, x1)
		}
	}
	return r.cb, r.cr
}

// repeated takes the nearest chroma sample at or before each pixel.
func (r *ycc) repeated(y, x0, x1 int) (cb, cr []byte) {
	r.cb, r.cr = grow(r.cb, x1-x0), grow(r.cr, x1-x0)
	for x := x0; x < x1; x++ {
		at := r.COffset(r.Rect.Min.X+x, r.Rect.Min.Y+y)
		r.cb[x-x0], r.cr[x-x0] = r.Cb[at], r.Cr[at]
	}
	return r.cb, r.cr
}

// neighbours gives the chroma row that covers row y and the nearest other one.
func (r *ycc) neighbours(plane []byte, y int) (near, far []byte) {
	n := y / 2
	f := n + 1
	if y%2 == 0 {
		f = n - 1
	}
	f = max(0, min(r.ch-1, f))
	return plane[n*r.CStride:][:r.cw], plane[f*r.CStride:][:r.cw]
}

func (r *ycc) enlargeY(dst, plane []byte, y, x0, x1 int) {
	near, far := r.neighbours(plane, y)
	half := int32(1 + y&1)
	near, far = near[x0:x1], far[x0:x1]
	for i := range dst {
		dst[i] = byte((3*int32(near[i]) + int32(far[i]) + half) >> 2)
	}
}

func (r *ycc) enlargeX(dst, row []byte, x0, x1 int) {
	for x := x0; x < x1; x++ {
		c := x / 2
		here := int32(row[c])
		switch {
		case x%2 == 0:
			dst[x-x0] = byte((3*here + int32(row[max(0, c-1)]) + 1) >> 2)
		default:
			dst[x-x0] = byte((3*here + int32(row[min(r.cw-1, c+1)]) + 2) >> 2)
		}
	}
}

func (r *ycc) enlargeBoth(dst, plane []byte, y, x0, x1 int) {
	near, far := r.neighbours(plane, y)
	// sums[1+j] belongs to chroma column lo+j; both ends have a neighbour, at the image's edge
	// their own value.
	lo, hi := x0/2, (x1+1)/2
	r.sums = grow(r.sums, hi-lo+2)
	for j := range r.sums {
		c := max(0, min(r.cw-1, lo+j-1))
		r.sums[j] = 3*int32(near[c]) + int32(far[c])
	}
	i := 0
	if x0%2 == 1 {
		dst[0] = byte((3*r.sums[1] + r.sums[2] + 7) >> 4)
		i = 1
	}
	for j := (x0 + i) / 2; i < len(dst); j++ {
		s := r.sums[j-lo : j-lo+3 : j-lo+3]
		dst[i] = byte((3*s[1] + s[0] + 8) >> 4)
		if i+1 < len(dst) {
			dst[i+1] = byte((3*s[1] + s[2] + 7) >> 4)
		}
		i += 2
	}
}

func clip(v int32) byte { return byte(max(0, min(255, v))) }

// The colours of a chroma value (ITU-R BT.601, JFIF): red = Y + 1.402 Cr, green = Y − 0.34414 Cb −
// 0.71414 Cr, blue = Y + 1.772 Cb, with Cb and Cr less 128. Those of green have 16 fractional bits,
// a half included.
var redOfCr, blueOfCb, greenOfCb, greenOfCr = chromaTables()

func chromaTables() (redOfCr, blueOfCb, greenOfCb, greenOfCr [256]int32) {
	const half = 1 << 15
	for i := range int32(256) {
		v := i - 128
		redOfCr[i] = (91881*v + half) >> 16
		blueOfCb[i] = (116130*v + half) >> 16
		greenOfCb[i] = -22554*v + half
		greenOfCr[i] = -46802 * v
	}
	return
}
