package jpeg

import "unsafe"

// Decoder decodes one file after another in the same memory. The zero value is ready for use, by
// one goroutine at a time.
type Decoder struct {
	in       input
	head     Header
	image    Image
	bits     reader
	dc, ac   [4]table
	steps    [4]steps
	defined  [4]bool // quantisation tables
	interval int     // units between restart markers, or 0
	comps    [4]coded
	scanned  [4]*coded
	scans    int
	// work is how many blocks progressive scans have gone over, blocks how many there are.
	work, blocks int64
	wide         bool // a block of a sequential file was not one that a picture has
}

// coded is a component while it is decoded.
type coded struct {
	*component
	seen   bool
	steps  steps // as they were when the first scan of the component began
	pix    []byte
	stride int
	// Of a progressive file: coefficients are [bh, bw, 64], nonzero [bh, bw] says which of them are
	// not zero, by their index in zigzag order.
	coefficients []int16
	nonzero      []uint64

	// Of the scan in hand: tables, blocks of a unit, and the last DC value.
	dc, ac       *table
	across, down int
	before       int
}

// Decode decodes a whole file. The image is valid until the next call.
//
// It allocates what ReadHeader's Memory says, as soon as there is a scan: whoever reads files of
// unknown origin looks at that first.
func (d *Decoder) Decode(data []byte) (*Image, error) {
	d.reset(data)
	if err := d.in.start(); err != nil {
		return nil, err
	}
	for {
		marker, body, err := d.in.next()
		if err != nil {
			return nil, err
		}
		switch marker {
		case mEOI:
			return d.finish()
		case mSOS:
			err = d.scan(body)
		case mDQT:
			err = d.defineSteps(body)
		case mDHT:
			err = d.defineCodes(body)
		case mDRI:
			if len(body) != 2 {
				return nil, d.in.invalid("DRI has wrong length")
			}
			d.interval = int(body[0])<<8 | int(body[1])
		default:
			if d.scans == 0 {
				err = d.head.segment(&d.in, marker, body)
			}
		}
		if err != nil {
			return nil, err
		}
	}
}

func (d *Decoder) reset(data []byte) {
	d.in = input{data: data}
	d.head = Header{}
	d.interval, d.scans, d.work, d.blocks, d.wide = 0, 0, 0, 0, false
	d.defined = [4]bool{}
	for i := range d.dc {
		d.dc[i].count, d.ac[i].count = 0, 0
	}
}

// defineSteps reads quantisation tables (T.81, B.2.4.1).
func (d *Decoder) defineSteps(body []byte) error {
	for len(body) > 0 {
		wide, tq := int(body[0]>>4), body[0]&15
		size := 64 << wide
		switch {
		case tq > 3:
			return d.in.invalid("bad Tq value")
		case wide > 1:
			return d.in.invalid("bad Pq value")
		case len(body) < 1+size:
			return d.in.invalid("DQT has wrong length")
		}
		values := body[1 : 1+size]
		for i := range 64 {
			if wide == 1 {
				d.steps[tq][natural[i]] = int32(values[2*i])<<8 | int32(values[2*i+1])
			} else {
				d.steps[tq][natural[i]] = int32(values[i])
			}
		}
		d.defined[tq] = true
		body = body[1+size:]
	}
	return nil
}

// defineCodes reads Huffman tables (T.81, B.2.4.2).
func (d *Decoder) defineCodes(body []byte) (err error) {
	for len(body) > 0 {
		class, th := body[0]>>4, body[0]&15
		switch {
		case class > 1:
			return d.in.invalid("bad Tc value")
		case th > 3:
			return d.in.invalid("bad Th value")
		case class == 0:
			body, err = d.dc[th].define(&d.in, body[1:], false)
		default:
			body, err = d.ac[th].define(&d.in, body[1:], true)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// allocate makes room for the picture: for the samples, or for the coefficients, in whose place the
// samples come in the end.
func (d *Decoder) allocate() {
	for i := range d.head.comps[:d.head.Components] {
		c, old := &d.comps[i], d.comps[i]
		*c = coded{component: &d.head.comps[i], stride: 8 * d.head.comps[i].bw}
		blocks := c.bw * c.bh
		d.blocks += int64(blocks)
		if d.head.Progressive {
			c.coefficients, c.nonzero = room(old.coefficients, 64*blocks), room(old.nonzero, blocks)
			clear(c.nonzero) // what is not named there is not read
		} else {
			c.pix = room(old.pix, 64*blocks)
		}
	}
}

// room gives s a length. Of much more memory than is wanted it lets go.
func room[T any](s []T, n int) []T {
	if cap(s) < n || cap(s) > 4*n+1<<20 {
		return make([]T, n)
	}
	return s[:n]
}

// finish makes the picture of what the scans have brought. Where they have brought nothing, values
// are 0 before the transform, as in libjpeg.
func (d *Decoder) finish() (*Image, error) {
	if d.scans == 0 {
		return nil, d.in.invalid("missing SOS marker")
	}
	d.image.set(&d.head)
	for i := range d.head.comps[:d.head.Components] {
		c := &d.comps[i]
		switch {
		case d.head.Progressive:
			c.reconstruct()
		case !c.seen:
			for k := range c.pix {
				c.pix[k] = 128
			}
		}
		d.image.planes[i].pix, d.image.planes[i].stride = c.pix, c.stride
	}
	return &d.image, nil
}

// reconstruct transforms the coefficients of a progressive file. The samples take the place of the
// coefficients, which are twice as long: those of row i lie below the coefficients of row i+1, and
// for i > 0 below those of row i as well.
func (c *coded) reconstruct() {
	c.pix = unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(c.coefficients))), 2*len(c.coefficients))[:len(c.coefficients)]
	row := c.bw * 64
	first := append([]int16(nil), c.coefficients[:row]...)
	var b block
	for y := range c.bh {
		from := c.coefficients[y*row:][:row]
		if y == 0 {
			from = first
		}
		for x := range c.bw {
			last, weight := c.dequantised(&b, from[64*x:][:64], c.nonzero[y*c.bw+x])
			invert(&b, last, weight, c.pix[y*row+8*x:], c.stride)
		}
	}
}
