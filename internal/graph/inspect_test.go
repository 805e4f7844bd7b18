package graph

import (
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// The gradients of a residual net consist of this package's operators, of Gorgonia's sum where a
// tensor is used twice and of its constant 1: what package schedule can lower.
func TestGradientsOfAResidualNetHoldNoForeignOperators(t *testing.T) {
	g := smallNet(t, Train, tensor.Float32, NewParamSet(1), padSides)
	sums := 0
	for _, n := range g.G.AllNodes() {
		switch {
		case n.Op() == nil, OpOf(n) != nil, IsOne(n):
		case IsSum(n):
			sums++
		default:
			t.Errorf("node %s is a %T", n.Name(), n.Op())
		}
	}
	if sums != 2 { // one for each block
		t.Errorf("%d sums, want 2", sums)
	}
	for _, p := range g.Params {
		if !sameShape(p.Grad.Shape(), p.Node.Shape()) {
			t.Errorf("gradient of %s has shape %v, want %v", p.Param.Name, p.Grad.Shape(), p.Node.Shape())
		}
	}
	for _, n := range g.G.AllNodes() {
		if op, ok := OpOf(n).(*ConvInputGrad); ok && op.C == 2 {
			t.Error("the gradient with respect to the input image is computed")
		}
	}
}

func TestSortedPutsInputsFirst(t *testing.T) {
	g := smallNet(t, Train, tensor.Float32, NewParamSet(1), projection)
	nodes, err := g.Sorted()
	if err != nil {
		t.Fatal(err)
	}
	if len(nodes) != len(g.G.AllNodes()) {
		t.Fatalf("%d nodes, want %d", len(nodes), len(g.G.AllNodes()))
	}
	done := map[*Node]bool{}
	for _, n := range nodes {
		for _, c := range Children(n) {
			if !done[c] {
				t.Errorf("%s comes before its input %s", n.Name(), c.Name())
			}
		}
		done[n] = true
	}
}

func TestChildrenRepeatsARepeatedInput(t *testing.T) {
	b := NewBuilder("net", Eval, NewParamSet(1), Options{})
	x := b.Input(1, 1, 2, 2)
	y := b.Add(x, x)
	if in := Children(y); len(in) != 2 || in[0] != x || in[1] != x {
		t.Errorf("children %v", in)
	}
}

// Of all nodes one is the constant 1: no input, no operator of ours, no sum, and not the loss,
// which is a scalar too.
func TestOneNodeIsTheOneThatGradStartsFrom(t *testing.T) {
	g := smallNet(t, Train, tensor.Float32, NewParamSet(1), padSides)
	ones := 0
	for _, n := range g.G.AllNodes() {
		if !IsOne(n) {
			continue
		}
		ones++
		if OpOf(n) != nil || IsSum(n) || n.Value().Data() != any(float32(1)) {
			t.Errorf("%s holds %v", n.Name(), n.Value())
		}
	}
	if ones != 1 {
		t.Errorf("%d nodes are the constant 1, want one", ones)
	}
	if OpOf(g.Loss) == nil || OpOf(g.Input) != nil || OpOf(g.Labels) != nil {
		t.Error("OpOf of the loss or of an input")
	}
	// A scalar input with a value is no constant.
	if n := gorgonia.NewScalar(gorgonia.NewGraph(), tensor.Float32, gorgonia.WithName("s"), gorgonia.WithValue(float32(1))); IsOne(n) || IsSum(n) {
		t.Error("an input is taken for the constant")
	}
}
