package jpeg

import "math/bits"

// A progressive file's scans may go over all blocks as often as maxPasses times, and over 8 more
// for each byte that the file has. Files of usual encoders have about ten scans; those of hostile
// ones would cost a second each, and need a few bytes.
const maxPasses = 100

// progressive decodes a scan of a progressive file into coefficients (T.81, annex G).
func (d *Decoder) progressive(s *scan) error {
	for _, c := range s.comps {
		d.work += int64(s.across) * int64(s.down) * int64(c.across) * int64(c.down)
	}
	if most := maxPasses*d.blocks + 8*int64(len(d.in.data)); d.work > most {
		return d.in.invalid("scan %d: so many scans of a picture of %d×%d pixels cannot be in %d bytes", d.scans, d.head.Width, d.head.Height, len(d.in.data))
	}
	switch {
	case s.first == 0:
		return d.intervals(s.across*s.down, func(from, to int) error { return d.average(s, from, to) })
	case s.refine:
		return d.intervals(s.across*s.down, func(from, to int) error { return d.refine(s, from, to) })
	}
	return d.intervals(s.across*s.down, func(from, to int) error { return d.band(s, from, to) })
}

// average brings DC values, or their next bits.
func (d *Decoder) average(s *scan, from, to int) error {
	r := &d.bits
	for unit := from; unit < to; unit++ {
		x, y := unit%s.across, unit/s.across
		for _, c := range s.comps {
			for i := range c.across * c.down {
				if r.p > r.soft {
					if err := r.fill(); err != nil {
						return err
					}
				}
				value := 0
				if s.refine {
					value = r.take(1)
				} else {
					size := r.next(c.dc)
					if size < 0 || size > 15 {
						return dcFault(size)
					}
					c.before += extend(r.take(uint(size)), size)
					value = c.before
				}
				bx, by := x*c.across+i%c.across, y*c.down+i/c.across
				if bx >= c.bw || by >= c.bh {
					continue
				}
				at := by*c.bw + bx
				value <<= s.low
				if s.refine && c.nonzero[at]&1 != 0 {
					value |= int(c.coefficients[64*at])
				}
				c.set(at, 0, int16(value))
			}
		}
	}
	return nil
}

// set stores the coefficient of an index in zigzag order.
func (c *coded) set(block, k int, v int16) {
	c.coefficients[64*block+int(natural[k&63])] = v
	if v != 0 {
		c.nonzero[block] |= 1 << (k & 63)
	} else {
		c.nonzero[block] &^= 1 << (k & 63)
	}
}

// band brings the first bits of the coefficients of a band.
func (d *Decoder) band(s *scan, from, to int) error {
	r, c := &d.bits, s.comps[0]
	for at := from; at < to; at++ {
		if r.p > r.soft {
			if err := r.fill(); err != nil {
				return err
			}
		}
		for k := s.first; k <= s.last; k++ {
			symbol := r.next(c.ac)
			if symbol < 0 {
				return errCode
			}
			run, size := symbol>>4, symbol&15
			if size == 0 && run < 15 { // so many blocks have no more, this one included
				at += 1<<run + r.take(uint(run)) - 1
				break
			}
			k += run
			if size > 0 {
				c.set(at, min(k, 63), int16(extend(r.take(uint(size)), size)<<s.low))
			}
		}
	}
	return nil
}

// refine brings the next bit of the coefficients of a band: of those that are not zero, and of
// those that become ±1.
func (d *Decoder) refine(s *scan, from, to int) error {
	r, c := &d.bits, s.comps[0]
	one := int16(1) << s.low
	inBand := ^uint64(0) << s.first << (63 - s.last) >> (63 - s.last)
	run := 0 // blocks that have no new coefficients, this one included
	for at := from; at < to; at++ {
		if run > 0 && c.nonzero[at]&inBand == 0 {
			run--
			continue
		}
		if r.p > r.soft {
			if err := r.fill(); err != nil {
				return err
			}
		}
		k := s.first
		for run == 0 && k <= s.last {
			symbol := r.next(c.ac)
			if symbol < 0 {
				return errCode
			}
			zeros, size := symbol>>4, symbol&15
			value := one
			switch {
			case size == 0 && zeros < 15:
				run = 1<<zeros + r.take(uint(zeros))
				continue
			case size > 1:
				return errRefine
			case size == 1 && r.take(1) == 0:
				value = -one
			}
			k = c.refine(r, at, k, s.last, zeros, one)
			if size == 1 {
				if k > s.last {
					return errOutside
				}
				c.set(at, k, value)
			}
			k++
		}
		if run > 0 {
			run--
			c.refine(r, at, k, s.last, 64, one)
		}
	}
	return nil
}

// refine brings the next bit of the coefficients from k to last of a block that are not zero, up to
// the zero before which there are so many others, and gives its index.
func (c *coded) refine(r *reader, at, k, last, zeros int, one int16) int {
	of := (*[64]int16)(c.coefficients[64*at:])
	nonzero := c.nonzero[at]
	for ; k <= last; k++ {
		if nonzero>>k&1 == 0 {
			if zeros--; zeros < 0 {
				break
			}
			continue
		}
		v := &of[natural[k&63]&63]
		switch {
		case r.take(1) == 0 || *v&one != 0: // libjpeg, too, sets a bit once
		case *v >= 0:
			*v += one
		default:
			*v -= one
		}
	}
	return k
}

// dequantised makes the values of a block of its coefficients; last and weight are those of
// reader.sequential.
func (c *coded) dequantised(b *block, coefficients []int16, nonzero uint64) (last int, weight int64) {
	clear(b[:64])
	of := (*[64]int16)(coefficients)
	for m := nonzero; m != 0; m &= m - 1 {
		at := natural[bits.TrailingZeros64(m)] & 63
		v := int64(of[at]) * int64(c.steps[at])
		b[at] = int16(v)
		weight += v ^ v>>63
	}
	return max(0, bits.Len64(nonzero)-1), weight
}
