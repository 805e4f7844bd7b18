package graph

import (
	"fmt"
	"math"
)

// ConvOpts are the choices of a convolution: square kernels, Pad zeros on every side.
type ConvOpts struct {
	Filters, Kernel, Stride, Pad int
	StrideW                      int // of columns; 0 means Stride
	End                          int // zeros at the end of rows and columns besides Pad
	Bias                         bool
	Groups                       int // of channels, each convolved by itself; 0 means 1
}

// PoolOpts are the choices of a pooling.
type PoolOpts struct {
	Kernel, Stride, Pad int
	Ceil                bool
	// ExcludePad leaves the padding out of the divisor of AvgPool.
	ExcludePad bool
}

// Conv is a convolution with the parameters name.weight [K, C/Groups, R, S] (He initialisation,
// with Options.Slope, or Options.Glorot) and, with Bias, name.bias [K] (zeros).
func (b *Builder) Conv(name string, x *Node, o ConvOpts) *Node {
	s, ok := b.image(name, x)
	if !ok {
		return nil
	}
	if o.Filters < 1 || o.Kernel < 1 || o.Stride < 1 || o.StrideW < 0 || o.Pad < 0 || o.End < 0 {
		return b.fail(name, fmt.Errorf("convolution %+v: filters, kernel and stride must be at least 1, pad 0: %w", o, ErrShape))
	}
	if groups := max(1, o.Groups); o.Groups < 0 || s.C%groups != 0 || o.Filters%groups != 0 {
		return b.fail(name, fmt.Errorf("%d channels to %d in %d groups; the groups must divide both: %w", s.C, o.Filters, o.Groups, ErrShape))
	}
	g := ConvShape{N: s.N, C: s.C, H: s.H, W: s.W, K: o.Filters, R: o.Kernel, S: o.Kernel, Stride: o.Stride, StrideW: o.StrideW, PadH: o.Pad, PadW: o.Pad, End: o.End, Groups: o.Groups}
	if s.H+2*o.Pad+o.End < o.Kernel || s.W+2*o.Pad+o.End < o.Kernel {
		return b.fail(name, fmt.Errorf("a %dx%d kernel on %dx%d with padding %d: %w", o.Kernel, o.Kernel, s.H, s.W, o.Pad, ErrShape))
	}
	in := b.In(name)
	inputs := []*Node{x, in.param("weight", KindWeight, []int{g.K, g.GroupChannels(), g.R, g.S}, b.filters(g))}
	if o.Bias {
		inputs = append(inputs, in.param("bias", KindBias, []int{g.K}, constant(0)))
	}
	return b.add(name, &Conv{ConvShape: g, Bias: o.Bias, Leaf: x == b.input, ID: b.id()}, inputs...)
}

// BatchNorm normalises each channel with the parameters name.weight (γ, 1), name.bias (β, 0),
// name.running_mean (0) and name.running_var (1), all [C]. In Train mode N·H·W must be at least 2.
func (b *Builder) BatchNorm(name string, x *Node) *Node {
	s, ok := b.image(name, x)
	if !ok {
		return nil
	}
	count := s.N * s.Area()
	if b.mode == Train && count < 2 {
		return b.fail(name, fmt.Errorf("batch statistics of one value (shape %v); use a larger batch: %w", []int(x.Shape()), ErrShape))
	}
	in, c := b.In(name), []int{s.C}
	gamma := in.param("weight", KindScale, c, constant(1))
	beta := in.param("bias", KindShift, c, constant(0))
	op := &BatchNorm{ImageShape: s, Eps: b.opts.BNEps, Mode: b.mode, ID: b.id()}
	if b.mode == Eval {
		mean := in.param("running_mean", KindRunningMean, c, constant(0))
		variance := in.param("running_var", KindRunningVar, c, constant(1))
		return b.add(name, op, x, gamma, beta, mean, variance)
	}
	mean := in.value("running_mean", KindRunningMean, c, constant(0))
	variance := in.value("running_var", KindRunningVar, c, constant(1))
	if mean != nil && variance != nil {
		mean.Momentum, variance.Momentum = b.opts.BNMomentum, b.opts.BNMomentum
	}
	stats := b.add(name+".stats", &BatchStats{ImageShape: s, ID: op.ID}, x)
	b.stats = append(b.stats, StatsNode{
		Name: join(b.scope, name), Node: stats, Mean: mean, Var: variance, Count: count,
	})
	return b.add(name, op, x, gamma, beta, stats)
}

// ReLU is max(x, 0).
func (b *Builder) ReLU(x *Node) *Node { return b.add("relu", &ReLU{ID: b.id()}, x) }

// Sigmoid is 1 / (1 + exp(-x)).
func (b *Builder) Sigmoid(x *Node) *Node { return b.add("sigmoid", &Sigmoid{ID: b.id()}, x) }

// ELU is x for x > 0, else alpha·(exp(x)-1); alpha >= 0.
func (b *Builder) ELU(x *Node, alpha float64) *Node {
	if !(alpha >= 0) || math.IsInf(alpha, 1) {
		return b.fail("elu", fmt.Errorf("alpha %v; it must be finite and not negative", alpha))
	}
	return b.add("elu", &ELU{Alpha: alpha, ID: b.id()}, x)
}

// PReLU is x for x > 0, else a learned slope·x, with the parameter name.weight [C] (0.25), on [N,
// C, H, W] or [N, C].
func (b *Builder) PReLU(name string, x *Node) *Node {
	rows := b.err == nil && x != nil && len(x.Shape()) == 2
	var s ImageShape
	if rows {
		s = ImageShape{N: x.Shape()[0], C: x.Shape()[1], H: 1, W: 1}
	} else if i, ok := b.image(name, x); ok {
		s = i
	} else {
		return nil
	}
	slope := b.In(name).param("weight", KindSlope, []int{s.C}, constant(PReLUSlope))
	return b.add(name, &PReLU{ImageShape: s, Rows: rows, ID: b.id()}, x, slope)
}

// MaxPool takes the largest value of each window.
func (b *Builder) MaxPool(x *Node, o PoolOpts) *Node {
	g, ok := b.pool("maxpool", x, o)
	if !ok {
		return nil
	}
	return b.add("maxpool", &MaxPool{PoolShape: g, ID: b.id()}, x)
}

// AvgPool takes the mean of each window; the padding counts unless ExcludePad.
func (b *Builder) AvgPool(x *Node, o PoolOpts) *Node {
	g, ok := b.pool("avgpool", x, o)
	if !ok {
		return nil
	}
	return b.add("avgpool", &AvgPool{PoolShape: g, CountIncludePad: !o.ExcludePad, ID: b.id()}, x)
}

func (b *Builder) pool(what string, x *Node, o PoolOpts) (g PoolShape, ok bool) {
	s, ok := b.image(what, x)
	if !ok {
		return g, false
	}
	if o.Kernel < 1 || o.Stride < 1 || o.Pad < 0 || 2*o.Pad > o.Kernel {
		b.fail(what, fmt.Errorf("%+v: kernel and stride must be at least 1, pad at most half the kernel: %w", o, ErrShape))
		return g, false
	}
	if s.H+2*o.Pad < o.Kernel || s.W+2*o.Pad < o.Kernel {
		b.fail(what, fmt.Errorf("a %dx%d window on %dx%d with padding %d: %w", o.Kernel, o.Kernel, s.H, s.W, o.Pad, ErrShape))
		return g, false
	}
	return PoolShape{N: s.N, C: s.C, H: s.H, W: s.W, Kernel: o.Kernel, Stride: o.Stride, Pad: o.Pad, Ceil: o.Ceil}, true
}

// GlobalAvgPool is the mean of each plane: [N, C].
func (b *Builder) GlobalAvgPool(x *Node) *Node {
	s, ok := b.image("avgpool", x)
	if !ok {
		return nil
	}
	return b.add("avgpool", &GlobalAvgPool{ImageShape: s, ID: b.id()}, x)
}

// Add is x + y, of one shape.
func (b *Builder) Add(x, y *Node) *Node {
	if b.err == nil && x != nil && y != nil && !sameShape(x.Shape(), y.Shape()) {
		return b.fail("add", fmt.Errorf("shapes %v and %v: %w", []int(x.Shape()), []int(y.Shape()), ErrShape))
	}
	return b.add("add", &Add{ID: b.id()}, x, y)
}

// Concat joins images of one N, H and W along their channels.
func (b *Builder) Concat(xs ...*Node) *Node {
	if len(xs) == 0 {
		return b.fail("concat", fmt.Errorf("no inputs: %w", ErrShape))
	}
	op := &Concat{}
	for i, x := range xs {
		s, ok := b.image("concat", x)
		if !ok {
			return nil
		}
		if i == 0 {
			op.N, op.H, op.W = s.N, s.H, s.W
		} else if s.N != op.N || s.H != op.H || s.W != op.W {
			return b.fail("concat", fmt.Errorf("shapes %v and %v: %w", []int(xs[0].Shape()), []int(x.Shape()), ErrShape))
		}
		op.Channels = append(op.Channels, s.C)
	}
	op.ID = b.id()
	return b.add("concat", op, xs...)
}

// ShortcutPad is the parameter-free shortcut to filters channels: every stride-th pixel, zero
// channels on both sides or at the end.
func (b *Builder) ShortcutPad(x *Node, filters, stride int, sides bool) *Node {
	s, ok := b.image("shortcut", x)
	if !ok {
		return nil
	}
	if filters < s.C || stride < 1 {
		return b.fail("shortcut", fmt.Errorf("%d channels to %d with stride %d; channels can only be added: %w", s.C, filters, stride, ErrShape))
	}
	g := ShortcutShape{N: s.N, C: s.C, H: s.H, W: s.W, K: filters, Stride: stride, Sides: sides}
	return b.add("shortcut", &ShortcutPad{ShortcutShape: g, ID: b.id()}, x)
}

// Dropout zeroes values with probability p, 0 <= p < 1, in Train mode; in Eval mode it is x.
func (b *Builder) Dropout(name string, x *Node, p float64) *Node {
	if !(p >= 0 && p < 1) {
		return b.fail(name, fmt.Errorf("probability %v; it must be at least 0 and less than 1", p))
	}
	if b.err != nil || b.mode == Eval || p == 0 {
		return x
	}
	if b.dropout == nil {
		b.dropout = &DropoutState{Seed: b.opts.DropoutSeed}
	}
	id := b.id()
	return b.add(name, &Dropout{P: p, Stream: uint64(id), ID: id, State: b.dropout}, x)
}

// Linear is a fully connected layer on x [N, C] with the parameters name.weight [classes, C] and
// name.bias [classes], both uniform in ±1/sqrt(C), PyTorch's.
func (b *Builder) Linear(name string, x *Node, classes int) *Node {
	if b.err != nil || x == nil {
		return b.add(name, nil, x)
	}
	d := x.Shape()
	if len(d) != 2 || classes < 1 {
		return b.fail(name, fmt.Errorf("shape %v to %d classes, want [N C] and at least 1: %w", []int(d), classes, ErrShape))
	}
	n, c := d[0], d[1]
	in, bound := b.In(name), 1/math.Sqrt(float64(c))
	w := in.param("weight", KindWeight, []int{classes, c}, uniform(bound))
	bias := in.param("bias", KindBias, []int{classes}, uniform(bound))
	return b.add(name, &Linear{N: n, C: c, K: classes, Bias: true, ID: b.id()}, x, w, bias)
}
