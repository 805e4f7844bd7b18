package jpeg

import "fmt"

// scan is a start of scan (T.81, B.2.3).
type scan struct {
	comps []*coded
	// first to last are the coefficients of the scan in zigzag order. The bits of their values
	// below low follow in later scans; with refine, this one brings a single bit.
	first, last int
	low         uint
	refine      bool
	// across×down are its units: one block each, or for several components as many as their
	// sampling factors say.
	across, down int
}

// scan reads a start of scan and decodes what follows it.
func (d *Decoder) scan(body []byte) error {
	if d.head.Components == 0 {
		return d.in.invalid("missing SOF marker")
	}
	if d.head.Width < 1 || d.head.Height < 1 {
		return d.in.invalid("a picture of %d×%d pixels", d.head.Width, d.head.Height)
	}
	if d.scans == 0 {
		d.allocate()
	}
	d.scans++
	s, err := d.scanHead(body)
	if err != nil {
		return err
	}
	begin := d.in.pos
	d.bits.begin(&d.in)
	if d.head.Progressive {
		err = d.progressive(&s)
	} else {
		err = d.sequential(&s)
	}
	if err != nil {
		return fmt.Errorf("%w, in the scan that begins at byte %d", err, begin)
	}
	return nil
}

// scanHead reads a start of scan, and looks for the tables that it names.
func (d *Decoder) scanHead(body []byte) (s scan, err error) {
	if len(body) < 6 || len(body) != 4+2*int(body[0]) || int(body[0]) > d.head.Components {
		return s, d.in.invalid("SOS has wrong length")
	}
	n := int(body[0])
	tail := body[1+2*n:]
	s.last = 63
	if d.head.Progressive {
		s.first, s.last, s.low, s.refine = int(tail[0]), int(tail[1]), uint(tail[2]&15), tail[2]>>4 != 0
		switch {
		case s.first == 0 && s.last != 0 || s.first > s.last || s.last > 63:
			return s, d.in.invalid("bad spectral selection bounds")
		case s.first > 0 && n > 1:
			return s, d.in.invalid("progressive AC coefficients for more than one component")
		case s.refine && uint(tail[2]>>4) != s.low+1 || s.low > 13:
			return s, d.in.invalid("bad successive approximation values")
		}
	}
	s.comps = d.scanned[:0]
	blocks := 0
	for i := range n {
		c, err := d.selected(&s, body[1+2*i], body[2+2*i])
		if err != nil {
			return s, err
		}
		s.comps = append(s.comps, c)
		blocks += c.h * c.v
	}
	if n == 1 {
		s.across, s.down = s.comps[0].bw, s.comps[0].bh
		s.comps[0].across, s.comps[0].down = 1, 1
		return s, nil
	}
	if blocks > 10 {
		return s, d.in.invalid("total sampling factors too large")
	}
	s.across, s.down = ceilDiv(d.head.Width, 8*d.head.hMax), ceilDiv(d.head.Height, 8*d.head.vMax)
	for _, c := range s.comps {
		c.across, c.down = c.h, c.v
	}
	return s, nil
}

// selected is the component that a scan names, with its tables.
func (d *Decoder) selected(s *scan, id, tables byte) (*coded, error) {
	for i := range d.comps[:d.head.Components] {
		c := &d.comps[i]
		if c.id != id {
			continue
		}
		for _, other := range s.comps {
			if other == c {
				return nil, d.in.invalid("repeated component selector")
			}
		}
		td, ta := tables>>4, tables&15
		if td > 3 || ta > 3 {
			return nil, d.in.invalid("bad Td or Ta value")
		}
		c.dc, c.ac = &d.dc[td], &d.ac[ta]
		if s.first == 0 && !s.refine && c.dc.count == 0 || s.last > 0 && c.ac.count == 0 {
			return nil, d.in.invalid("uninitialized Huffman table")
		}
		if !c.seen {
			// The table may be defined anew for other components later.
			if !d.defined[c.tq] {
				return nil, d.in.invalid("uninitialized quantisation table")
			}
			c.steps, c.seen = d.steps[c.tq], true
		}
		return c, nil
	}
	return nil, d.in.invalid("unknown component selector")
}

// intervals calls do for the units of a scan between two restart markers.
func (d *Decoder) intervals(units int, do func(from, to int) error) error {
	step := units
	if d.interval > 0 {
		step = d.interval
	}
	for from, number := 0, 0; from < units; from, number = from+step, number+1 {
		if from > 0 {
			if err := d.bits.restart((number - 1) & 7); err != nil {
				return err
			}
		}
		for i := range d.comps {
			d.comps[i].before = 0
		}
		if err := do(from, min(units, from+step)); err != nil {
			return err
		}
	}
	return d.bits.check()
}

// sequential decodes a scan of a sequential file into samples.
func (d *Decoder) sequential(s *scan) error {
	r := &d.bits
	var b block
	return d.intervals(s.across*s.down, func(from, to int) error {
		for unit, x, y := from, from%s.across, from/s.across; unit < to; unit++ {
			for _, c := range s.comps {
				for i := range c.across * c.down {
					if r.p > r.soft {
						if err := r.fill(); err != nil {
							return err
						}
					}
					clear(b[:64])
					value, last, weight, err := r.sequential(&b, c.dc, c.ac, &c.steps, c.before)
					if err != nil {
						return err
					}
					c.before = value
					d.wide = d.wide || weight > maxWeight
					bx, by := x*c.across+i%c.across, y*c.down+i/c.across
					if bx < c.bw && by < c.bh { // others fill the last units up
						invert(&b, last, weight, c.pix[8*(by*c.stride+bx):], c.stride)
					}
				}
			}
			if x++; x == s.across {
				x, y = 0, y+1
			}
		}
		return nil
	})
}
