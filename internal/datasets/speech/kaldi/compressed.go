package kaldi

import (
	"encoding/binary"
	"fmt"
	"math"

	"resnet/internal/datasets/fault"
)

// compressed reads a matrix of one or two bytes a value:
//
//	CM   float32 min, range  int32 rows, cols  cols × (4 × uint16)  rows × cols × uint8
//	CM2  float32 min, range  int32 rows, cols  rows × cols × uint16
//	CM3  float32 min, range  int32 rows, cols  rows × cols × uint8
//
// The bytes of CM are column after column, the values of CM2 and CM3 row after row.
//
// In CM2 and CM3, and in CM's four percentiles of a column (0, 25, 75, 100), x stands for min +
// x·range/65535 (CM3: /255). A byte of CM lies on three straight lines through the percentiles: 0
// to 64, 64 to 192, 192 to 255. The order of the roundings is kaldiio's.
func (r *Reader) compressed(kind Kind) (Value, error) {
	b, err := r.bytes(16, "a header")
	if err != nil {
		return Value{}, err
	}
	h := quantizer{low: math.Float32frombits(binary.LittleEndian.Uint32(b)), span: math.Float32frombits(binary.LittleEndian.Uint32(b[4:])), steps: 65535}
	v := Value{Kind: kind, Rows: int(int32(binary.LittleEndian.Uint32(b[8:]))), Cols: int(int32(binary.LittleEndian.Uint32(b[12:])))}
	width := 1
	switch kind {
	case Compressed2:
		width = 2
	case Compressed3:
		h.steps = 255
	}
	n, err := size(v.Rows, v.Cols, width)
	if err != nil {
		return Value{}, err
	}
	if !finite(h.low) || !finite(h.span) {
		return Value{}, fault.Dataf("a compressed matrix from %g over %g", h.low, h.span)
	}
	what := fmt.Sprintf("a compressed matrix of %d × %d", v.Rows, v.Cols)
	var columns []byte
	if kind == Compressed {
		if columns, err = r.bytes(8*int64(v.Cols), what); err != nil {
			return Value{}, err
		}
	}
	if b, err = r.bytes(n, what); err != nil {
		return Value{}, err
	}
	v.Floats = make([]float32, v.Rows*v.Cols)
	switch kind {
	case Compressed:
		for c := range v.Cols {
			p := h.percentiles(columns[8*c:])
			for i, x := range b[c*v.Rows : (c+1)*v.Rows] {
				v.Floats[i*v.Cols+c] = p.value(x)
			}
		}
	case Compressed2:
		for i := range v.Floats {
			v.Floats[i] = h.value(binary.LittleEndian.Uint16(b[2*i:]))
		}
	case Compressed3:
		for i, x := range b {
			v.Floats[i] = h.value(uint16(x))
		}
	}
	return v, nil
}

func finite(x float32) bool { return !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0) }

// quantizer maps whole numbers from 0 to steps onto low … low+span.
type quantizer struct{ low, span, steps float32 }

func (q quantizer) value(x uint16) float32 {
	return float32(float32(float32(x)*q.span)/q.steps) + q.low
}

// percentiles are the 0th, 25th, 75th and 100th of a column.
type percentiles struct{ p0, p25, p75, p100 float32 }

func (q quantizer) percentiles(b []byte) percentiles {
	at := func(i int) float32 { return q.value(binary.LittleEndian.Uint16(b[2*i:])) }
	return percentiles{at(0), at(1), at(2), at(3)}
}

func (p percentiles) value(x byte) float32 {
	f := float32(x)
	switch {
	case x <= 64:
		return p.p0 + float32(float32((p.p25-p.p0)*f)*(1.0/64))
	case x <= 192:
		return p.p25 + float32(float32((p.p75-p.p25)*(f-64))*(1.0/128))
	}
	return p.p75 + float32(float32((p.p100-p.p75)*(f-192))*(1.0/63))
}
