package main

import "resnet/internal/graph/kernel/_asm/spec"

// numbers are constants in lanes of registers, and the arithmetic on vectors with them.
type numbers struct {
	f *function
	k []*reg // four constants each
	m map[float32]int
}

func newNumbers(f *function, values []float32) *numbers {
	c := &numbers{f: f, m: map[float32]int{}}
	for i, v := range values {
		c.m[v] = i
	}
	for ; len(values) > 4; values = values[4:] {
		c.k = append(c.k, f.constants(values[:4]))
	}
	c.k = append(c.k, f.constants(values))
	return c
}

func (c *numbers) at(k float32) (v *reg, lane int) {
	i, known := c.m[k]
	if !known {
		panic("a constant that is in no register")
	}
	return c.k[i/4], i % 4
}

func (c *numbers) Add(x, y *reg) *reg {
	d := c.f.vec()
	c.f.op(fadd, d, x, y)
	return d
}

// Sub returns x - y.
func (c *numbers) Sub(x, y *reg) *reg {
	d := c.f.vec()
	c.f.op(fsub, d, x, y)
	return d
}

// FMA returns k·x + y; FNMA returns y - k·x.
func (c *numbers) FMA(k float32, x, y *reg) *reg { return c.onto(fmlaLane, k, x, y) }

func (c *numbers) FNMA(k float32, x, y *reg) *reg { return c.onto(fmlsLane, k, x, y) }

func (c *numbers) onto(op func(d, n, m, lane int) inst, k float32, x, y *reg) *reg {
	d := c.f.vec()
	c.f.copyTo(d, y) // nothing where y is not read again
	v, lane := c.at(k)
	c.f.intoLane(op, d, x, v, lane)
	return d
}

func (c *numbers) Mul(k float32, x *reg) *reg {
	d := c.f.vec()
	v, lane := c.at(k)
	c.f.lane(fmulLane, d, x, v, lane)
	return d
}

// Same returns x itself: no instruction here writes to what it reads but to a copy.
func (c *numbers) Same(x *reg) *reg { return x }

// pass is one side of a transform: from len(in) vectors to the returned ones, some of which may be
// among in.
type pass func(c *numbers, in []*reg) []*reg

// side says how the vectors of one side of a transform lie: the tiles of an image, the 36 planes of
// the transformed domain, or the nine consecutive vectors of a filter.
type side int

const (
	image side = iota
	planes
	packed
)

// step is the distance between tiles in float32 values.
func (s side) step() int {
	switch s {
	case image:
		return 64
	case packed:
		return 144
	}
	return 16
}

type shape struct {
	name, doc string
	from, to  int // side of the square tile before and after
	f         pass
	constants []float32
	src, dst  side
	kept      int // lines of the first pass that stay in registers
}

func winograd() {
	for _, t := range []shape{
		{"winoInput", "applies B^T d B to 6x6 tiles of an image, four pixels apart.", 6, 6, spec.Input[*numbers], []float32{2, 4, 5}, image, planes, 3},
		{"winoOutput", "applies A^T m A to 36 planes and writes 4x4 tiles of an image.", 6, 4, spec.Output[*numbers], []float32{2, 4, 8}, planes, image, 4},
		{"winoSpread", "applies A dy A^T to 4x4 tiles of an image.", 4, 6, spec.Spread[*numbers], []float32{2, 4, 8}, image, planes, 3},
		{"winoFilter", "applies G g G^T to 3x3 filters of 9 consecutive vectors.", 3, 6, spec.Filter[*numbers], []float32{4, 1. / 4, -1. / 6, 1. / 12, 1. / 24}, packed, planes, 3},
		{"winoGather", "applies G^T m G to 36 planes and writes 9 consecutive vectors.", 6, 3, spec.Gather[*numbers], []float32{1. / 4, 1. / 6, 1. / 12, 1. / 24}, planes, packed, 4},
	} {
		transform(t)
	}
}

// transform generates a two-pass transform, a quarter of the channels at a time. The first pass
// goes into a buffer of the argument struct, but for its last lines, which stay in registers; the
// second pass reads both.
func transform(t shape) {
	f := begin(t.name, "Transform", t.doc)
	b := body{function: f, shape: t}
	b.buf = f.gp() // the struct's own buffer, at the next multiple of 16 bytes
	f.lea(b.buf, f.a, spec.TransBuf+15)
	f.align(b.buf, 16)
	b.from, b.into = f.field(spec.TransSrc), f.field(spec.TransDst)
	if t.src == image || t.dst == image {
		b.row = f.stride(spec.TransSrcRow)
	}
	b.plane = f.stride(spec.TransPlane)
	rows := f.field(spec.TransRows)
	b.c = newNumbers(f, t.constants)
	f.label("row")
	tiles := f.field(spec.TransTiles)
	var first *reg // of the image's side, which steps by rows; the other side goes on
	if t.src == image {
		first = f.copyOf(b.from)
	} else if t.dst == image {
		first = f.copyOf(b.into)
	}
	f.label("tile")
	left := f.gp()
	f.number(left, quarters)
	f.label("quarter")
	if t.src == planes {
		b.rowsFirst()
	} else {
		b.columnsFirst()
	}
	f.next(b.from, 16)
	f.next(b.into, 16)
	f.times(left, "quarter")
	f.next(b.from, t.src.step()*4-64)
	f.next(b.into, t.dst.step()*4-64)
	f.times(tiles, "tile")
	if t.src == image {
		f.mov(b.from, first)
		f.advance(spec.TransStep, b.from)
	} else if t.dst == image {
		f.mov(b.into, first)
		f.advance(spec.TransStep, b.into)
	}
	f.times(rows, "row")
	f.end()
}

// body is a quarter of the channels of one tile.
type body struct {
	*function
	shape
	c                           *numbers
	from, into, row, plane, buf *reg
}

func (b *body) loadAt(p *reg, disp int) *reg {
	v := b.vec()
	b.load(sizeQ, v, p, disp)
	return v
}

// lines are pointers to the rows of a tile: of an image they are apart, of a filter consecutive.
func (b *body) lines(at side, p *reg, n int) (place func(r, col int) (p *reg, disp int)) {
	if at == packed {
		return func(r, col int) (*reg, int) { return p, (r*n + col) * 64 }
	}
	rows := []*reg{p}
	for len(rows) < n {
		q := b.gp()
		b.add(q, rows[len(rows)-1], b.row)
		rows = append(rows, q)
	}
	return func(r, col int) (*reg, int) { return rows[r], col * 64 }
}

// columnsFirst transforms each column of an image or a filter, then the rows of what came out, into
// planes.
func (b *body) columnsFirst() {
	n := b.shape.from
	held := map[int][]*reg{} // by column
	place := b.lines(b.src, b.from, n)
	for col := range n {
		in := make([]*reg, n)
		for r := range in {
			in[r] = b.loadAt(place(r, col))
		}
		out := b.f(b.c, in)
		if col >= n-b.kept {
			held[col] = out
			continue
		}
		for r, v := range out {
			b.store(sizeQ, v, b.buf, (r*n+col)*16)
		}
	}
	p := b.copyOf(b.into)
	for r := range b.to {
		in := make([]*reg, n)
		for col := range in {
			if v, ok := held[col]; ok {
				in[col] = v[r]
			} else {
				in[col] = b.loadAt(b.buf, (r*n+col)*16)
			}
		}
		for i, v := range b.f(b.c, in) {
			b.store(sizeQ, v, p, 0)
			if r+1 < b.to || i+1 < b.to {
				b.add(p, p, b.plane)
			}
		}
	}
}

// rowsFirst transforms planes row by row, because their planes follow each other, then the columns
// of what came out.
func (b *body) rowsFirst() {
	n := b.shape.from
	held := map[int][]*reg{} // by row
	p := b.copyOf(b.from)
	for r := range n {
		in := make([]*reg, n)
		for col := range in {
			in[col] = b.loadAt(p, 0)
			if r+1 < n || col+1 < n {
				b.add(p, p, b.plane)
			}
		}
		out := b.f(b.c, in)
		if r >= n-b.kept {
			held[r] = out
			continue
		}
		for col, v := range out {
			b.store(sizeQ, v, b.buf, (r*b.to+col)*16)
		}
	}
	place := b.lines(b.dst, b.into, b.to)
	for col := range b.to {
		in := make([]*reg, n)
		for r := range in {
			if v, ok := held[r]; ok {
				in[r] = v[col]
			} else {
				in[r] = b.loadAt(b.buf, (r*b.to+col)*16)
			}
		}
		for r, v := range b.f(b.c, in) {
			q, disp := place(r, col)
			b.store(sizeQ, v, q, disp)
		}
	}
}
