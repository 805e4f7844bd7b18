package datasets

import (
	"math/bits"
	"math/rand/v2"
)

// Streams keep the random numbers of different uses apart. Changing a value changes every run with
// the same seed.
const (
	streamValidation uint64 = iota + 1
	streamOrder
	streamAugment
	streamUtterances
	streamSubstitute
	streamMean
	streamSplit
	streamEdit
	streamErase
	streamMix
	streamBalance
)

// draws is a counter-based generator: its whole state follows from (stream, seed, a, b), so nothing
// needs saving for a resume and it does not matter which goroutine draws.
type draws struct{ pcg rand.PCG }

func newDraws(stream, seed, a, b uint64) draws {
	h := mix(stream + 0x9e3779b97f4a7c15)
	h = mix(h ^ seed)
	h = mix(h + 0x9e3779b97f4a7c15 ^ a)
	h = mix(h + 0x9e3779b97f4a7c15 ^ b)
	var d draws
	d.pcg.Seed(h, mix(h+0x9e3779b97f4a7c15))
	return d
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood 2014): every input bit reaches every
// output bit.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below draws from [0, n). The bias, below n/2^64, is beyond measuring.
func (d *draws) below(n int) int {
	hi, _ := bits.Mul64(d.pcg.Uint64(), uint64(n))
	return int(hi)
}

// permute fills p with a permutation of 0..len(p)-1 (Fisher and Yates). It is written out, not
// taken from math/rand, so that no change there can reorder a run that is being resumed.
func (d *draws) permute(p []int32) {
	for i := range p {
		p[i] = int32(i)
	}
	for i := len(p) - 1; i > 0; i-- {
		j := d.below(i + 1)
		p[i], p[j] = p[j], p[i]
	}
}

// PermuteUtterances fills p with a permutation of 0..len(p)-1 that follows from (seed, epoch, part)
// alone: the order of a part of the utterances of a speech corpus.
func PermuteUtterances(p []int32, seed, epoch, part uint64) {
	g := newDraws(streamUtterances, seed, epoch, part)
	g.permute(p)
}
