package jpeg

// The colours of a pixel (ITU-R BT.601 of full range, as in JFIF) are
//
//	red = Y + 1.402 Cr,  green = Y − 0.34414 Cb − 0.71414 Cr,  blue = Y + 1.772 Cb
//
// with Cb and Cr less 128. The factors have 16 fractional bits; red's and blue's sums with Y are
// taken after each product has been rounded, green's products are added before.
//
// All three sums are taken at once, in the fields of one number: red from bit 0 on, blue from bit
// 16, and green from bit 48, with its fraction below. Each is 256 too large, so that none is
// negative.
var ofCr, ofCb = func() (cr, cb [256]uint64) {
	const half, bias = 1 << 15, 256
	for i := range 256 {
		v := i - 128
		red, blue := (91881*v+half)>>16, (116130*v+half)>>16
		cr[i] = uint64(red+bias) + uint64(bias<<16-46802*v)<<32
		cb[i] = uint64(blue+bias)<<16 + uint64(half-22554*v)<<32
	}
	return
}()

const (
	ofY     = 1 + 1<<16 + 1<<48
	redAt   = 0
	blueAt  = 16
	greenAt = 48
)

// clamped cuts a field off at 0 and 255.
var clamped = func() (t [1024]byte) {
	for i := range t {
		t[i] = byte(max(0, min(255, i-256)))
	}
	return
}()

// convert writes the RGB of a row.
func convert(dst, luma, cb, cr []byte) {
	n := len(luma)
	cb, cr, dst = cb[:n], cr[:n], dst[:3*n]
	for i, v := range luma {
		s := ofCr[cr[i]] + ofCb[cb[i]] + uint64(v)*ofY
		p := (*[3]byte)(dst[3*i:])
		p[0], p[1], p[2] = clamped[s>>redAt&1023], clamped[s>>greenAt&1023], clamped[s>>blueAt&1023]
	}
}

// shade makes RGB of three inks and black, both 255 where there is none, as Pillow does without a
// colour profile: ink (255 − black)/255 is taken from 255 − black. Of YCCK, what conversion gives
// are the inks themselves, 255 where there is most.
func shade(dst, black []byte, inverted bool) {
	for i, light := range black {
		p := (*[3]byte)(dst[3*i:])
		for k, ink := range p {
			if inverted {
				ink = 255 - ink
			}
			t := uint32(ink)*uint32(light) + 128
			p[k] = byte(uint32(light) - (t+t>>8)>>8)
		}
	}
}
