package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets in kernel.Transform.
const (
	transSrc, transDst      = 0, 24
	transSrcRow, transPlane = 48, 56
	transTiles, transRows   = 64, 72
	transStep, transBuf     = 80, 88
)

func at(base reg.Register, off int) Mem { return Mem{Base: base, Disp: off} }

// consts holds broadcast constants in registers.
type consts struct {
	s isa
	m map[float32]reg.VecVirtual
}

func (c *consts) get(x float32) reg.VecVirtual { return c.m[x] }

func newConsts(s isa, values ...float32) *consts {
	c := &consts{s: s, m: map[float32]reg.VecVirtual{}}
	for _, x := range values {
		g, v := GP32(), s.vec()
		lo := XMM()
		MOVL(U32(math.Float32bits(x)), g)
		VMOVD(g, lo)
		VBROADCASTSS(lo, v)
		c.m[x] = v
	}
	return c
}

// copyOf returns a register with v's value that may be overwritten.
func (c *consts) copyOf(v reg.VecVirtual) reg.VecVirtual {
	r := c.s.vec()
	VMOVAPS(v, r)
	return r
}

func (c *consts) add(x, y reg.VecVirtual) reg.VecVirtual {
	r := c.s.vec()
	VADDPS(y, x, r)
	return r
}

// sub returns x - y.
func (c *consts) sub(x, y reg.VecVirtual) reg.VecVirtual {
	r := c.s.vec()
	VSUBPS(y, x, r)
	return r
}

// fma returns k*x + y; fnma returns y - k*x.
func (c *consts) fma(k float32, x, y reg.VecVirtual) reg.VecVirtual {
	r := c.copyOf(y)
	VFMADD231PS(x, c.get(k), r)
	return r
}

func (c *consts) fnma(k float32, x, y reg.VecVirtual) reg.VecVirtual {
	r := c.copyOf(y)
	VFNMADD231PS(x, c.get(k), r)
	return r
}

func (c *consts) mul(k float32, x reg.VecVirtual) reg.VecVirtual {
	r := c.s.vec()
	VMULPS(x, c.get(k), r)
	return r
}

// pass is one side of a transform: from len(in) vectors to the returned ones.
type pass func(c *consts, in []reg.VecVirtual) []reg.VecVirtual

// input is B^T of F(4x4, 3x3), Lavin and Gray 2015, section 4.3.
func input(c *consts, d []reg.VecVirtual) []reg.VecVirtual {
	a, b := c.fnma(4, d[2], d[4]), c.fnma(4, d[1], d[3])
	e, f := c.sub(d[4], d[2]), c.sub(d[3], d[1])
	return []reg.VecVirtual{
		c.fma(4, d[0], c.fnma(5, d[2], d[4])), c.add(a, b), c.sub(a, b),
		c.fma(2, f, e), c.fnma(2, f, e), c.fma(4, d[1], c.fnma(5, d[3], d[5])),
	}
}

// output is A^T.
func output(c *consts, m []reg.VecVirtual) []reg.VecVirtual {
	a, b := c.add(m[1], m[2]), c.sub(m[1], m[2])
	e, f := c.add(m[3], m[4]), c.sub(m[3], m[4])
	return []reg.VecVirtual{
		c.add(c.add(m[0], a), e), c.fma(2, f, b), c.fma(4, e, a), c.add(c.fma(8, f, b), m[5]),
	}
}

// spread is A, the transpose of output, for the gradient of the output.
func spread(c *consts, y []reg.VecVirtual) []reg.VecVirtual {
	e, o := c.add(y[0], y[2]), c.add(y[1], y[3])
	e2, o2 := c.fma(4, y[2], y[0]), c.fma(8, y[3], c.mul(2, y[1]))
	return []reg.VecVirtual{c.copyOf(y[0]), c.add(e, o), c.sub(e, o), c.add(e2, o2), c.sub(e2, o2), c.copyOf(y[3])}
}

// filter is G.
func filter(c *consts, g []reg.VecVirtual) []reg.VecVirtual {
	s := c.add(g[0], g[2])                 // g0 + g2
	t := c.fma(4, g[2], g[0])              // g0 + 4 g2
	u := c.mul(1./12, g[1])                // g1/12
	v := c.mul(1./24, t)                   // g0/24 + g2/6
	p, q := c.add(s, g[1]), c.sub(s, g[1]) // g0 ± g1 + g2
	return []reg.VecVirtual{
		c.mul(1./4, g[0]), c.mul(-1./6, p), c.mul(-1./6, q), c.add(v, u), c.sub(v, u), c.copyOf(g[2]),
	}
}

// gather is G^T, from the sums in the transformed domain to the weight gradient.
func gather(c *consts, m []reg.VecVirtual) []reg.VecVirtual {
	a, b := c.add(m[1], m[2]), c.sub(m[2], m[1])
	e, f := c.add(m[3], m[4]), c.sub(m[3], m[4])
	return []reg.VecVirtual{
		c.fma(1./24, e, c.fnma(1./6, a, c.mul(1./4, m[0]))),
		c.fma(1./12, f, c.mul(1./6, b)),
		c.fma(1./6, e, c.fnma(1./6, a, m[5])),
	}
}

type shape struct {
	name, doc string
	from, to  int // side of the square tile before and after
	f         pass
	constants []float32
	tiledSrc  bool // the source is an image with rows, otherwise planes; of filters, vectors
	packedSrc bool
	srcStep   int // float32 values between tiles in the source
	dst       func(p, row, col int) (planes int)
	tiledDst  bool
	packedDst bool
	dstStep   int
}

func winograd(s isa) {
	transform(s, shape{
		name: "winoInput", doc: "applies B^T d B to 6x6 tiles of an image, four pixels apart.", from: 6, to: 6, f: input,
		constants: []float32{2, 4, 5}, tiledSrc: true, srcStep: 64, dstStep: 16,
	})
	transform(s, shape{
		name: "winoOutput", doc: "applies A^T m A to 36 planes and writes 4x4 tiles of an image.", from: 6, to: 4, f: output,
		constants: []float32{2, 4, 8}, tiledDst: true, srcStep: 16, dstStep: 64,
	})
	transform(s, shape{
		name: "winoSpread", doc: "applies A dy A^T to 4x4 tiles of an image.", from: 4, to: 6, f: spread,
		constants: []float32{2, 4, 8}, tiledSrc: true, srcStep: 64, dstStep: 16,
	})
	transform(s, shape{
		name: "winoFilter", doc: "applies G g G^T to 3x3 filters of 9 consecutive vectors.", from: 3, to: 6, f: filter,
		constants: []float32{4, 1. / 4, -1. / 6, 1. / 12, 1. / 24}, packedSrc: true, srcStep: 144, dstStep: 16,
	})
	transform(s, shape{
		name: "winoGather", doc: "applies G^T m G to 36 planes and writes 9 consecutive vectors.", from: 6, to: 3, f: gather,
		constants: []float32{1. / 4, 1. / 6, 1. / 12, 1. / 24}, packedDst: true, srcStep: 16, dstStep: 144,
	})
}

// transform generates a two-pass transform: the first pass goes into a buffer of the argument
// struct, but for its last lines, which stay in registers where there are enough; the second pass
// reads both.
func transform(s isa, t shape) {
	a := s.begin(t.name, "Transform", t.doc)
	buf := GP64() // the struct's own buffer, at the next multiple of 64 bytes
	LEAQ(Mem{Base: a, Disp: transBuf + 63}, buf)
	ANDQ(I8(-64), buf)
	src, dst := field(a, transSrc), field(a, transDst)
	row := GP64()
	if t.tiledSrc || t.tiledDst {
		MOVQ(Mem{Base: a, Disp: transSrcRow}, row)
		SHLQ(U8(2), row)
	}
	row4 := GP64()
	if t.tiledDst {
		MOVQ(row, row4)
		SHLQ(U8(2), row4)
	}
	plane := stride(a, transPlane)
	rows := field(a, transRows)
	c := newConsts(s, t.constants...)
	Label("row")
	tiles := field(a, transTiles)
	first := GP64() // of the image's side, which steps by rows; the other side goes on
	if t.tiledSrc {
		MOVQ(src, first)
	} else {
		MOVQ(dst, first)
	}
	Label("tile")
	for h := range s.halves {
		b := body{isa: s, shape: t, c: c, src: src, dst: dst, row: row, row4: row4, plane: plane, buf: buf, half: h * s.bytes()}
		if t.tiledSrc || t.packedSrc {
			b.columnsFirst()
		} else {
			b.rowsFirst()
		}
	}
	ADDQ(U32(t.srcStep*4), src)
	ADDQ(U32(t.dstStep*4), dst)
	DECQ(tiles)
	JNZ(LabelRef("tile"))
	if t.tiledSrc {
		MOVQ(first, src)
		advance(a, transStep, src)
	} else if t.tiledDst {
		MOVQ(first, dst)
		advance(a, transStep, dst)
	}
	DECQ(rows)
	JNZ(LabelRef("row"))
	end()
}

// body is one tile, or one half of its channels.
type body struct {
	isa
	shape
	c                               *consts
	src, dst, row, row4, plane, buf reg.GPVirtual
	half                            int
}

// kept is how many lines of the first pass stay in registers.
func (b *body) kept() int {
	if b.regs == 32 {
		return 2
	}
	return 0
}

func (b *body) load(m Mem) reg.VecVirtual {
	v := b.vec()
	VMOVUPS(m, v)
	return v
}

// columnsFirst transforms each column of an image or a filter, then the rows of what came out, into
// planes.
func (b *body) columnsFirst() {
	held := map[int][]reg.VecVirtual{} // by column
	for col := range b.from {
		in := make([]reg.VecVirtual, b.from)
		p := GP64()
		if b.tiledSrc {
			MOVQ(b.src, p)
		}
		for r := range in {
			if !b.tiledSrc {
				in[r] = b.load(at(b.src, (r*b.from+col)*64+b.half))
				continue
			}
			in[r] = b.load(at(p, col*64+b.half))
			if r+1 < b.from {
				ADDQ(b.row, p)
			}
		}
		out := b.f(b.c, in)
		if col >= b.from-b.kept() {
			held[col] = out
			continue
		}
		for r, v := range out {
			VMOVUPS(v, at(b.buf, (r*b.from+col)*64+b.half))
		}
	}
	p := GP64()
	MOVQ(b.dst, p)
	for r := range b.to {
		in := make([]reg.VecVirtual, b.from)
		for col := range in {
			if v, ok := held[col]; ok {
				in[col] = v[r]
			} else {
				in[col] = b.load(at(b.buf, (r*b.from+col)*64+b.half))
			}
		}
		for _, v := range b.f(b.c, in) {
			VMOVUPS(v, at(p, b.half))
			ADDQ(b.plane, p)
		}
	}
}

// rowsFirst transforms planes row by row, because their planes follow each other, then the columns
// of what came out.
func (b *body) rowsFirst() {
	held := map[int][]reg.VecVirtual{} // by row
	p := GP64()
	MOVQ(b.src, p)
	for r := range b.from {
		in := make([]reg.VecVirtual, b.from)
		for col := range in {
			in[col] = b.load(at(p, b.half))
			ADDQ(b.plane, p)
		}
		out := b.f(b.c, in)
		if r >= b.from-b.kept() {
			held[r] = out
			continue
		}
		for col, v := range out {
			VMOVUPS(v, at(b.buf, (r*b.to+col)*64+b.half))
		}
	}
	for col := range b.to {
		in := make([]reg.VecVirtual, b.from)
		for r := range in {
			if v, ok := held[r]; ok {
				in[r] = v[col]
			} else {
				in[r] = b.load(at(b.buf, (r*b.to+col)*64+b.half))
			}
		}
		q := GP64()
		if b.tiledDst {
			MOVQ(b.dst, q)
		}
		for r, v := range b.f(b.c, in) {
			if !b.tiledDst {
				VMOVUPS(v, at(b.dst, (r*b.to+col)*64+b.half))
				continue
			}
			VMOVUPS(v, at(q, col*64+b.half))
			if b.half == 0 {
				// The same place four rows on is written next, and it is not in cache.
				PREFETCHT0(Mem{Base: q, Index: b.row4, Scale: 1, Disp: col * 64})
			}
			if r+1 < b.to {
				ADDQ(b.row, q)
			}
		}
	}
}
