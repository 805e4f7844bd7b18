package graph

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Tape runs a Graph on Gorgonia's tape machine with the reference operators: slow, and the oracle
// that a schedule is tested against. A graph of Float64 computes in float64 on the float32 values
// of the ParamSet. It implements Machine.
//
// # Why every node's value is copied
//
// The tape machine gives a sum of gradients its first input's register and adds in place, so that a
// node may show another's value after a run. TraceExec copies what each node computed at the moment
// it did.
type Tape struct {
	g      *Graph
	vm     gorgonia.VM
	logits []float32
	x      []float32 // a batch filled up with zeros
	closed bool
}

// NewTape compiles g. It fails with ErrCollision when two nodes have one hash, for the tape machine
// would take them for the same expression. params is the set that g was built with.
func NewTape(g *Graph, params *ParamSet) (t *Tape, err error) {
	for _, p := range g.Params {
		if params.Get(p.Param.Name) != p.Param {
			return nil, fmt.Errorf("%s: parameter %q is not that of the set: %w", g.Name, p.Param.Name, ErrParam)
		}
	}
	seen := map[uint32]*Node{}
	for _, n := range g.G.AllNodes() {
		if other := seen[n.Hashcode()]; other != nil {
			return nil, fmt.Errorf("%s: %w: %q and %q", g.Name, ErrCollision, other.Name(), n.Name())
		}
		seen[n.Hashcode()] = n
	}
	defer func() {
		if r := recover(); r != nil {
			t, err = nil, fmt.Errorf("%s: gorgonia: %v", g.Name, r)
		}
	}()
	return &Tape{g: g, vm: gorgonia.NewTapeMachine(g.G, gorgonia.TraceExec()), logits: make([]float32, g.N*g.LogitsLen())}, nil
}

// Train implements Machine. With ForwardOnly the gradients are computed and thrown away.
func (t *Tape) Train(x []float32, labels []int32, o StepOptions) (Result, error) {
	g := t.g
	if t.closed {
		return Result{}, fmt.Errorf("%s: Train: %w", g.Name, ErrClosed)
	}
	if err := g.CheckTrain(x, labels, o); err != nil {
		return Result{}, err
	}
	l := make([]float32, g.LabelsLen())
	for i, label := range labels {
		l[i] = float32(label)
	}
	if g.Targets != ClassTargets {
		l = o.Targets
	}
	if err := t.bind(g.Labels, l); err != nil {
		return Result{}, err
	}
	if err := t.run(x); err != nil {
		return Result{}, err
	}
	if !o.ForwardOnly {
		if err := t.gradients(o.Accumulate); err != nil {
			return Result{}, err
		}
		if g.Dropout != nil {
			g.Dropout.Step++
		}
	}
	if err := t.fold(o.StatsMomentum); err != nil {
		return Result{}, err
	}
	loss, err := read(g.Loss)
	if err != nil {
		return Result{}, err
	}
	return Result{Loss: loss[0], Logits: t.logits}, nil
}

// Infer implements Machine.
func (t *Tape) Infer(x []float32, n int) ([]float32, error) {
	g := t.g
	if t.closed {
		return nil, fmt.Errorf("%s: Infer: %w", g.Name, ErrClosed)
	}
	if err := g.CheckInfer(x, n); err != nil {
		return nil, err
	}
	t.x = slices.Grow(t.x[:0], g.N*g.ImageLen())[:g.N*g.ImageLen()]
	clear(t.x[copy(t.x, x):])
	if err := t.run(t.x); err != nil {
		return nil, err
	}
	return t.logits[:n*g.LogitsLen()], nil
}

// run binds x and the parameters, runs the program and reads the logits.
func (t *Tape) run(x []float32) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: gorgonia: %v", t.g.Name, r)
		}
	}()
	if err := t.bind(t.g.Input, x); err != nil {
		return err
	}
	for _, p := range t.g.Params {
		if err := t.bind(p.Node, p.Param.Data); err != nil {
			return err
		}
	}
	t.vm.Reset()
	if err := t.vm.RunAll(); err != nil {
		return fmt.Errorf("%s: %w", t.g.Name, err)
	}
	logits, err := read(t.g.Logits)
	if err != nil {
		return err
	}
	for i, v := range logits {
		t.logits[i] = float32(v)
	}
	return nil
}

// bind gives an input node a copy of values.
func (t *Tape) bind(n *Node, values []float32) error {
	var backing any = slices.Clone(values)
	if t.g.Dtype == tensor.Float64 {
		wide := make([]float64, len(values))
		for i, v := range values {
			wide[i] = float64(v)
		}
		backing = wide
	}
	if err := gorgonia.Let(n, tensor.New(tensor.WithShape(n.Shape()...), tensor.WithBacking(backing))); err != nil {
		return fmt.Errorf("%s: %s: %w", t.g.Name, n.Name(), err)
	}
	return nil
}

// gradients writes or adds the gradients to the parameters.
func (t *Tape) gradients(accumulate bool) error {
	for _, p := range t.g.Params {
		if p.Grad == nil {
			continue // frozen
		}
		grad, err := read(p.Grad)
		if err != nil {
			return fmt.Errorf("%s: gradient of %s: %w", t.g.Name, p.Param.Name, err)
		}
		for i, v := range grad {
			if accumulate {
				p.Param.Grad[i] += float32(v)
			} else {
				p.Param.Grad[i] = float32(v)
			}
		}
	}
	return nil
}

// fold updates the running statistics, with momentum m unless it is 0.
func (t *Tape) fold(m float64) error {
	for _, s := range t.g.Stats {
		values, err := read(s.Node)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", t.g.Name, s.Name, err)
		}
		stats := make([]float32, len(values))
		for i, v := range values {
			stats[i] = float32(v)
		}
		momentum := s.Mean.Momentum
		if m != 0 {
			momentum = m
		}
		s.Fold(stats, momentum)
	}
	return nil
}

// Value returns the values that a node of the graph had in the last run, in float64, row-major.
func (t *Tape) Value(n *Node) ([]float64, error) { return read(n) }

func read(n *Node) ([]float64, error) {
	v := n.Value()
	if v == nil {
		return nil, fmt.Errorf("node %q has no value", n.Name())
	}
	if narrow, err := elements[float32](v); err == nil {
		wide := make([]float64, len(narrow))
		for i, f := range narrow {
			wide[i] = float64(f)
		}
		return wide, nil
	}
	wide, err := elements[float64](v)
	return slices.Clone(wide), err
}

// Diagnose implements Machine: the first node, in the order in which the network was drawn, that
// holds a value that is not finite. Gradients come last, under the name of the node whose gradient
// they are.
func (t *Tape) Diagnose() string {
	for _, n := range t.g.G.AllNodes() {
		values, err := read(n)
		if err != nil {
			continue
		}
		for _, v := range values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				if of := n.DerivOf(); len(of) > 0 {
					return "gradient of " + of[0].Name()
				}
				return n.Name()
			}
		}
	}
	return ""
}

// Bytes implements Machine: each node that is computed has a value and a copy.
func (t *Tape) Bytes() int64 {
	var total int64
	for _, n := range t.g.G.AllNodes() {
		if n.Op() != nil {
			total += 2 * int64(n.Shape().TotalSize()) * int64(t.g.Dtype.Size())
		}
	}
	return total
}

// Close implements Machine.
func (t *Tape) Close() {
	if !t.closed {
		t.closed = true
		t.vm.Close()
	}
}

var _ Machine = (*Tape)(nil)
