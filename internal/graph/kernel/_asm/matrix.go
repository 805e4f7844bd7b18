package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"resnet/internal/graph/kernel/_asm/spec"
)

// matrices generates the products of a fully connected layer.
func matrices(s isa) {
	most := 6
	if s.regs == 16 {
		most = 3
	}
	for _, nj := range []int{1, 4} {
		for ni := 1; ni <= most; ni++ {
			dotTile(s, ni, nj)
		}
	}
	most = 8
	if s.regs == 16 {
		most = 4
	}
	for ni := 1; ni <= most; ni++ {
		rowTile(s, ni)
	}
}

// rows are the addresses of up to eight rows from two bases and multiples of a stride in bytes.
type rows struct {
	low, high  reg.GPVirtual
	row, three reg.GPVirtual
	group      int // rows that low serves: 3 or 4
}

// rowsAt finds the addresses of n rows from a pointer on.
func rowsAt(base, row reg.GPVirtual, n, group int) rows {
	r := rows{low: base, row: row, group: group}
	if group == 4 && n > 3 {
		r.three = GP64()
		LEAQ(Mem{Base: row, Index: row, Scale: 2}, r.three)
	}
	if n > group {
		r.high = GP64()
		if group == 4 {
			LEAQ(Mem{Base: base, Index: row, Scale: 4}, r.high)
		} else {
			LEAQ(Mem{Base: base, Index: row, Scale: 2}, r.high)
			ADDQ(row, r.high)
		}
	}
	return r
}

func (r rows) at(i, disp int) Mem {
	base := r.low
	if i >= r.group {
		base, i = r.high, i-r.group
	}
	switch i {
	case 0:
		return Mem{Base: base, Disp: disp}
	case 3:
		return Mem{Base: base, Index: r.three, Scale: 1, Disp: disp}
	}
	return Mem{Base: base, Index: r.row, Scale: uint8(i), Disp: disp}
}

func (r rows) advance(bytes int) {
	ADDQ(U32(bytes), r.low)
	if r.high != nil {
		ADDQ(U32(bytes), r.high)
	}
}

// dotTile generates ni × nj dot products, each in a register of partial sums.
func dotTile(s isa, ni, nj int) {
	a := s.begin(fmt.Sprintf("dotTile%dx%d", ni, nj), "DotTile", fmt.Sprintf("adds the products of %d and %d rows; see DotTile.", ni, nj))
	acc := make([][]reg.VecVirtual, ni)
	for i := range acc {
		acc[i] = make([]reg.VecVirtual, nj)
		for j := range acc[i] {
			acc[i][j] = s.vec()
			s.zero(acc[i][j])
		}
	}
	x := rowsAt(field(a, spec.DotX), stride(a, spec.DotXRow), ni, 3)
	var w rows
	if nj == 1 {
		w = rows{low: field(a, spec.DotW), group: 4}
	} else {
		w = rowsAt(field(a, spec.DotW), stride(a, spec.DotWRow), nj, 4)
	}
	n := field(a, spec.DotLen)
	SHRQ(U8(4), n)
	Label("step")
	for h := 0; h < s.halves; h++ {
		d := h * s.bytes()
		xs := make([]reg.VecVirtual, ni)
		for i := range xs {
			xs[i] = s.vec()
			VMOVUPS(x.at(i, d), xs[i])
		}
		for j := 0; j < nj; j++ {
			if s.regs == 16 {
				for i := range xs {
					VFMADD231PS(w.at(j, d), xs[i], acc[i][j])
				}
				continue
			}
			v := s.vec()
			VMOVUPS(w.at(j, d), v)
			for i := range xs {
				VFMADD231PS(v, xs[i], acc[i][j])
			}
		}
	}
	x.advance(64)
	w.advance(64)
	DECQ(n)
	JNZ(LabelRef("step"))
	y := rowsAt(field(a, spec.DotY), stride(a, spec.DotYRow), ni, 3)
	for i := range acc {
		for j := range acc[i] {
			sum := s.sum(acc[i][j])
			VADDSS(y.at(i, 4*j), sum, sum)
			VMOVSS(sum, y.at(i, 4*j))
		}
	}
	end()
}

// sum adds the lanes of a register. With AVX-512 every instruction must be one that takes all 32
// registers.
func (s isa) sum(v reg.VecVirtual) reg.VecVirtual {
	half, sum, other := XMM(), XMM(), XMM()
	if s.lanes == 16 {
		high := YMM()
		VEXTRACTF64X4(U8(1), v, high)
		VADDPS(v.(interface{ AsY() reg.Register }).AsY(), high, high)
		v = high
		VEXTRACTF32X4(U8(1), v, half)
	} else {
		VEXTRACTF128(U8(1), v, half)
	}
	VADDPS(v.(interface{ AsX() reg.Register }).AsX(), half, sum)
	VPERMILPS(U8(0x4e), sum, other) // lanes 2 and 3 to the front
	VADDPS(other, sum, sum)
	VPERMILPS(U8(0xb1), sum, other) // neighbours
	VADDPS(other, sum, sum)
	return sum
}

// rowTile generates ni rows of sums, two vectors of 16 at a time with AVX-512 and one with AVX2.
func rowTile(s isa, ni int) {
	a := s.begin(fmt.Sprintf("rowTile%d", ni), "RowTile", fmt.Sprintf("computes %d rows of sums of rows; see RowTile.", ni))
	x, y, vecs := field(a, spec.RowX), field(a, spec.RowY), field(a, spec.RowVecs)
	most := 1
	if s.lanes == 16 {
		most = 2
	}
	pass := func(nv int, name string) {
		regs := nv * s.halves
		acc := make([][]reg.VecVirtual, ni)
		for i := range acc {
			acc[i] = make([]reg.VecVirtual, regs)
			for v := range acc[i] {
				acc[i][v] = s.vec()
			}
		}
		load := field(a, spec.RowLoad)
		TESTQ(load, load)
		JZ(LabelRef("zero" + name))
		from := rowsAt(copyOf(y), stride(a, spec.RowYRow), ni, 4)
		for i := range acc {
			for v := range acc[i] {
				VMOVUPS(from.at(i, v*s.bytes()), acc[i][v])
			}
		}
		JMP(LabelRef("sum" + name))
		Label("zero" + name)
		for i := range acc {
			for v := range acc[i] {
				s.zero(acc[i][v])
			}
		}
		Label("sum" + name)
		coef := rowsAt(field(a, spec.RowA), stride(a, spec.RowARow), ni, 4)
		px, xRow, aCol, n := copyOf(x), stride(a, spec.RowXRow), stride(a, spec.RowACol), field(a, spec.RowInner)
		Label("inner" + name)
		xs := make([]reg.VecVirtual, regs)
		for v := range xs {
			xs[v] = s.vec()
			VMOVUPS(Mem{Base: px, Disp: v * s.bytes()}, xs[v])
		}
		for i := range acc {
			c := s.vec()
			VBROADCASTSS(coef.at(i, 0), c)
			for v := range xs {
				VFMADD231PS(c, xs[v], acc[i][v])
			}
		}
		ADDQ(xRow, px)
		ADDQ(aCol, coef.low)
		if coef.high != nil {
			ADDQ(aCol, coef.high)
		}
		DECQ(n)
		JNZ(LabelRef("inner" + name))
		to := rowsAt(copyOf(y), stride(a, spec.RowYRow), ni, 4)
		for i := range acc {
			for v := range acc[i] {
				VMOVUPS(acc[i][v], to.at(i, v*s.bytes()))
			}
		}
		ADDQ(U32(64*nv), x)
		ADDQ(U32(64*nv), y)
	}
	if most == 2 {
		SUBQ(U8(2), vecs)
		JL(LabelRef("rest"))
		Label("two")
		pass(2, "2")
		SUBQ(U8(2), vecs)
		JGE(LabelRef("two"))
		Label("rest")
		ADDQ(U8(2), vecs)
		JZ(LabelRef("done"))
		pass(1, "1")
		Label("done")
		end()
		return
	}
	Label("one")
	pass(1, "1")
	DECQ(vecs)
	JNZ(LabelRef("one"))
	end()
}

func copyOf(r reg.GPVirtual) reg.GPVirtual {
	c := GP64()
	MOVQ(r, c)
	return c
}
