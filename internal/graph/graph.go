package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Graph is a network for one batch shape and one mode, differentiated in Train mode. It holds no
// values: a Machine binds those of a ParamSet. Nodes belong to one Graph; a Graph is run by one
// Machine at a time.
type Graph struct {
	Name  string
	G     *gorgonia.ExprGraph
	Dtype tensor.Dtype
	N     int // images in a batch
	Mode  Mode

	Input *Node // [N, C, H, W]
	// [N], class indices as numbers of Dtype, or targets [N, classes]; nil in Eval mode.
	Labels *Node
	Logits *Node // [N, classes]
	Loss   *Node // scalar; nil in Eval mode

	// Params are the parameters that the graph reads, in the order of their creation; in Eval mode
	// the running statistics too.
	Params []ParamNode
	// Stats are the batch statistics of each batch normalisation, in forward order; empty in Eval
	// mode.
	Stats []StatsNode
	// Dropout keys the masks; nil without dropout and in Eval mode.
	Dropout *DropoutState
	// Sequences are the lengths of the utterances, which the caller of a Machine sets before each
	// call; nil for networks of images.
	Sequences *Sequences
	// Frames is the number of frames of an utterance in a network that classifies frames, and 0 in
	// others. With it, Labels is [N·Frames], -1 where a frame has no label, and Logits is [N,
	// Frames·classes].
	Frames int
	// Targets says what Labels holds.
	Targets Targets

	// drawn are the nodes that were there before differentiation; nil in Eval mode, where all were.
	drawn map[*Node]bool
}

// Forward reports whether a node belongs to the forward half: what was drawn, labels and loss. The
// rest is what Grad added.
func (g *Graph) Forward(n *Node) bool { return g.drawn == nil || g.drawn[n] }

// ParamNode is a parameter's place in a Graph.
type ParamNode struct {
	Param *Param
	Node  *Node
	Grad  *Node // same shape; nil in Eval mode, and where Options.Frozen says so
}

// StatsNode is a layer's batch statistics: Node is [2, C], mean and biased variance over Count
// values. The machine folds them into the running statistics: running = (1-m)·running + m·batch,
// m being Param.Momentum, with the unbiased variance, Count/(Count-1) times the biased one.
type StatsNode struct {
	Name      string
	Node      *Node
	Mean, Var *Param
	Count     int
}

// Classes is the number of logits of an image, or of a frame.
func (g *Graph) Classes() int { return g.LogitsLen() / max(g.Frames, 1) }

// LogitsLen is the number of logits of an image, with those of all its frames.
func (g *Graph) LogitsLen() int { return g.Logits.Shape()[1] }

// LabelsLen is the number of labels of a batch.
func (g *Graph) LabelsLen() int { return g.N * max(g.Frames, 1) }

// CheckLabel fails for a label that is no class, in place i of a batch.
func (g *Graph) CheckLabel(i int, label int32) error {
	least := int32(0)
	what := "image"
	if g.Frames > 0 {
		least, what = -1, "frame"
	}
	if label < least || int(label) >= g.Classes() {
		return fmt.Errorf("%s: label %d of %s %d; there are %d classes: %w", g.Name, label, what, i, g.Classes(), ErrShape)
	}
	return nil
}

// ImageLen is the number of values of an input image.
func (g *Graph) ImageLen() int { return g.Input.Shape().TotalSize() / g.N }

// Fold updates a layer's running statistics from batch statistics [2, C] with momentum m.
func (s StatsNode) Fold(stats []float32, m float64) {
	c := len(s.Mean.Data)
	unbias := 1.0
	if s.Count > 1 {
		unbias = float64(s.Count) / float64(s.Count-1)
	}
	for i := range c {
		s.Mean.Data[i] = float32((1-m)*float64(s.Mean.Data[i]) + m*float64(stats[i]))
		s.Var.Data[i] = float32((1-m)*float64(s.Var.Data[i]) + m*float64(stats[c+i])*unbias)
	}
}
