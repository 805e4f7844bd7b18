package jpeg

import "errors"

// The faults of a block.
var (
	errCode    = errors.New("invalid JPEG format: bad Huffman code")
	errDC      = errors.New("invalid JPEG format: excessive DC component")
	errRefine  = errors.New("invalid JPEG format: unexpected Huffman code")
	errOutside = errors.New("invalid JPEG format: too many coefficients")
)

// natural gives the place in a block, row by row, of a coefficient in zigzag order (T.81, figure
// 5). A run that leads past the last coefficient ends there, as in libjpeg; what ends a block leads
// to the place nowhere.
var natural = func() (at [256]byte) {
	i := 0
	for d := range 15 {
		for k := range d + 1 {
			x, y := k, d-k
			if d%2 == 1 {
				x, y = y, x
			}
			if x < 8 && y < 8 {
				at[i] = byte(8*y + x)
				i++
			}
		}
	}
	for ; i < len(at); i++ {
		at[i] = 63
		if i >= endRun {
			at[i] = nowhere
		}
	}
	return at
}()

const nowhere = 64

// block holds coefficients, row by row. The places from 64 on are never read: an index of seven
// bits needs no check.
type block [128]int16

// steps is a quantisation table, row by row, with the same unused places.
type steps [128]int32

// sequential decodes a block of a sequential scan (T.81, F.2.2), multiplied by the steps of its
// quantisation table modulo 2^16, and gives its DC value before that. b is zero before.
//
// last is the highest index of a coefficient that may not be zero, in zigzag order; weight bounds
// the sum of the magnitudes, and is beyond maxWeight if a run has led out of the block.
func (r *reader) sequential(b *block, dc, ac *table, q *steps, before int) (value, last int, weight int64, err error) {
	if r.n < 32 {
		r.load()
	}
	if e := dc.whole[r.acc>>(64-lookBits)]; e != 0 {
		r.acc <<= e & 63
		r.n -= uint(e & 63)
		value = before + int(e>>16)
	} else {
		size := r.next(dc)
		if size < 0 || size > 15 {
			return 0, 0, 0, dcFault(size)
		}
		value = before + extend(r.take(uint(size)), size)
	}
	v := int64(value) * int64(q[0])
	b[0] = int16(v)
	weight = v ^ v>>63

	acc, n := r.acc, r.n
	k := uint(1)
	for k < 64 {
		if n < lookBits {
			r.acc, r.n = acc, n
			r.load()
			acc, n = r.acc, r.n
		}
		e := ac.whole[acc>>(64-lookBits)]
		if e == 0 {
			r.acc, r.n = acc, n
			symbol := r.next(ac)
			if symbol < 0 {
				return 0, 0, 0, errCode
			}
			size := symbol & 15
			switch {
			case size > 0:
				e = int32(extend(r.take(uint(size)), size))<<16 | int32(symbol>>4)<<8
			case symbol == 0xf0:
				e = 15 << 8
			default:
				e = endRun << 8
			}
			acc, n = r.acc, r.n
		}
		acc <<= e & 63
		n -= uint(e & 63)
		k += uint(e>>8) & 0xff
		at := natural[k&0xff] & 127
		v := int64(e>>16) * int64(q[at])
		weight += v ^ v>>63
		b[at] = int16(v)
		k++
	}
	r.acc, r.n = acc, n
	switch last = 63; {
	case k > endRun:
		last = int(k) - endRun - 2
	case k > 64:
		weight = maxWeight + 1
	}
	return value, last, weight, nil
}

func dcFault(size int) error {
	if size < 0 {
		return errCode
	}
	return errDC
}
