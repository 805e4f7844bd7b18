package graphtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph"
)

// Case is an operator, or a few that belong together, between leaves and one output.
type Case struct {
	Name   string
	Leaves []Leaf
	// Build draws the output from the nodes of Leaves.
	Build func(in []*graph.Node) (*graph.Node, error)
}

// Leaf is an input. Without Values it is filled with distinct numbers in (-2, 2), in random order
// and none near 0: far from the kinks of ReLU and of max pooling, compared with the step of the
// differences.
type Leaf struct {
	Shape  []int
	Values []float64
	Fixed  bool // no derivative with respect to it
}

// step of the central differences: near the cube root of 2⁻⁵², where rounding and truncation
// balance.
const step = 6e-6

// Check builds the case in float64 and float32 and proves of every operator in it, gradients too,
// that its derivative is that of Σ v·y by central differences (in float64); that Do equals Run32 to
// the bit and agrees with float64 as well as float32 can; that inputs are not changed; that its
// hash depends on every field; and that images which do not depend on each other can be computed
// alone. It returns the names of the operators that it saw.
func Check(t *testing.T, c Case) []string {
	t.Helper()
	leaves := values(c.Leaves)
	wide := build(t, c, tensor.Float64, leaves)
	narrow := build(t, c, tensor.Float32, leaves)
	wide.run(t)
	narrow.run(t)
	wide.checkGradients(t)
	narrow.checkAgainst(t, wide)
	seen := map[string]bool{}
	for _, n := range narrow.nodes() {
		op := graph.OpOf(n)
		if op == nil {
			continue
		}
		seen[n.Op().String()] = true
		narrow.checkRun32(t, n, op)
		if p, ok := op.(graph.PerImage); ok {
			checkImages(t, n, p)
		}
		CheckHash(t, op)
	}
	var names []string
	for name := range seen {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// values fills the leaves that have none.
func values(leaves []Leaf) [][]float64 {
	r := rand.New(rand.NewPCG(11, 12))
	out := make([][]float64, len(leaves))
	for i, l := range leaves {
		out[i] = l.Values
		if l.Values == nil {
			n := tensor.Shape(l.Shape).TotalSize()
			out[i] = make([]float64, n)
			for j, k := range r.Perm(n) {
				// 0.75 would make the middle of an odd number 0.
				out[i][j] = 4*(float64(k)+0.6)/(float64(n)+0.5) - 2
			}
		}
	}
	return out
}

// sample is a case built in one element type: cost = Σ v·y.
type sample struct {
	dtype  tensor.Dtype
	leaves []*graph.Node
	fixed  []bool
	values [][]float64
	v, y   *graph.Node
	cost   *graph.Node
	grads  gorgonia.Nodes // of the leaves that are not fixed
}

func build(t *testing.T, c Case, dtype tensor.Dtype, vals [][]float64) *sample {
	t.Helper()
	g := gorgonia.NewGraph()
	s := &sample{dtype: dtype, values: slices.Clone(vals)}
	for i, l := range c.Leaves {
		s.leaves = append(s.leaves, leaf(g, dtype, fmt.Sprint("leaf", i), l.Shape))
		s.fixed = append(s.fixed, l.Fixed)
	}
	y, err := c.Build(s.leaves)
	if err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
	s.y = y
	s.v = leaf(g, dtype, "v", y.Shape())
	s.values = append(s.values, values([]Leaf{{Shape: y.Shape()}})[0])
	s.leaves = append(s.leaves, s.v)
	s.fixed = append(s.fixed, true)
	if s.cost, err = gorgonia.ApplyOp(&dot{dims: y.Dims()}, y, s.v); err != nil {
		t.Fatal(err)
	}
	var wrt []*graph.Node
	for i, n := range s.leaves {
		if !s.fixed[i] {
			wrt = append(wrt, n)
		}
	}
	if len(wrt) > 0 {
		if s.grads, err = gorgonia.Grad(s.cost, wrt...); err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
	}
	return s
}

func leaf(g *gorgonia.ExprGraph, dtype tensor.Dtype, name string, shape []int) *graph.Node {
	if len(shape) == 0 {
		return gorgonia.NewScalar(g, dtype, gorgonia.WithName(name))
	}
	return gorgonia.NewTensor(g, dtype, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name))
}

// run binds the leaves and runs everything on the tape machine.
func (s *sample) run(t *testing.T) {
	t.Helper()
	for i, n := range s.leaves {
		if err := gorgonia.Let(n, value(s.dtype, n.Shape(), s.values[i])); err != nil {
			t.Fatal(err)
		}
	}
	vm := gorgonia.NewTapeMachine(s.cost.Graph(), gorgonia.TraceExec())
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
}

func (s *sample) nodes() gorgonia.Nodes { return s.cost.Graph().AllNodes() }

// forward computes the cost for other values of the leaves, without the tape machine.
func (s *sample) forward(t *testing.T) float64 {
	t.Helper()
	computed := map[*graph.Node]gorgonia.Value{}
	for i, n := range s.leaves {
		computed[n] = value(s.dtype, n.Shape(), s.values[i])
	}
	for _, n := range s.nodes() { // in the order of creation: inputs first
		if n.Op() == nil {
			continue
		}
		var in []gorgonia.Value
		for _, c := range graph.Children(n) {
			in = append(in, computed[c])
		}
		v, err := n.Op().Do(in...)
		if err != nil {
			t.Fatal(err)
		}
		computed[n] = v
		if n == s.cost {
			break
		}
	}
	return data(computed[s.cost])[0]
}

func (s *sample) checkGradients(t *testing.T) {
	t.Helper()
	grads := s.grads
	for i, n := range s.leaves {
		if s.fixed[i] {
			continue
		}
		got := data(grads[0].Value())
		grads = grads[1:]
		if len(got) != len(s.values[i]) {
			t.Errorf("gradient of %s has %d elements, want %d", n.Name(), len(got), len(s.values[i]))
			continue
		}
		original := s.values[i]
		for j := range original {
			s.values[i] = slices.Clone(original)
			s.values[i][j] = original[j] + step
			high := s.forward(t)
			s.values[i][j] = original[j] - step
			low := s.forward(t)
			// The difference has an error near 2⁻⁵²·|cost|/step, below 1e-8 here, and of order
			// step².
			if want := (high - low) / (2 * step); !near(got[j], want, 1e-6) {
				t.Errorf("gradient of %s[%d] is %g, central difference %g", n.Name(), j, got[j], want)
			}
		}
		s.values[i] = original
	}
}

// checkAgainst compares every node with its float64 twin. Sums here have at most a few hundred
// terms of order 1: 1e-4 is 800 units of float32 rounding.
func (s *sample) checkAgainst(t *testing.T, wide *sample) {
	t.Helper()
	twins := wide.nodes()
	for i, n := range s.nodes() {
		got, want := data(n.Value()), data(twins[i].Value())
		if len(got) != len(want) {
			t.Fatalf("%s: %d elements in float32, %d in float64", n.Name(), len(got), len(want))
		}
		for j := range got {
			if !near(got[j], want[j], 1e-4) {
				t.Errorf("%s[%d] is %g in float32, %g in float64", n.Name(), j, got[j], want[j])
				break
			}
		}
	}
}

// checkRun32 runs the operator of n on copies of its inputs' values, into memory full of NaN.
func (s *sample) checkRun32(t *testing.T, n *graph.Node, op graph.Operator) {
	t.Helper()
	var src, keep [][]float32
	for _, c := range graph.Children(n) {
		v := floats(c.Value())
		src, keep = append(src, v), append(keep, slices.Clone(v))
	}
	want := floats(n.Value())
	got := make([]float32, len(want))
	for i := range got {
		got[i] = float32(math.NaN())
	}
	op.Run32(got, src...)
	if !slices.Equal(got, want) {
		t.Errorf("%v: Run32 gives %v, Do %v", n.Op(), got, want)
	}
	for i := range src {
		if !slices.Equal(src[i], keep[i]) {
			t.Errorf("%v: Run32 changed input %d", n.Op(), i)
		}
	}
	in := make([]gorgonia.Value, 0, len(keep))
	for _, c := range graph.Children(n) {
		in = append(in, c.Value())
	}
	if _, err := n.Op().Do(in...); err != nil {
		t.Errorf("%v: %v", n.Op(), err)
	}
	for i, v := range in {
		if !slices.Equal(floats(v), keep[i]) {
			t.Errorf("%v: Do changed input %d", n.Op(), i)
		}
	}
}

// checkImages runs an operator image by image: each must be the image of the whole batch. An input
// without the batch in front is a parameter, and belongs to every image.
func checkImages(t *testing.T, n *graph.Node, op graph.PerImage) {
	t.Helper()
	if n.Dims() < 2 {
		return
	}
	images, want := n.Shape()[0], floats(n.Value())
	for i := range images {
		var src [][]float32
		for _, c := range graph.Children(n) {
			v := floats(c.Value())
			if s := c.Shape(); len(s) >= 2 && s[0] == images {
				each := len(v) / images
				v = v[i*each : (i+1)*each]
			}
			src = append(src, v)
		}
		each := len(want) / images
		got := make([]float32, each)
		graph.Images(op, i, 1).Run32(got, src...)
		if !slices.Equal(got, want[i*each:(i+1)*each]) {
			t.Errorf("%v: image %d alone gives %v, in the batch %v", n.Op(), i, got, want[i*each:(i+1)*each])
		}
	}
}

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance*(1+math.Abs(b)) }
