package graph

import (
	"fmt"
	"math"
	"sync"

	"gorgonia.org/gorgonia"
)

// auxiliary is an auxiliary classifier: its logits [N, classes] and the weight of its loss.
type auxiliary struct {
	logits *Node
	weight float64
}

// gradMu serialises Grad: Gorgonia hashes constants that all graphs share.
var gradMu sync.Mutex

// Auxiliary gives logits [N, classes] of an auxiliary classifier (Szegedy et al. 2015) a loss of
// their own: the loss of the graph is the sum of that of Finish and of these, each times its
// weight. In Eval mode there are no losses and it does nothing.
func (b *Builder) Auxiliary(logits *Node, weight float64) {
	switch {
	case b.err != nil || b.mode == Eval:
	case logits == nil || len(logits.Shape()) != 2:
		b.fail("auxiliary", fmt.Errorf("logits must be [N classes]: %w", ErrShape))
	case !(weight > 0) || math.IsInf(weight, 1):
		b.fail("auxiliary", fmt.Errorf("weight %v; it must be finite and above 0", weight))
	default:
		b.auxiliary = append(b.auxiliary, auxiliary{logits, weight})
	}
}

// Finish completes the graph with logits [N, classes]. In Train mode it adds the labels and the
// mean softmax cross-entropy (with those of auxiliary classifiers) and differentiates it with
// respect to every parameter that is not frozen; the gradients consist of this package's operators,
// of Gorgonia's own Add where a tensor is used more than once, and of its constant 1 for dloss. The
// Builder cannot be used after it.
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
		Sequences: b.sequences, Frames: b.frames, Targets: b.opts.Targets,
	}
	if g.Targets != ClassTargets && g.Frames > 0 {
		b.fail("finish", fmt.Errorf("frames are trained towards their labels: %w", ErrShape))
		return nil, b.err
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
	shape := []int{g.LabelsLen()}
	if g.Targets != ClassTargets {
		shape = []int{g.N, g.Classes()}
	}
	g.Labels = b.leaf("labels", shape)
	if g.Frames > 0 {
		g.Loss = b.add("loss", &FrameCrossEntropy{N: g.N, T: g.Frames, K: g.Classes(), ID: b.id()}, g.Logits, g.Labels)
	} else {
		g.Loss = b.targetLoss(g, "loss", g.Logits, 0)
		for _, a := range b.auxiliary {
			loss := b.targetLoss(g, "auxiliary loss", a.logits, a.weight)
			g.Loss = b.add("loss", &Add{ID: b.id()}, g.Loss, loss)
		}
	}
	if b.err != nil {
		return
	}
	defer b.guard("grad")
	forward := append(gorgonia.Nodes(nil), g.G.AllNodes()...)
	g.drawn = map[*Node]bool{}
	for _, n := range forward {
		g.drawn[n] = true
	}
	var wrt []*Node
	var free []int // indices of the parameters
	for i, p := range g.Params {
		if b.opts.Frozen == nil || !b.opts.Frozen(p.Param.Name) {
			wrt, free = append(wrt, p.Node), append(free, i)
		}
	}
	if len(wrt) == 0 {
		b.fail("grad", fmt.Errorf("every parameter is frozen: %w", ErrParam))
		return
	}
	gradMu.Lock()
	defer gradMu.Unlock()
	grads, err := gorgonia.Grad(g.Loss, wrt...)
	if err != nil {
		b.fail("grad", err)
		return
	}
	for i, k := range free {
		g.Params[k].Grad = grads[i]
	}
	if err := verify(g, forward); err != nil {
		b.fail("grad", err)
	}
}
