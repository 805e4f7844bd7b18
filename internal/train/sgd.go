package train

import (
	"runtime"
	"sync"

	"resnet/internal/graph"
)

// Tensor is a named array of a checkpoint's state, row-major.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
}

// momentumPrefix comes before the parameter's name in the name of its momentum buffer.
const momentumPrefix = "momentum."

// Update is one step of SGD in PyTorch's form (torch.optim.SGD, dampening 0), for one parameter w
// with gradient sum g:
//
//	d = Scale·g + Decay·w
//	v = Momentum·v + d
//	w = w − Rate·v                  or, with Nesterov,  w = w − Rate·(d + Momentum·v)
//
// Caffe folds the rate into v instead; the two agree while the rate is constant and differ for a
// few steps after a drop.
type Update struct {
	Rate     float32
	Momentum float32
	Decay    float32
	Scale    float32 // 1 / batches accumulated in g, times what clipping leaves
	Nesterov bool
}

// Apply changes w and v in place. All slices have the same length; v is nil when Momentum is 0. The
// products are rounded to float32 before they are added, so that processors with fused multiply-add
// give the same bits.
func (u Update) Apply(w, g, v []float32) {
	g = g[:len(w)]
	if v == nil {
		for i, x := range w {
			d := float32(u.Scale*g[i]) + float32(u.Decay*x)
			w[i] = x - float32(u.Rate*d)
		}
		return
	}
	v = v[:len(w)]
	if u.Nesterov {
		for i, x := range w {
			d := float32(u.Scale*g[i]) + float32(u.Decay*x)
			m := float32(u.Momentum*v[i]) + d
			v[i] = m
			w[i] = x - float32(u.Rate*(d+float32(u.Momentum*m)))
		}
		return
	}
	for i, x := range w {
		d := float32(u.Scale*g[i]) + float32(u.Decay*x)
		m := float32(u.Momentum*v[i]) + d
		v[i] = m
		w[i] = x - float32(u.Rate*m)
	}
}

// SGD holds the momentum of every trainable parameter of a ParamSet.
type SGD struct {
	// Threads that update large networks together, 0 for all cores. No value depends on them.
	Threads int
	o       Optimizer
	slots   []slot
}

type slot struct {
	p     *graph.Param
	v     []float32 // nil without momentum
	decay float32
	rate  float64 // multiple of the common rate
}

// NewSGD starts with zero momentum, which is PyTorch's first step too (v = d). Weight decay reaches
// every trainable parameter but slopes of PReLU, as in the papers, or with Decay "weights" those of
// kind weight only.
func NewSGD(o Optimizer, params *graph.ParamSet) *SGD {
	s := &SGD{o: o}
	for _, p := range o.updated(params) {
		sl := slot{p: p, decay: o.decayOf(p), rate: o.rateOf(p)}
		if o.Momentum != 0 {
			sl.v = make([]float32, len(p.Data))
		}
		s.slots = append(s.slots, sl)
	}
	return s
}

// Step applies the gradients in Param.Grad, multiplied by scale, at the given rate.
func (s *SGD) Step(rate float64, scale float32) {
	u := Update{
		Momentum: float32(s.o.Momentum),
		Scale:    scale,
		Nesterov: s.o.Nesterov,
	}
	if s.o.Name == OptimizerLARS {
		s.lars(u, rate)
		return
	}
	pieces, threads := s.Pieces(), s.Threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	threads = min(threads, pieces)
	run := func(thread int) {
		for i := thread; i < pieces; i += threads {
			s.update(u, rate, i*sgdPiece, (i+1)*sgdPiece)
		}
	}
	if threads == 1 {
		run(0)
		return
	}
	var group sync.WaitGroup
	for thread := range threads {
		group.Go(func() { run(thread) })
	}
	group.Wait()
}

// sgdPiece is how many values are worth a thread: some microseconds.
const sgdPiece = 1 << 13

// Pieces says among how many threads an update can be divided.
func (s *SGD) Pieces() int { return max(1, (s.Values()+sgdPiece-1)/sgdPiece) }

// Values counts those that an update changes.
func (s *SGD) Values() (n int) {
	for i := range s.slots {
		n += len(s.slots[i].p.Data)
	}
	return n
}

// update applies u to the values [from, to), counted over all parameters.
func (s *SGD) update(u Update, rate float64, from, to int) {
	at := 0
	for i := range s.slots {
		sl := &s.slots[i]
		n := len(sl.p.Data)
		first, last := max(from-at, 0), min(to-at, n)
		at += n
		if first >= last {
			continue
		}
		var v []float32
		if sl.v != nil {
			v = sl.v[first:last]
		}
		u.Decay, u.Rate = sl.decay, float32(rate*sl.rate)
		u.Apply(sl.p.Data[first:last], sl.p.Grad[first:last], v)
	}
}

// Tensors returns the momentum buffers, named "momentum." and the parameter's name, in the order of
// the parameters. They share memory with the optimizer.
func (s *SGD) Tensors() []Tensor {
	var ts []Tensor
	for _, sl := range s.slots {
		if sl.v != nil {
			ts = append(ts, Tensor{Name: momentumPrefix + sl.p.Name, Shape: sl.p.Shape, Data: sl.v})
		}
	}
	return ts
}

// Load copies saved momentum buffers into place. Every buffer must be there with its length, and
// nothing else.
func (s *SGD) Load(ts []Tensor) error { return loadTensors(s.Tensors(), ts) }
