package collective

import (
	"fmt"
	"math"
)

// Wire is the form of gradients between processes.
type Wire string

// The forms. BFloat16 halves the traffic: each rank's sum and the total are rounded to 8 bits of
// precision, and added in float32. Its results depend on the number of ranks.
const (
	Float32  Wire = "float32"
	BFloat16 Wire = "bfloat16"
)

// The most part of a vector that is one bucket, and the least bucket that is worth its messages, in
// values: 256 KiB take 2 ms at 1 Gb/s, and a sum some tenths of a millisecond however short it is.
// A bucket has as many messages as there are ranks.
const (
	leastBuckets = 8
	leastBucket  = 1 << 16
	leastMessage = 1 << 14
)

// Bucket is how many of a vector's n values are added together, beside the computation of the next
// ones, among so many ranks: at most limit, and an eighth of those of a small network, since
// nothing is left to compute beside the last bucket.
func Bucket(n, ranks, limit int) int {
	return min(limit, max((n+leastBuckets-1)/leastBuckets, leastBucket, ranks*leastMessage))
}

// Summer adds vectors of the ranks of a group in the order of the tree: its upper levels, the
// ranks' vectors being the sums of consecutive subtrees. Every rank adds a part of the vector and
// gives the sum to the others, so each sends 2·(Size-1)/Size of it, as in a ring, and the order is
// ours and not that of a library.
type Summer struct {
	g     Group
	wire  Wire
	recv  []float32
	parts [][]float32
	// For BFloat16.
	narrow, narrowRecv []uint16
}

// NewSummer is for a group whose size is a power of two.
func NewSummer(g Group, wire Wire) *Summer {
	return &Summer{g: g, wire: wire, parts: make([][]float32, g.Size())}
}

// Padded is the length of a vector of n values with what it needs to be divided among the ranks.
func (s *Summer) Padded(n int) int { return (n + s.g.Size() - 1) / s.g.Size() * s.g.Size() }

// Sum replaces v on every rank by the sum of all. Its length, the same on all ranks, is a Padded
// one.
func (s *Summer) Sum(v []float32) error {
	n := s.g.Size()
	if n == 1 || len(v) == 0 {
		return nil
	}
	if len(v)%n != 0 {
		return fmt.Errorf("a vector of %d values is not divided among %d ranks", len(v), n)
	}
	per := len(v) / n
	if s.wire == BFloat16 {
		return s.sumNarrow(v, per)
	}
	if len(s.recv) < len(v) {
		s.recv = make([]float32, len(v))
	}
	recv := s.recv[:len(v)]
	if err := s.g.AllToAll(bytesOf(v), bytesOf(recv)); err != nil {
		return err
	}
	return s.g.AllGather(bytesOf(s.add(recv, per)), bytesOf(v))
}

// add adds the ranks' parts of recv, and returns the sum.
func (s *Summer) add(recv []float32, per int) []float32 {
	for k := range s.parts {
		s.parts[k] = recv[k*per : (k+1)*per]
	}
	AddWorkers(s.parts)
	return recv[:per]
}

// sumNarrow is Sum with 16 bits for a value on the way.
func (s *Summer) sumNarrow(v []float32, per int) error {
	if len(s.narrow) < len(v) {
		s.narrow, s.narrowRecv, s.recv = make([]uint16, len(v)), make([]uint16, len(v)), make([]float32, len(v))
	}
	send, got, wide := s.narrow[:len(v)], s.narrowRecv[:len(v)], s.recv[:len(v)]
	narrow(send, v)
	if err := s.g.AllToAll(bytesOf(send), bytesOf(got)); err != nil {
		return err
	}
	widen(wide, got)
	narrow(send[:per], s.add(wide, per))
	if err := s.g.AllGather(bytesOf(send[:per]), bytesOf(got)); err != nil {
		return err
	}
	widen(v, got)
	return nil
}

// narrow rounds to bfloat16, to even; what is not a number stays none.
func narrow(dst []uint16, v []float32) {
	for i, x := range v {
		b := math.Float32bits(x)
		if x != x {
			dst[i] = uint16(b>>16) | 0x40
			continue
		}
		dst[i] = uint16((b + 0x7fff + b>>16&1) >> 16)
	}
}

func widen(dst []float32, v []uint16) {
	for i, x := range v {
		dst[i] = math.Float32frombits(uint32(x) << 16)
	}
}
