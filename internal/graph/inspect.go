package graph

import (
	"fmt"
	"sort"

	"gorgonia.org/gorgonia"
)

// Children returns the inputs of a node in the order of its operator's arguments, repeated where an
// argument is.
func Children(n *Node) []*Node {
	it := n.Graph().From(n.ID())
	out := make([]*Node, 0, it.Len())
	for it.Next() {
		out = append(out, it.Node().(*Node))
	}
	return out
}

// IsSum reports whether a node is Gorgonia's own Add of two tensors, which Grad puts where a tensor
// is used more than once.
func IsSum(n *Node) bool {
	_, binary := n.Op().(gorgonia.BinaryOp)
	return binary && n.Op().String() == "+ false"
}

// IsOne reports whether a node is Gorgonia's constant 1, from which Grad starts.
func IsOne(n *Node) bool {
	return n.Op() != nil && n.Op().Arity() == 0 && n.IsScalar() && n.Value() != nil
}

// Sorted returns the nodes of the graph with every node after its inputs; nodes that nothing orders
// come by their age. The order is the same each time.
func (g *Graph) Sorted() ([]*Node, error) {
	nodes, err := gorgonia.Sort(g.G)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", g.Name, err)
	}
	out := make([]*Node, len(nodes))
	for i, n := range nodes {
		out[len(nodes)-1-i] = n
	}
	return out, nil
}

// verify proves that Gorgonia merged none of the sums that Grad made. apply has checked every
// operator of ours, but a sum has no ID: two of one shape whose 32-bit hashes are equal become one
// node, and a gradient is silently wrong. A node with k uses needs k-1 sums, each one of its own
// unless two nodes are used by the same additions.
func verify(g *Graph, forward gorgonia.Nodes) error {
	uses := map[*Node][]string{}
	for _, n := range forward {
		op, ok := n.Op().(gorgonia.SDOp)
		if !ok || n.Deriv() == nil {
			continue
		}
		inputs := Children(n)
		for i, d := range op.DiffWRT(len(inputs)) {
			if !d {
				continue
			}
			use := fmt.Sprintf("%d input %d", n.ID(), i)
			if _, ok := OpOf(n).(*Add); ok {
				use = fmt.Sprintf("gradient %d", n.Deriv().ID())
			}
			uses[inputs[i]] = append(uses[inputs[i]], use)
		}
	}
	want := map[string]bool{}
	for _, list := range uses {
		sort.Strings(list)
		for k := 2; k <= len(list); k++ {
			want[fmt.Sprint(list[:k])] = true
		}
	}
	got := 0
	for _, n := range g.G.AllNodes() {
		if n.Op() != nil && IsSum(n) {
			got++
		}
	}
	if got != len(want) {
		return fmt.Errorf("%w: %d sums of gradients, want %d; another batch size or order of layers changes the hashes",
			ErrCollision, got, len(want))
	}
	return nil
}
