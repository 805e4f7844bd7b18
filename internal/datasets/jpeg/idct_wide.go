package jpeg

import "math"

// invertWide is for blocks of any values, those included that no picture has. It is plain, and the
// reference of the other ways. Where 16 bits are not enough it does what libjpeg-turbo's vector
// code does on x86-64, with which Pillow is built: inputs are added modulo 2^16, the columns'
// results are cut off at 16 bits, unless all rows but the first are zero, when they are taken
// modulo 2^16.
func invertWide(b *block, dst []byte, stride int) {
	var ws [64]int16
	flat := true
	for _, v := range b[8:64] {
		flat = flat && v == 0
	}
	for c := range 8 {
		if flat {
			for r := range 8 {
				ws[8*r+c] = b[c] << passBits
			}
			continue
		}
		for r, v := range transform(b[c], b[8+c], b[16+c], b[24+c], b[32+c], b[40+c], b[48+c], b[56+c]) {
			const drop = constBits - passBits
			ws[8*r+c] = int16(max(math.MinInt16, min(math.MaxInt16, (v+1<<(drop-1))>>drop)))
		}
	}
	for r := range 8 {
		w := ws[8*r : 8*r+8]
		for c, v := range transform(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]) {
			const drop = constBits + passBits + 3
			dst[r*stride+c] = byte(max(-128, min(127, (v+1<<(drop-1))>>drop)) + 128)
		}
	}
}

// transform is the transform of one column or row.
func transform(x0, x1, x2, x3, x4, x5, x6, x7 int16) [8]int32 {
	z := (int32(x2) + int32(x6)) * fix0541
	e2, e3 := z-int32(x6)*fix1847, z+int32(x2)*fix0765
	e0, e1 := int32(x0+x4)<<constBits, int32(x0-x4)<<constBits
	e0, e3, e1, e2 = e0+e3, e0-e3, e1+e2, e1-e2

	z3, z4 := int32(x7+x3), int32(x5+x1)
	z1, z2, z5 := (int32(x7)+int32(x1))*fix0899, (int32(x5)+int32(x3))*fix2562, (z3+z4)*fix1175
	z3, z4 = z5-z3*fix1961, z5-z4*fix0390
	o0, o1 := int32(x7)*fix0298-z1+z3, int32(x5)*fix2053-z2+z4
	o2, o3 := int32(x3)*fix3072-z2+z3, int32(x1)*fix1501-z1+z4
	return [8]int32{e0 + o3, e1 + o2, e2 + o1, e3 + o0, e3 - o0, e2 - o1, e1 - o2, e0 - o3}
}
