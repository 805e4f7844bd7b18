package weights

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// Entry describes one tensor of a file. A rank of 0 is a scalar; a dimension of 0 makes an empty
// tensor.
type Entry struct {
	Name       string
	DType      DType
	Shape      []int
	begin, end int64 // bytes, from the end of the header
}

// Len is the number of elements.
func (e Entry) Len() int { return int((e.end - e.begin) / int64(e.DType.Size())) }

// check compares the offsets with type and shape, without overflow.
func (e Entry) check() error {
	if e.end < e.begin {
		return fmt.Errorf("tensor %q: data_offsets [%d, %d] are reversed", e.Name, e.begin, e.end)
	}
	n := uint64(e.DType.Size())
	for _, d := range e.Shape {
		hi, lo := bits.Mul64(n, uint64(d))
		if hi != 0 || lo > math.MaxInt64 {
			return fmt.Errorf("tensor %q: shape %v overflows", e.Name, e.Shape)
		}
		n = lo
	}
	if int64(n)/int64(e.DType.Size()) > math.MaxInt { // possible where int has 32 bits
		return fmt.Errorf("tensor %q: shape %v is too large for this machine", e.Name, e.Shape)
	}
	if int64(n) != e.end-e.begin {
		return fmt.Errorf("tensor %q: %s %v needs %d bytes, data_offsets [%d, %d] hold %d",
			e.Name, e.DType, e.Shape, n, e.begin, e.end, e.end-e.begin)
	}
	return nil
}

// checkLayout requires that the tensors cover the data exactly: no hole, no overlap, nothing before
// or after. An empty tensor may sit at any boundary between tensors, but not inside one.
func checkLayout(entries []Entry, data int64) error {
	sorted := slices.Clone(entries)
	slices.SortFunc(sorted, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	at := int64(0)
	for _, e := range sorted {
		if e.begin > at {
			return fmt.Errorf("tensor %q: %d bytes before its data belong to no tensor", e.Name, e.begin-at)
		}
		if e.begin < at {
			return fmt.Errorf("tensor %q: its data overlap another tensor's by %d bytes", e.Name, at-e.begin)
		}
		at = e.end
	}
	if at > data {
		return fmt.Errorf("the tensors need %d bytes, the file holds %d: truncated?", at, data)
	}
	if at < data {
		return fmt.Errorf("%d bytes after the last tensor belong to no tensor", data-at)
	}
	return nil
}
