package kaldi

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// compress appends a matrix in one of the compressed forms, with the numbers that Kaldi's
// CompressedMatrix::CopyFromMat chooses. Values that are not finite cannot be compressed.
func compress(b []byte, kind Kind, rows, cols int, data []float32) ([]byte, error) {
	low, high := float32(math.Inf(1)), float32(math.Inf(-1))
	for i, x := range data {
		if !finite(x) {
			return nil, fmt.Errorf("frame %d, value %d is %v: only finite values can be compressed", i/cols, i%cols, x)
		}
		low, high = min(low, x), max(high, x)
	}
	if len(data) == 0 {
		low, high = 0, 0
	}
	if low == high {
		high = low + 1 + max(low, -low)
	}
	q := quantizer{low: low, span: high - low, steps: 65535}
	if !finite(q.span) {
		return nil, fmt.Errorf("values from %g to %g: the range is too wide to be compressed", low, high)
	}
	if kind == Compressed3 {
		q.steps = 255
	}
	le := binary.LittleEndian
	b = append(append(b, kind...), ' ')
	b = le.AppendUint32(le.AppendUint32(b, math.Float32bits(q.low)), math.Float32bits(q.span))
	b = le.AppendUint32(le.AppendUint32(b, uint32(rows)), uint32(cols))
	switch kind {
	case Compressed2:
		for _, x := range data {
			b = le.AppendUint16(b, uint16(q.number(x)))
		}
	case Compressed3:
		for _, x := range data {
			b = append(b, byte(q.number(x)))
		}
	default:
		b = compressColumns(b, q, rows, cols, data)
	}
	return b, nil
}

// compressColumns appends the percentiles of all columns and then their values.
func compressColumns(b []byte, q quantizer, rows, cols int, data []float32) []byte {
	if rows == 0 {
		return b
	}
	headers, column := make([]percentiles, cols), make([]float32, rows)
	for c := range cols {
		for r := range rows {
			column[r] = data[r*cols+c]
		}
		slices.Sort(column)
		var p [4]int
		for i, n := range q.quartiles(column) {
			p[i] = n
			b = binary.LittleEndian.AppendUint16(b, uint16(n))
		}
		headers[c] = percentiles{q.value(uint16(p[0])), q.value(uint16(p[1])), q.value(uint16(p[2])), q.value(uint16(p[3]))}
	}
	for c, p := range headers {
		for r := range rows {
			b = append(b, p.byte(data[r*cols+c]))
		}
	}
	return b
}

// quartiles are the numbers of a sorted column's percentiles, made to grow by one at least, so that
// no line between them is flat. Of fewer than five rows, each is its own, and those that are
// missing are the one before and one more.
func (q quantizer) quartiles(column []float32) [4]int {
	n := len(column)
	at := [4]int{0, n / 4, 3 * (n / 4), n - 1}
	if n < 5 {
		at = [4]int{0, 1, 2, 3}
	}
	var p [4]int
	for i := range p {
		if i > 0 {
			p[i] = p[i-1] + 1
		}
		if at[i] < n {
			p[i] = max(p[i], q.number(column[at[i]]))
		}
		p[i] = min(p[i], 65532+i)
	}
	return p
}

// number is the inverse, as Kaldi rounds it.
func (q quantizer) number(v float32) int {
	f := min(max((v-q.low)/q.span, 0), 1)
	return int(float32(f*q.steps) + 0.499)
}

// byte is the inverse, as Kaldi rounds it.
func (p percentiles) byte(v float32) byte {
	along := func(from, to float32, steps int) int {
		return min(max(int(float32((v-from)/(to-from)*float32(steps))+0.5), 0), steps)
	}
	switch {
	case v < p.p25:
		return byte(along(p.p0, p.p25, 64))
	case v < p.p75:
		return byte(64 + along(p.p25, p.p75, 128))
	}
	return byte(192 + along(p.p75, p.p100, 63))
}
