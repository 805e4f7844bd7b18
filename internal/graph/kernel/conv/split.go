package conv

import "resnet/internal/graph/kernel"

// A Split computes a direct convolution of one image in parts, ranges of rows of groups of output
// channels. Several workers share an image in that way where there are fewer images than workers;
// and a worker that has an image of its own keeps in cache what it does with each part.
type Split struct {
	d           *direct
	bf16        *bf16 // where that is how it is computed
	group, rows int   // output blocks and rows of a unit
	parts       int   // units of the rows
}

// NewSplit divides a direct pass over an image into about so many units, more of channels than of
// rows: then a unit needs few of the weights. It returns nil for another algorithm and for the data
// gradient of a strided convolution, which is several problems.
func NewSplit(p Pass, units int) *Split {
	s := newSplit(p)
	if s == nil {
		return nil
	}
	d := s.d
	s.group = 2 * max(1, (d.ob+1)/2/units)
	groups := s.groups()
	s.divide(min(d.outH, (units+groups-1)/groups))
	return s
}

// partLen is how many values of a pair of output blocks are computed at a time, so that they are in
// the first or second-level cache with what they are computed from.
const partLen = 16 << 10

// NewParts is NewSplit for one worker.
func NewParts(p Pass) *Split {
	s := newSplit(p)
	if s == nil {
		return nil
	}
	d := s.d
	s.group = d.ob
	rows := max(1, partLen/(2*d.outW*block))
	s.divide((d.outH + rows - 1) / rows)
	return s
}

func newSplit(p Pass) *Split {
	s := &Split{}
	switch p := p.(type) {
	case *direct:
		s.d = p
	case *bf16:
		s.d, s.bf16 = p.direct, p
	}
	if s.d == nil || !s.d.single() {
		return nil
	}
	return s
}

// single reports whether each block of output channels is one problem.
func (d *direct) single() bool {
	blocks := 0
	for i := range d.problems {
		blocks += d.problems[i].ob
	}
	return blocks == d.ob && !d.zero
}

// of is the problem of a block of output channels, where each is one.
func (d *direct) of(ob int) *problem {
	i := 0
	for ob >= d.problems[i].from+d.problems[i].ob {
		i++
	}
	return &d.problems[i]
}

// divide sets the rows of a unit.
func (s *Split) divide(parts int) {
	s.rows = (s.d.outH + parts - 1) / parts
	s.parts = (s.d.outH + s.rows - 1) / s.rows
}

func (s *Split) groups() int { return (s.d.ob + s.group - 1) / s.group }

// Input is the layout of the padded image.
func (s *Split) Input() *Padded { return s.d.in }

// Units says in how many independent parts an image can be done.
func (s *Split) Units() int { return s.groups() * s.parts }

// Need is the scratch of a unit.
func (s *Split) Need() Need {
	need := Need{Out: 2 * s.rows * s.d.outW * block}
	if s.bf16 != nil {
		need.BF16 = s.bf16.Need(1).BF16
	}
	return need
}

// Image computes all units of an image in order.
func (s *Split) Image(k *Work, x, packed []float32, f func(ob, from int, y []float32)) {
	if s.bf16 != nil {
		s.bf16.round(k, k.bf16, x, 0, s.d.in.PH)
	}
	for u := range s.Units() {
		s.compute(k, x, u, packed, f)
	}
}

// Compute is unit u of an image. It calls f for each part of the result as it is done: pixels from
// the given one of block ob of the output channels.
func (s *Split) Compute(k *Work, x []float32, u int, packed []float32, f func(ob, from int, y []float32)) {
	if s.bf16 != nil {
		from := u % s.parts * s.rows
		s.bf16.round(k, k.bf16, x, from, min(from+s.rows+s.bf16.reach, s.d.in.PH))
	}
	s.compute(k, x, u, packed, f)
}

// ComputeTo is unit u of an image of a float32 pass, at its place in y, a blocked image.
func (s *Split) ComputeTo(k *Work, y, x []float32, u int, packed []float32) {
	d := s.d
	plane := d.outH * d.outW * block
	s.strips(u, func(ob, nb, row, rows int) {
		d.strip(k, d.of(ob), ob, nb, rows, x[row*d.in.Row():], packed, y[ob*plane+row*d.outW*block:], plane)
	})
}

func (s *Split) compute(k *Work, x []float32, u int, packed []float32, f func(ob, from int, y []float32)) {
	d := s.d
	s.strips(u, func(ob, nb, row, rows int) {
		plane := rows * d.outW * block
		if s.bf16 != nil {
			s.bf16.strips(k, &s.bf16.problems[0], ob, nb, row, rows, 1, packed, k.out, plane, 0)
		} else {
			d.strip(k, d.of(ob), ob, nb, rows, x[row*d.in.Row():], packed, k.out, plane)
		}
		for b := range nb {
			f(ob+b, row*d.outW, k.out[b*plane:(b+1)*plane])
		}
	})
}

// strips calls f for what unit u is computed in: rows from the given one of nb blocks of output
// channels.
func (s *Split) strips(u int, f func(ob, nb, row, rows int)) {
	d := s.d
	row, first := u%s.parts*s.rows, u/s.parts*s.group
	rows := min(s.rows, d.outH-row)
	for ob, end := first, min(first+s.group, d.ob); ob < end; {
		p := d.of(ob)
		nb := kernel.Blocks(min(end, p.from+p.ob) - ob)
		if s.bf16 != nil {
			nb = min(2, end-ob)
		}
		f(ob, nb, row, rows)
		ob += nb
	}
}
