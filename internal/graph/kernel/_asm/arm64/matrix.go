package main

import (
	"fmt"

	"resnet/internal/graph/kernel/_asm/spec"
)

// matrices generates the products of a fully connected layer.
func matrices() {
	for _, nj := range []int{1, 4} {
		for ni := 1; ni <= 6; ni++ {
			dotTile(ni, nj)
		}
	}
	for ni := 1; ni <= 6; ni++ {
		rowTile(ni)
	}
}

// rowsFrom are pointers to n rows.
func (f *function) rowsFrom(p *reg, stride, n int) []*reg {
	rows := []*reg{p}
	if n > 1 {
		row := f.stride(stride)
		for len(rows) < n {
			q := f.gp()
			f.add(q, rows[len(rows)-1], row)
			rows = append(rows, q)
		}
	}
	return rows
}

// dotTile generates ni × nj dot products, each in a register of partial sums.
func dotTile(ni, nj int) {
	f := begin(fmt.Sprintf("dotTile%dx%d", ni, nj), "DotTile", fmt.Sprintf("adds the products of %d and %d rows; see DotTile.", ni, nj))
	acc := f.grid(ni, nj)
	f.zeros(acc)
	x, w := f.rowsFrom(f.field(spec.DotX), spec.DotXRow, ni), f.rowsFrom(f.field(spec.DotW), spec.DotWRow, nj)
	n := f.field(spec.DotLen)
	f.shiftRight(n, n, 4)
	f.label("step")
	for h := range quarters {
		xs := f.vecs(ni)
		for i, v := range xs {
			f.load(sizeQ, v, x[i], 16*h)
		}
		for j := range nj {
			v := f.vec()
			f.load(sizeQ, v, w[j], 16*h)
			for i := range xs {
				f.into(fmla, acc[i][j], xs[i], v)
			}
		}
	}
	for _, p := range append(x, w...) {
		f.next(p, 64)
	}
	f.times(n, "step")
	for i, y := range f.rowsFrom(f.field(spec.DotY), spec.DotYRow, ni) {
		// Neighbours twice: of four registers the four sums, of one its sum in the first lane.
		v, s := acc[i], sizeQ
		if nj == 1 {
			v, s = []*reg{v[0], v[0], v[0], v[0]}, sizeS
		}
		low, high, old := f.vec(), f.vec(), f.vec()
		f.op(faddp, low, v[0], v[1])
		f.op(faddp, high, v[2], v[3])
		f.op(faddp, low, low, high)
		f.load(s, old, y, 0)
		f.op(fadd, low, low, old)
		f.store(s, low, y, 0)
	}
	f.end()
}

// rowTile generates ni rows of sums, a vector of 16 at a time.
func rowTile(ni int) {
	f := begin(fmt.Sprintf("rowTile%d", ni), "RowTile", fmt.Sprintf("computes %d rows of sums of rows; see RowTile.", ni))
	acc := f.grid(ni, quarters)
	y := f.rowsFrom(f.field(spec.RowY), spec.RowYRow, ni)
	a := f.rowsFrom(f.field(spec.RowA), spec.RowARow, ni)
	x, vecs, xRow, aCol := f.field(spec.RowX), f.field(spec.RowVecs), f.stride(spec.RowXRow), f.stride(spec.RowACol)
	f.label("vector")
	f.zeros(acc)
	f.ifZero(f.field(spec.RowLoad), "sum")
	for i := range acc {
		f.loads(acc[i], y[i], 0)
	}
	f.label("sum")
	px, n, at := f.copyOf(x), f.field(spec.RowInner), f.gp()
	f.number(at, 0)
	f.label("inner")
	xs := f.vecs(quarters)
	f.loads(xs, px, 0)
	for i := range acc {
		c := f.vec()
		f.indexed(sizeS, c, a[i], at)
		for q := range xs {
			f.intoLane(fmlaLane, acc[i][q], xs[q], c, 0)
		}
	}
	f.add(px, px, xRow)
	f.add(at, at, aCol)
	f.times(n, "inner")
	for i := range acc {
		f.stores(acc[i], y[i], 0)
		f.next(y[i], 64)
	}
	f.next(x, 64)
	f.times(vecs, "vector")
	f.end()
}
