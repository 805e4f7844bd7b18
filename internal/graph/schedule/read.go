package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel/conv"
)

// compiler turns a graph into steps; its passes are the methods that Compile calls.
type compiler struct {
	g *graph.Graph
	m *Machine
	// packRest is memory for packs that none has yet.
	packRest []float32

	// What read finds.
	nodes []*gorgonia.Node // inputs first
	in    map[*gorgonia.Node][]*gorgonia.Node
	users map[*gorgonia.Node][]*gorgonia.Node
	param map[*gorgonia.Node]*graph.Param

	// What fuse decides.
	fused     map[*gorgonia.Node]bool // nodes that the step of another one computes
	convGrads []*convGradients
	loose     []looseEpilogue

	// What lower makes.
	tensors map[*gorgonia.Node]*tensor
	norms   map[*gorgonia.Node]*norm // by the node of the statistics
	// utterances are the masked normalisations, by their operators' ID.
	utterances map[uint32]*utterance
	// direct are the parameters that steps read as they are: nothing is made of them that could be
	// out of date.
	direct  map[*graph.Param]bool
	buffers map[*gorgonia.Node][]float32 // results of reference operators that are not images
	steps   []*step
	packs   []pack
	// gradients says that the backward half is being lowered.
	gradients bool

	// What steps need of a worker, or of the machine, at most; in float32 values.
	need    conv.Need
	x, dy   int // padded images in cache
	y       int // results of convolutions in cache
	scratch int // of what works on strips or rows
	wide    wideSizes
	acc     int // accumulators of a weight gradient
	staging int // what the first stage of a step leaves for the second
}

// pack is a convolution's weights in the form that a pass wants.
type pack struct {
	pass   conv.Packer
	param  *graph.Param
	packed []float32
}

// packUnit is a part of a pack.
type packUnit struct {
	pack
	unit int
}

func newCompiler(g *graph.Graph, m *Machine) *compiler {
	c := &compiler{
		g: g, m: m, in: map[*gorgonia.Node][]*gorgonia.Node{}, users: map[*gorgonia.Node][]*gorgonia.Node{}, param: map[*gorgonia.Node]*graph.Param{},
		fused:   map[*gorgonia.Node]bool{},
		tensors: map[*gorgonia.Node]*tensor{}, norms: map[*gorgonia.Node]*norm{}, utterances: map[uint32]*utterance{},
		direct: map[*graph.Param]bool{}, buffers: map[*gorgonia.Node][]float32{},
	}
	for _, p := range g.Params {
		c.param[p.Node] = p.Param
	}
	return c
}

// read collects the nodes that the outputs depend on.
func (c *compiler) read() {
	seen := map[*gorgonia.Node]bool{}
	var visit func(n *gorgonia.Node)
	visit = func(n *gorgonia.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		if n.Op() != nil {
			c.in[n] = graph.Children(n)
			for _, child := range c.in[n] {
				visit(child)
				c.users[child] = append(c.users[child], n)
			}
		}
		c.nodes = append(c.nodes, n)
	}
	visit(c.g.Logits)
	if c.g.Mode == graph.Train {
		visit(c.g.Loss)
		for _, s := range c.g.Stats {
			visit(s.Node)
		}
		for _, p := range c.g.Params {
			if p.Grad != nil {
				visit(p.Grad)
			}
		}
	}
}

// backward reports whether a node belongs to the backward half.
func (c *compiler) backward(n *gorgonia.Node) bool { return !c.g.Forward(n) }
