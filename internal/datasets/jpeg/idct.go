package jpeg

import "encoding/binary"

// The inverse transform is libjpeg's accurate one in integers: the algorithm of Loeffler,
// Ligtenberg and Moschytz (ICASSP 1989, figure 1) first on columns, then on rows, with constants of
// 13 fractional bits. Between the two, 2 fractional bits are kept, and that rounding decides about
// the last bit of a sample. Both are scaled by √8, so that 3 bits more are dropped at the end.
const (
	constBits = 13
	passBits  = 2

	fix0298 = 2446  // √2 (−c1 + c3 + c5 − c7)
	fix0390 = 3196  // √2 (c3 − c5), to be subtracted
	fix0541 = 4433  // √2 c6
	fix0765 = 6270  // √2 (c2 − c6)
	fix0899 = 7373  // √2 (c3 − c7), to be subtracted
	fix1175 = 9633  // √2 c3
	fix1501 = 12299 // √2 (c1 + c3 − c5 − c7)
	fix1847 = 15137 // √2 (c2 + c6), to be subtracted
	fix1961 = 16069 // √2 (c3 + c5), to be subtracted
	fix2053 = 16819 // √2 (c1 + c3 − c5 + c7)
	fix2562 = 20995 // √2 (c1 + c3), to be subtracted
	fix3072 = 25172 // √2 (c1 + c3 + c5 − c7)
)

// maxWeight is the largest sum of magnitudes of coefficients with which no sum of 16 bits
// overflows: no basis function exceeds √2 · cos(π/16) = 1.387, and four times that is below 2^15.
const maxWeight = 5800

// invert writes the samples of a block to the eight rows of dst, which stand stride bytes apart.
// last and weight are those of sequential.
func invert(b *block, last int, weight int64, dst []byte, stride int) {
	switch {
	case weight > maxWeight:
		invertWide(b, dst, stride)
	case last == 0:
		invertFlat(b[0], dst, stride)
	case last < 10:
		invertLow(b, dst, stride)
	default:
		invertFull(b, dst, stride)
	}
}

// invertFlat is for blocks of a single value.
func invertFlat(dc int16, dst []byte, stride int) {
	v := uint64(sample((int32(dc)+4)>>3+128)) * 0x0101010101010101
	for range 7 {
		binary.LittleEndian.PutUint64(dst, v)
		dst = dst[stride:]
	}
	binary.LittleEndian.PutUint64(dst, v)
}

// Two columns, and then two rows, are transformed at once: a and b as the number a + b·2^32. Sums
// and products of such a pair with a constant are the pairs of the sums and products, as long as
// the results fit into 32 bits; there are no shifts to the right before the end.
const pair = 1<<32 + 1

func lanes(a, b int16) int64 { return int64(a) + int64(b)<<32 }

// round of the first pass, and what the second adds to a row's first value before it is shifted by
// 13: a half of what is dropped, and 128, because samples are centred.
const (
	half1 = (1 << (constBits - passBits - 1)) * pair
	half2 = (1<<(passBits+2) + 128<<(passBits+3)) * pair
)

// invertFull is for any block whose sums do not overflow.
func invertFull(b *block, dst []byte, stride int) {
	var ws [4][8]int64 // rows i and 7−i
	for c := 0; c < 8; c += 2 {
		p := (*[58]int16)(b[c:])
		x0, x2, x4, x6 := lanes(p[0], p[1]), lanes(p[16], p[17]), lanes(p[32], p[33]), lanes(p[48], p[49])
		z := (x2 + x6) * fix0541
		e2, e3 := z-x6*fix1847, z+x2*fix0765
		e0, e1 := (x0+x4)<<constBits+half1, (x0-x4)<<constBits+half1
		e0, e3, e1, e2 = e0+e3, e0-e3, e1+e2, e1-e2

		x1, x3, x5, x7 := lanes(p[8], p[9]), lanes(p[24], p[25]), lanes(p[40], p[41]), lanes(p[56], p[57])
		z1, z2, z3, z4 := (x7+x1)*fix0899, (x5+x3)*fix2562, x7+x3, x5+x1
		z5 := (z3 + z4) * fix1175
		z3, z4 = z5-z3*fix1961, z5-z4*fix0390
		o0, o1, o2, o3 := x7*fix0298-z1+z3, x5*fix2053-z2+z4, x3*fix3072-z2+z3, x1*fix1501-z1+z4

		ws[0][c], ws[0][c+1] = cross(e0+o3, e0-o3)
		ws[1][c], ws[1][c+1] = cross(e1+o2, e1-o2)
		ws[2][c], ws[2][c+1] = cross(e2+o1, e2-o1)
		ws[3][c], ws[3][c+1] = cross(e3+o0, e3-o0)
	}
	for i := range ws {
		w := &ws[i]
		x0, x2, x4, x6 := w[0]+half2, w[2], w[4], w[6]
		z := (x2 + x6) * fix0541
		e2, e3 := z-x6*fix1847, z+x2*fix0765
		e0, e1 := (x0+x4)<<constBits, (x0-x4)<<constBits
		e0, e3, e1, e2 = e0+e3, e0-e3, e1+e2, e1-e2

		x1, x3, x5, x7 := w[1], w[3], w[5], w[7]
		z1, z2, z3, z4 := (x7+x1)*fix0899, (x5+x3)*fix2562, x7+x3, x5+x1
		z5 := (z3 + z4) * fix1175
		z3, z4 = z5-z3*fix1961, z5-z4*fix0390
		o0, o1, o2, o3 := x7*fix0298-z1+z3, x5*fix2053-z2+z4, x3*fix3072-z2+z3, x1*fix1501-z1+z4

		store((*[8]byte)(dst[i*stride:]), (*[8]byte)(dst[(7-i)*stride:]), e0, e1, e2, e3, o0, o1, o2, o3)
	}
}

// cross rounds the results of the first pass for two columns, of the rows i and 7−i, and makes each
// column's two rows a pair.
func cross(u, l int64) (left, right int64) {
	const drop = constBits - passBits
	left = int64(int32(u)>>drop) + int64(int32(l)>>drop)<<32
	right = (u+1<<31)>>(32+drop) + (l+1<<31)>>(32+drop)<<32
	return left, right
}

// store writes the samples of two rows.
func store(upper, lower *[8]byte, e0, e1, e2, e3, o0, o1, o2, o3 int64) {
	upper[0], lower[0] = samples(e0 + o3)
	upper[1], lower[1] = samples(e1 + o2)
	upper[2], lower[2] = samples(e2 + o1)
	upper[3], lower[3] = samples(e3 + o0)
	upper[4], lower[4] = samples(e3 - o0)
	upper[5], lower[5] = samples(e2 - o1)
	upper[6], lower[6] = samples(e1 - o2)
	upper[7], lower[7] = samples(e0 - o3)
}

// samples are the results of the second pass for two rows.
func samples(v int64) (upper, lower byte) {
	const drop = constBits + passBits + 3
	return sample(int32(v) >> drop), sample(int32((v + 1<<31) >> (32 + drop)))
}

func sample(v int32) byte {
	if uint32(v) > 255 {
		v = ^v >> 31
	}
	return byte(v)
}

// invertLow is for blocks whose values are in the upper left quarter: invertFull without what is
// zero then.
func invertLow(b *block, dst []byte, stride int) {
	var ws [4][4]int64
	for c := 0; c < 4; c += 2 {
		p := (*[26]int16)(b[c:])
		x0, x2 := lanes(p[0], p[1])<<constBits+half1, lanes(p[16], p[17])
		e3, e2 := x2*(fix0541+fix0765), x2*fix0541
		e0, e3, e1, e2 := x0+e3, x0-e3, x0+e2, x0-e2

		x1, x3 := lanes(p[8], p[9]), lanes(p[24], p[25])
		z5 := (x3 + x1) * fix1175
		z3, z4 := z5-x3*fix1961, z5-x1*fix0390
		o0, o1, o2, o3 := z3-x1*fix0899, z4-x3*fix2562, x3*(fix3072-fix2562)+z3, x1*(fix1501-fix0899)+z4

		ws[0][c], ws[0][c+1] = cross(e0+o3, e0-o3)
		ws[1][c], ws[1][c+1] = cross(e1+o2, e1-o2)
		ws[2][c], ws[2][c+1] = cross(e2+o1, e2-o1)
		ws[3][c], ws[3][c+1] = cross(e3+o0, e3-o0)
	}
	for i := range ws {
		w := &ws[i]
		x0, x2 := (w[0]+half2)<<constBits, w[2]
		e3, e2 := x2*(fix0541+fix0765), x2*fix0541
		e0, e3, e1, e2 := x0+e3, x0-e3, x0+e2, x0-e2

		x1, x3 := w[1], w[3]
		z5 := (x3 + x1) * fix1175
		z3, z4 := z5-x3*fix1961, z5-x1*fix0390
		o0, o1, o2, o3 := z3-x1*fix0899, z4-x3*fix2562, x3*(fix3072-fix2562)+z3, x1*(fix1501-fix0899)+z4

		store((*[8]byte)(dst[i*stride:]), (*[8]byte)(dst[(7-i)*stride:]), e0, e1, e2, e3, o0, o1, o2, o3)
	}
}
