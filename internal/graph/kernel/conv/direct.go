package conv

import "resnet/internal/graph/kernel"

// A Pass is a forward convolution or a data gradient: padded images in, blocked images out.
type Pass interface {
	Packer
	// Input is the layout of the images that Run reads.
	Input() *Padded
	// Run computes n images from x (n padded images) into y (n blocked images).
	Run(k *Work, y, x []float32, n int, packed []float32)
}

// A Packer brings weights into the form that its kernels read.
type Packer interface {
	// PackedLen is the length of the packed weights.
	PackedLen() int
	// PackUnits says in how many independent parts Pack can be done.
	PackUnits() int
	// Pack writes part u of the packed form of weights w [K, C, R, S].
	Pack(k *Work, u int, dst, w []float32)
	// Need is the scratch for n images a call.
	Need(n int) Need
}

// problem is a stride-1 correlation: taps in the padded input, and where its rows go in the output
// image.
type problem struct {
	from, ob         int // its blocks of output channels
	group            int // channels of its groups, where the kernel of groups takes it, else 0
	taps             []int
	pick             []pick // what weights each tap takes
	weights          int    // offset of its packed weights
	out, rows, width int
	outRow, outPixel int
}

type pick struct{ b, r, s int } // block of reduced channels, kernel row, kernel column

// direct is a direct convolution of one or (data gradient of a strided convolution) several
// problems.
type direct struct {
	s          Shape
	in         *Padded
	transpose  bool // data gradient: weights [K, C] are read as [C, K]
	ob         int  // blocks of output channels
	inner      int  // channels in a tap
	outH, outW int
	problems   []problem
	packed     int
	zero       bool // some outputs belong to no problem
}

func (s Shape) forwardExtent() extent {
	return extent{s.PadH, s.PadW, (s.OH()-1)*s.Stride + s.R, (s.OW()-1)*s.ColStride() + s.S}
}

func newDirectForward(s Shape, in *Padded) *direct {
	d := &direct{s: s, in: in, ob: blocks(s.K), inner: inner(s.C), outH: s.OH(), outW: s.OW()}
	for _, of := range s.bands(false) {
		p := problem{from: of.from, ob: of.n, group: of.group, rows: d.outH, width: d.outW, outRow: d.outW * block, outPixel: block}
		for cb := of.in; cb < of.in+of.ins; cb++ {
			for r := range s.R {
				for c := range s.S {
					p.add(pick{cb, r, c}, in.at(cb, r+in.Top-s.PadH, c+in.Left-s.PadW))
				}
			}
		}
		d.add(p)
	}
	return d
}

func inner(c int) int { return min(c, block) }

func (p *problem) add(k pick, tap int) {
	p.pick, p.taps = append(p.pick, k), append(p.taps, tap)
}

func (d *direct) add(p problem) {
	p.weights = d.packed
	d.packed += p.ob * d.size(&p)
	d.problems = append(d.problems, p)
}

// size is how many packed weights a block of output channels has in a problem.
func (d *direct) size(p *problem) int {
	if p.group > 0 {
		return len(p.taps) * p.group * block
	}
	return len(p.taps) * d.inner * block
}

// phase is one side of the data gradient of a strided convolution: outputs a, a+U, a+2U, … take
// kernel rows first, first+U, …, row first+jU from the output gradient's row i + shift - j.
type phase struct{ a, count, first, taps, shift int }

func phases(n, r, pad, u int) []phase {
	var ps []phase
	for a := range min(u, n) {
		first := (a + pad) % u
		ps = append(ps, phase{a: a, count: (n - a + u - 1) / u, first: first, taps: (r - first + u - 1) / u, shift: (a + pad - first) / u})
	}
	return ps
}

func phaseExtent(ps []phase) (margin, rows int) {
	top := 0
	for _, p := range ps {
		if p.taps > 0 {
			margin = max(margin, p.taps-1-p.shift)
			top = max(top, p.count+p.shift)
		}
	}
	return margin, top + margin
}

func (s Shape) dataGradExtent() extent {
	top, rows := phaseExtent(phases(s.H, s.R, s.PadH, s.Stride))
	left, cols := phaseExtent(phases(s.W, s.S, s.PadW, s.ColStride()))
	return extent{top, left, rows, cols}
}

func newDirectDataGrad(s Shape, in *Padded) *direct {
	d := &direct{s: s, in: in, transpose: true, ob: blocks(s.C), inner: inner(s.K), outH: s.H, outW: s.W}
	for _, a := range phases(s.H, s.R, s.PadH, s.Stride) {
		for _, b := range phases(s.W, s.S, s.PadW, s.ColStride()) {
			if a.taps <= 0 || b.taps <= 0 {
				d.zero = true
				continue
			}
			for _, of := range s.bands(true) {
				p := problem{
					from: of.from, ob: of.n, group: of.group,
					out: (a.a*s.W + b.a) * block, rows: a.count, width: b.count, outRow: s.Stride * s.W * block, outPixel: s.ColStride() * block,
				}
				for kb := of.in; kb < of.in+of.ins; kb++ {
					for i := range a.taps {
						for j := range b.taps {
							p.add(pick{kb, a.first + i*s.Stride, b.first + j*s.ColStride()}, in.at(kb, in.Top+a.shift-i, in.Left+b.shift-j))
						}
					}
				}
				d.add(p)
			}
		}
	}
	return d
}

func (d *direct) Input() *Padded { return d.in }

func (d *direct) PackedLen() int { return d.packed }

func (d *direct) Need(int) Need { return Need{} }

func (d *direct) PackUnits() int { return d.ob }

// Pack writes block ob of outputs: [problem][output block][tap][inner][16].
func (d *direct) Pack(_ *Work, ob int, dst, w []float32) {
	if d.s.Groups > 1 {
		d.packGroups(ob, dst, w)
		return
	}
	s := d.s
	outC, inC, area := s.K, s.C, s.R*s.S
	// Distances in w between outputs and between inputs.
	outStep, inStep := s.C*area, area
	if d.transpose {
		outC, inC, outStep, inStep = s.C, s.K, area, s.C*area
	}
	lanes := min(block, outC-ob*block)
	for _, p := range d.problems {
		to := dst[p.weights+ob*len(p.taps)*d.inner*block:]
		for n, t := range p.pick {
			tap := to[n*d.inner*block : (n+1)*d.inner*block]
			in := min(d.inner, inC-t.b*block)
			if in < d.inner || lanes < block {
				clear(tap)
			}
			from := w[ob*block*outStep+t.b*block*inStep+t.r*s.S+t.s:]
			if d.transpose {
				for i := range in {
					spaced(tap[i*block:i*block+lanes], from[i*inStep:], area)
				}
				continue
			}
			for lane := range lanes {
				v := from[lane*outStep:]
				for i := range in {
					tap[i*block+lane] = v[i*area]
				}
			}
		}
	}
}

// spaced copies values that are step apart.
func spaced(dst, src []float32, step int) {
	if step == 1 {
		copy(dst, src)
		return
	}
	for i := range dst {
		dst[i] = src[i*step]
	}
}

// flat reports whether the rows of a problem follow each other without a gap on both sides, so that
// strips may cross them.
func (d *direct) flat(p *problem) bool {
	return d.in.Row() == p.width*block && p.outRow == p.width*block && p.outPixel == block
}

func (d *direct) Run(k *Work, y, x []float32, n int, packed []float32) {
	plane := d.outH * d.outW * block
	if d.zero {
		clear(y[:n*d.ob*plane])
	}
	for img := range n {
		xi, yi := x[img*d.in.Len():(img+1)*d.in.Len()], y[img*d.ob*plane:(img+1)*d.ob*plane]
		for i := range d.problems {
			p := &d.problems[i]
			for ob := p.from; ob < p.from+p.ob; {
				nb := kernel.Blocks(p.from + p.ob - ob)
				d.strip(k, p, ob, nb, p.rows, xi, packed, yi[ob*plane+p.out:], plane)
				ob += nb
			}
		}
	}
}

// strip computes so many rows of nb blocks of output channels of a problem, from block ob on: y
// begins with the first of them, and the second block is y2 behind it.
func (d *direct) strip(k *Work, p *problem, ob, nb, rows int, x, packed, y []float32, y2 int) {
	size := d.size(p)
	w := packed[p.weights+(ob-p.from)*size:]
	if p.group > 0 {
		g := &k.group
		g.X, g.W, g.Y, g.Taps, g.Rows, g.XRow, g.YRow, g.YPixel = x, w, y, p.taps, rows, d.in.Row(), p.outRow, p.outPixel
		g.RunWidth(p.width, p.group)
		return
	}
	t := &k.tile
	t.Planes, t.In, t.Taps, t.Rows, t.XRow, t.YRow, t.YPixel = 1, d.inner, p.taps, rows, d.in.Row(), p.outRow, p.outPixel
	t.X, t.W, t.Y, t.W2, t.Y2 = x, w, y, size, y2
	if d.flat(p) {
		t.RunFlat(rows*p.width, nb)
	} else {
		t.RunWidth(p.width, nb)
	}
}
