package graph

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// fill gives a new parameter its initial values.
type fill func(data []float32, r *rand.Rand)

// heNormal draws from N(0, 2/((1+a²)·fanIn)), so that ½(1+a²)·fanIn·Var = 1 (He et al. 2015,
// arXiv:1502.01852, eq. 15), with fanIn = C·R·S and a the slope of the rectifiers below 0. Of ReLU,
// a = 0, that is eq. 10.
func heNormal(fanIn int, a float64) fill {
	std := math.Sqrt(2 / ((1 + a*a) * float64(fanIn)))
	return func(data []float32, r *rand.Rand) {
		for i := range data {
			data[i] = float32(std * r.NormFloat64())
		}
	}
}

// glorotUniform draws from ±sqrt(6/(fanIn+fanOut)), whose variance is 2/(fanIn+fanOut) (Glorot and
// Bengio 2010, eq. 16), with fanIn = C·R·S and fanOut = K·R·S.
func glorotUniform(fanIn, fanOut int) fill { return uniform(math.Sqrt(6 / float64(fanIn+fanOut))) }

// filters are the initial values of a convolution's.
func (b *Builder) filters(g ConvShape) fill {
	if b.opts.Glorot {
		return glorotUniform(g.GroupChannels()*g.R*g.S, g.K/max(1, g.Groups)*g.R*g.S)
	}
	return heNormal(g.GroupChannels()*g.R*g.S, b.opts.Slope)
}

// uniform draws from [-bound, bound).
func uniform(bound float64) fill {
	return func(data []float32, r *rand.Rand) {
		for i := range data {
			data[i] = float32(bound * (2*r.Float64() - 1))
		}
	}
}

func constant(v float32) fill {
	return func(data []float32, _ *rand.Rand) {
		for i := range data {
			data[i] = v
		}
	}
}

// newParam makes a parameter whose values depend on the seed and its name alone.
func newParam(name string, kind Kind, shape []int, f fill, seed uint64) *Param {
	n := 1
	for _, d := range shape {
		n *= d
	}
	h := fnv.New64a()
	h.Write([]byte(name))
	p := &Param{Name: name, Shape: shape, Kind: kind, Data: make([]float32, n)}
	f(p.Data, rand.New(rand.NewPCG(seed, h.Sum64())))
	return p
}
