package train

import (
	"math"

	"resnet/internal/graph"
)

// The names of Adam's tensors in a checkpoint: both moments of each parameter, and the number of
// updates.
const (
	adamMeanPrefix   = "adam.m."
	adamSquarePrefix = "adam.v."
	adamStep         = "adam.step"
)

// Adam is the method of Kingma and Ba (2015, Algorithm 1) in the form of torch.optim.Adam. For one
// parameter w with gradient g, t counting updates from 1:
//
//	d = Scale·g + Decay·w
//	m = m + (1−Beta1)·(d − m)
//	v = Beta2·v + (1−Beta2)·d²
//	w = w − Rate/(1−Beta1ᵗ) · m / (√v / √(1−Beta2ᵗ) + Epsilon)
//
// Decay is added to the gradient (L2). Two relatives share the moments: AdamW (Loshchilov and
// Hutter 2019, torch.optim.AdamW) takes Rate·Decay·w from the weights instead, and LAMB (You et al.
// 2020, timm's Lamb) adds Decay·w to the quotient, and gives that the length of the weights.
type Adam struct {
	o     Optimizer
	slots []adamSlot
	step  []float32 // [1], updates made: exact up to 2^24
	// quotient is LAMB's update of a parameter, before its length is known.
	quotient []float32
}

type adamSlot struct {
	p     *graph.Param
	m, v  []float32
	decay float32
	rate  float64 // multiple of the common rate
}

// NewAdam starts with zero moments.
func NewAdam(o Optimizer, params *graph.ParamSet) *Adam {
	a := &Adam{o: o, step: make([]float32, 1)}
	for _, p := range o.updated(params) {
		a.slots = append(a.slots, adamSlot{p: p, m: make([]float32, len(p.Data)), v: make([]float32, len(p.Data)), decay: o.decayOf(p), rate: o.rateOf(p)})
	}
	return a
}

// longest is the number of values of the largest parameter.
func (a *Adam) longest() (n int) {
	for _, s := range a.slots {
		n = max(n, len(s.m))
	}
	return n
}

// Step applies the gradients in Param.Grad, multiplied by scale, at the given rate.
func (a *Adam) Step(rate float64, scale float32) {
	a.step[0]++
	t := float64(a.step[0])
	u := adamUpdate{
		scale: scale, eps: float32(a.o.Epsilon),
		mean: float32(1 - a.o.Beta1), keep: float32(a.o.Beta2), square: float32(1 - a.o.Beta2),
		root: float32(math.Sqrt(1 - math.Pow(a.o.Beta2, t))),
	}
	for _, s := range a.slots {
		own := rate * s.rate
		u.decay, u.rate = s.decay, float32(own/(1-math.Pow(a.o.Beta1, t)))
		switch a.o.Name {
		case OptimizerAdamW:
			shrink(s.p.Data, float32(1-own*float64(s.decay)))
			u.decay = 0
		case OptimizerLAMB:
			if a.quotient == nil {
				a.quotient = make([]float32, a.longest())
			}
			u.decay, u.rate = 0, float32(1/(1-math.Pow(a.o.Beta1, t)))
			u.lamb(s, a.quotient[:len(s.m)], float32(own))
			continue
		}
		u.apply(s.p.Data, s.p.Grad, s.m, s.v)
	}
}

// adamUpdate holds the constants of one update.
type adamUpdate struct {
	scale, decay       float32
	mean, keep, square float32 // 1−Beta1, Beta2, 1−Beta2
	rate, root, eps    float32 // corrected rate, √(1−Beta2ᵗ)
}

// apply changes w, m and v in place; all have the length of g. Products are rounded to float32
// before they are added, so that processors with fused multiply-add give the same bits.
func (u adamUpdate) apply(w, g, m, v []float32) {
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	for i, x := range w {
		d := float32(u.scale*g[i]) + float32(u.decay*x)
		mi := m[i] + float32(u.mean*(d-m[i]))
		vi := float32(u.keep*v[i]) + float32(u.square*float32(d*d))
		m[i], v[i] = mi, vi
		denom := float32(math.Sqrt(float64(vi)))/u.root + u.eps
		w[i] = x - float32(u.rate*float32(mi/denom))
	}
}

// Tensors returns the moments, in the order of the parameters, and the count of updates. They share
// memory with the optimizer.
func (a *Adam) Tensors() []Tensor {
	ts := []Tensor{{Name: adamStep, Shape: []int{1}, Data: a.step}}
	for _, s := range a.slots {
		ts = append(ts, Tensor{Name: adamMeanPrefix + s.p.Name, Shape: s.p.Shape, Data: s.m}, Tensor{Name: adamSquarePrefix + s.p.Name, Shape: s.p.Shape, Data: s.v})
	}
	return ts
}

// Load copies saved tensors into place. Every one must be there with its length, and nothing else.
func (a *Adam) Load(ts []Tensor) error { return loadTensors(a.Tensors(), ts) }
