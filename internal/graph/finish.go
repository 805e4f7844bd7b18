package graph

import (
	"fmt"
	"sync"

	"gorgonia.org/gorgonia"
)

// gradMu serialises Grad: Gorgonia hashes constants that all graphs share.
var gradMu sync.Mutex

// Finish completes the graph with logits [N, classes]. In Train mode it adds the labels and the mean softmax cross-entropy
// and differentiates it with respect to every trainable parameter; the gradients consist of this package's operators, of Gorgonia's
// own Add where a tensor is used more than once, and of its constant 1 for dloss. The Builder cannot be used after it.
func (b *Builder) Finish(logits *Node) (*Graph, error) {
	if b.err != nil {
		return nil, b.err
	}
	if b.input == nil || logits == nil {
		b.fail("finish", fmt.Errorf("a network needs an input and logits: %w", ErrShape))
		return nil, b.err
	}
	n := b.input.Shape()[0]
	if s := logits.Shape(); len(s) != 2 || s[0] != n {
		b.fail("finish", fmt.Errorf("logits have shape %v, want [%d classes]: %w", []int(s), n, ErrShape))
		return nil, b.err
	}
	g := &Graph{
		Name: b.name, G: b.g, Dtype: b.opts.Dtype, N: n, Mode: b.mode,
		Input: b.input, Logits: logits, Params: b.used, Stats: b.stats, Dropout: b.dropout,
		Sequences: b.sequences, Frames: b.frames,
	}
	if b.mode == Train {
		b.differentiate(g)
	}
	if b.err != nil {
		return nil, b.err
	}
	return g, nil
}

// differentiate adds labels, loss and gradients.
func (b *Builder) differentiate(g *Graph) {
	g.Labels = b.leaf("labels", []int{g.LabelsLen()})
	if g.Frames > 0 {
		g.Loss = b.add("loss", &FrameCrossEntropy{N: g.N, T: g.Frames, K: g.Classes(), ID: b.id()}, g.Logits, g.Labels)
	} else {
		g.Loss = b.add("loss", &SoftmaxCrossEntropy{N: g.N, K: g.Classes(), ID: b.id()}, g.Logits, g.Labels)
	}
	if b.err != nil {
		return
	}
	defer b.guard("grad")
	forward := append(gorgonia.Nodes(nil), g.G.AllNodes()...)
	wrt := make([]*Node, len(g.Params))
	for i, p := range g.Params {
		wrt[i] = p.Node
	}
	gradMu.Lock()
	defer gradMu.Unlock()
	grads, err := gorgonia.Grad(g.Loss, wrt...)
	if err != nil {
		b.fail("grad", err)
		return
	}
	for i := range g.Params {
		g.Params[i].Grad = grads[i]
	}
	if err := verify(g, forward); err != nil {
		b.fail("grad", err)
	}
}
