package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"resnet/internal/graph/kernel/_asm/spec"
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
		c.m[x] = s.constant(math.Float32bits(x))
	}
	return c
}

// copyOf returns a register with v's value that may be overwritten.
func (c *consts) copyOf(v reg.VecVirtual) reg.VecVirtual {
	r := c.s.vec()
	VMOVAPS(v, r)
	return r
}

func (c *consts) Add(x, y reg.VecVirtual) reg.VecVirtual {
	r := c.s.vec()
	VADDPS(y, x, r)
	return r
}

// Sub returns x - y.
func (c *consts) Sub(x, y reg.VecVirtual) reg.VecVirtual {
	r := c.s.vec()
	VSUBPS(y, x, r)
	return r
}

// FMA returns k*x + y; FNMA returns y - k*x.
func (c *consts) FMA(k float32, x, y reg.VecVirtual) reg.VecVirtual {
	r := c.copyOf(y)
	VFMADD231PS(x, c.get(k), r)
	return r
}

func (c *consts) FNMA(k float32, x, y reg.VecVirtual) reg.VecVirtual {
	r := c.copyOf(y)
	VFNMADD231PS(x, c.get(k), r)
	return r
}

func (c *consts) Mul(k float32, x reg.VecVirtual) reg.VecVirtual {
	r := c.s.vec()
	VMULPS(x, c.get(k), r)
	return r
}

// Same returns a register that may be overwritten.
func (c *consts) Same(v reg.VecVirtual) reg.VecVirtual { return c.copyOf(v) }

// pass is one side of a transform: from len(in) vectors to the returned ones.
type pass func(c *consts, in []reg.VecVirtual) []reg.VecVirtual

type shape struct {
	name, doc string
	from, to  int // side of the square tile before and after
	f         pass
	constants []float32
	tiledSrc  bool // the source is an image with rows, otherwise planes; of filters, vectors
	packedSrc bool
	srcStep   int // float32 values between tiles in the source
	tiledDst  bool
	packedDst bool
	dstStep   int
}

func winograd(s isa) {
	transform(s, shape{
		name: "winoInput", doc: "applies B^T d B to 6x6 tiles of an image, four pixels apart.", from: 6, to: 6, f: spec.Input[*consts],
		constants: []float32{2, 4, 5}, tiledSrc: true, srcStep: 64, dstStep: 16,
	})
	transform(s, shape{
		name: "winoOutput", doc: "applies A^T m A to 36 planes and writes 4x4 tiles of an image.", from: 6, to: 4, f: spec.Output[*consts],
		constants: []float32{2, 4, 8}, tiledDst: true, srcStep: 16, dstStep: 64,
	})
	transform(s, shape{
		name: "winoSpread", doc: "applies A dy A^T to 4x4 tiles of an image.", from: 4, to: 6, f: spec.Spread[*consts],
		constants: []float32{2, 4, 8}, tiledSrc: true, srcStep: 64, dstStep: 16,
	})
	transform(s, shape{
		name: "winoFilter", doc: "applies G g G^T to 3x3 filters of 9 consecutive vectors.", from: 3, to: 6, f: spec.Filter[*consts],
		constants: []float32{4, 1. / 4, -1. / 6, 1. / 12, 1. / 24}, packedSrc: true, srcStep: 144, dstStep: 16,
	})
	transform(s, shape{
		name: "winoGather", doc: "applies G^T m G to 36 planes and writes 9 consecutive vectors.", from: 6, to: 3, f: spec.Gather[*consts],
		constants: []float32{1. / 4, 1. / 6, 1. / 12, 1. / 24}, packedDst: true, srcStep: 16, dstStep: 144,
	})
}

// transform generates a two-pass transform: the first pass goes into a buffer of the argument
// struct, but for its last lines, which stay in registers where there are enough; the second pass
// reads both.
func transform(s isa, t shape) {
	a := s.begin(t.name, "Transform", t.doc)
	buf := GP64() // the struct's own buffer, at the next multiple of 64 bytes
	LEAQ(Mem{Base: a, Disp: spec.TransBuf + 63}, buf)
	ANDQ(I8(-64), buf)
	src, dst := field(a, spec.TransSrc), field(a, spec.TransDst)
	row := GP64()
	if t.tiledSrc || t.tiledDst {
		MOVQ(Mem{Base: a, Disp: spec.TransSrcRow}, row)
		SHLQ(U8(2), row)
	}
	row4 := GP64()
	if t.tiledDst {
		MOVQ(row, row4)
		SHLQ(U8(2), row4)
	}
	plane := stride(a, spec.TransPlane)
	rows := field(a, spec.TransRows)
	c := newConsts(s, t.constants...)
	Label("row")
	tiles := field(a, spec.TransTiles)
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
		advance(a, spec.TransStep, src)
	} else if t.tiledDst {
		MOVQ(first, dst)
		advance(a, spec.TransStep, dst)
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
