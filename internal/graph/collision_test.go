package graph

import (
	"errors"
	"testing"

	"gorgonia.org/tensor"
)

func TestCollisionsAreErrors(t *testing.T) {
	t.Run("operator", func(t *testing.T) {
		b := NewBuilder("net", Train, NewParamSet(1), Options{})
		x := b.Input(1, 1, 2, 2)
		if _, err := Apply(&ReLU{ID: 7}, x); err != nil {
			t.Fatal(err)
		}
		if _, err := Apply(&ReLU{ID: 7}, x); !errors.Is(err, ErrCollision) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("sum of gradients", func(t *testing.T) {
		g := smallNet(t, Train, tensor.Float32, NewParamSet(1), padSides)
		if err := verify(g, g.G.AllNodes()); err != nil {
			t.Fatalf("a sound graph: %v", err)
		}
		for _, n := range g.G.AllNodes() {
			if n.Op() != nil && IsSum(n) {
				g.G.RemoveNode(n) // as if it had merged into the other
				break
			}
		}
		if err := verify(g, g.G.AllNodes()); !errors.Is(err, ErrCollision) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("inputs of one hash on the tape", func(t *testing.T) {
		params := NewParamSet(1)
		b := NewBuilder("net", Eval, params, Options{})
		o := ConvOpts{Filters: 1, Kernel: 1, Stride: 1}
		x := b.Conv("conv2176240", b.Conv("conv1437786", b.Input(1, 1, 2, 2), o), o)
		g, err := b.Finish(b.GlobalAvgPool(x))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewTape(g, params); !errors.Is(err, ErrCollision) {
			t.Errorf("got %v; do the two weights still have one hash?", err)
		}
	})
}

func TestSharedAdditionsAreNoCollision(t *testing.T) {
	params := NewParamSet(1)
	b := NewBuilder("net", Train, params, Options{})
	in := b.Input(2, 2, 3, 3)
	o := ConvOpts{Filters: 2, Kernel: 1, Stride: 1}
	x, y := b.Conv("a", in, o), b.Conv("b", in, o)
	// Both sums of gradients are dp + dq: one node, rightly.
	p, q := b.Add(x, y), b.Add(x, y)
	if _, err := b.Finish(b.Linear("fc", b.GlobalAvgPool(b.Concat(b.ReLU(p), b.Sigmoid(q))), 2)); err != nil {
		t.Error(err)
	}
}

// Operators of two types, with fields of the same values, are different expressions; so are lists
// of the same numbers cut in another place.
func TestTheHashTellsTypesAndListsApart(t *testing.T) {
	seen := map[uint32]string{}
	for name, op := range map[string]Operator{
		"ReLU": &ReLU{ID: 1}, "Sigmoid": &Sigmoid{ID: 1}, "Add": &Add{ID: 1}, "ReLUGrad": &ReLUGrad{ID: 1},
		"BatchStats": &BatchStats{ID: 1}, "ChannelBias": &ChannelBias{ID: 1},
		"Concat 1 23": &Concat{Channels: []int{1, 23}}, "Concat 12 3": &Concat{Channels: []int{12, 3}},
		"Concat 1 2 3": &Concat{Channels: []int{1, 2, 3}},
	} {
		h := AsOp(op).Hashcode()
		if other, ok := seen[h]; ok {
			t.Errorf("%s and %s have one hash", name, other)
		}
		seen[h] = name
	}
	a, b := &Dropout{P: 0.5, State: &DropoutState{Seed: 1}}, &Dropout{P: 0.5, State: &DropoutState{Seed: 2}}
	if AsOp(a).Hashcode() != AsOp(b).Hashcode() {
		t.Error("the hash depends on where the shared state is")
	}
}
