package blocks

import (
	"fmt"

	"resnet/internal/graph"
)

// Divided is a network whose first layers are not trained, as two graphs: what Below computes of
// the images, a row of features each, is the input of Above. Below is in Eval mode, with running
// statistics; Above is what is trained, or its evaluation.
type Divided struct{ Below, Above *graph.Graph }

// BuildDivided draws s for batches of n images, divided at the lowest layer with a parameter that
// is not frozen; mode is that of Above. It fails with ErrSpec if a frozen layer stands behind a
// trained one, or if nothing is frozen in front of it.
func BuildDivided(s Spec, n int, mode graph.Mode, params *graph.ParamSet, o graph.Options) (Divided, error) {
	if err := s.Validate(); err != nil {
		return Divided{}, err
	}
	if s.Family == FamilySpeech || o.Frozen == nil {
		return Divided{}, fmt.Errorf("architecture %q: %w: no first layers that are frozen", s.Name, ErrSpec)
	}
	o = s.options(o, params)
	d := &division{n: n, frozen: o.Frozen}
	d.low = graph.NewBuilder(s.Name, graph.Eval, params, s.options(graph.Options{}, params))
	d.high = graph.NewBuilder(s.Name, mode, params, o)
	x := d.low.Input(n, s.InputChannels, s.InputSize, s.InputSize)
	logits := forward[*graph.Node](dividedNet{d: d, low: builderNet{b: d.low}, high: dropPaths(builderNet{b: d.high}, d.high, s)}, s, x)
	switch {
	case d.low.Err() != nil:
		return Divided{}, d.low.Err()
	case d.err != nil:
		return Divided{}, fmt.Errorf("architecture %q: %w: %w", s.Name, ErrSpec, d.err)
	case d.at == nil || d.at == x:
		return Divided{}, fmt.Errorf("architecture %q: %w: no first layers that are frozen", s.Name, ErrSpec)
	}
	features := d.at
	if len(features.Shape()) == 4 {
		features = d.low.Flatten(features)
	}
	below, err := d.low.Finish(features)
	if err != nil {
		return Divided{}, err
	}
	above, err := d.high.Finish(logits)
	return Divided{below, above}, err
}

// division is the state of a drawing in two graphs.
type division struct {
	n         int
	frozen    func(name string) bool
	low, high *graph.Builder
	at        *graph.Node // of low: where the two meet
	input     *graph.Node // of high: the same
	err       error
}

// dividedNet draws what stands behind frozen layers alone below, and the rest above.
type dividedNet struct {
	d         *division
	low, high net[*graph.Node]
	scope     string
}

func (n dividedNet) In(scope string) net[*graph.Node] {
	return dividedNet{n.d, n.low.In(scope), n.high.In(scope), n.scope + scope + "."}
}

// place says where an operation on xs belongs, and gives it its inputs there; layer is its name
// where it has parameters.
func (n dividedNet) place(layer string, xs ...*graph.Node) (net[*graph.Node], []*graph.Node) {
	d, frozen := n.d, true
	below := true
	for _, x := range xs {
		below = below && d.isLow(x)
	}
	switch {
	case layer != "": // a layer has a weight, whatever else it has
		frozen = d.frozen(n.scope + layer + ".weight")
	case n.scope != "": // a part of a block, such as its shortcut, goes with the block
		frozen = d.frozen(n.scope + "weight")
	}
	if below && frozen {
		return n.low, xs
	}
	if layer != "" && frozen && d.err == nil {
		d.err = fmt.Errorf("%s is frozen, and something in front of it is trained", n.scope+layer)
	}
	for i, x := range xs {
		if d.isLow(x) {
			xs[i] = d.lift(x)
		}
	}
	return n.high, xs
}

// isLow reports whether a node is below; a nil one is an error of either Builder, told later.
func (d *division) isLow(x *graph.Node) bool { return x != nil && d.low.Owns(x) }

// lift is the input of the upper graph for the lower one's node x; there is one.
func (d *division) lift(x *graph.Node) *graph.Node {
	if d.at != nil && d.at != x && d.err == nil {
		d.err = fmt.Errorf("the trained layers read more than one of the frozen ones")
	}
	if d.at == nil {
		d.at = x
		shape := append([]int(nil), x.Shape()...)
		for len(shape) < 4 {
			shape = append(shape, 1)
		}
		d.input = d.high.Input(shape[0], shape[1], shape[2], shape[3])
		if len(x.Shape()) == 2 {
			d.input = d.high.Flatten(d.input)
		}
	}
	return d.input
}

func (n dividedNet) Conv(name string, x *graph.Node, o convOpts) *graph.Node {
	at, in := n.place(name, x)
	return at.Conv(name, in[0], o)
}

func (n dividedNet) BatchNorm(name string, x *graph.Node) *graph.Node {
	at, in := n.place(name, x)
	return at.BatchNorm(name, in[0])
}

func (n dividedNet) ReLU(x *graph.Node) *graph.Node {
	at, in := n.place("", x)
	return at.ReLU(in[0])
}

func (n dividedNet) Add(a, b *graph.Node) *graph.Node {
	at, in := n.place("", a, b)
	return at.Add(in[0], in[1])
}

func (n dividedNet) ShortcutPad(x *graph.Node, filters, stride int, sides bool) *graph.Node {
	at, in := n.place("", x)
	return at.ShortcutPad(in[0], filters, stride, sides)
}

func (n dividedNet) Excite(x, s *graph.Node) *graph.Node {
	at, in := n.place("", x, s)
	return at.Excite(in[0], in[1])
}

func (n dividedNet) ChannelLinear(name string, x *graph.Node, units int) *graph.Node {
	at, in := n.place(name, x)
	return at.ChannelLinear(name, in[0], units)
}

func (n dividedNet) MaxPool(name string, x *graph.Node, o graph.PoolOpts) *graph.Node {
	at, in := n.place("", x)
	return at.MaxPool(name, in[0], o)
}

func (n dividedNet) GlobalAvgPool(x *graph.Node) *graph.Node {
	at, in := n.place("", x)
	return at.GlobalAvgPool(in[0])
}

func (n dividedNet) Linear(name string, x *graph.Node, units int) *graph.Node {
	at, in := n.place(name, x)
	return at.Linear(name, in[0], units)
}

func (n dividedNet) Classifier(name string, x *graph.Node, classes int) *graph.Node {
	at, in := n.place(name, x)
	return at.Classifier(name, in[0], classes)
}

func (n dividedNet) PReLU(name string, x *graph.Node) *graph.Node {
	at, in := n.place(name, x)
	return at.PReLU(name, in[0])
}

func (n dividedNet) LRN(name string, x *graph.Node, o graph.LRNOpts) *graph.Node {
	at, in := n.place("", x)
	return at.LRN(name, in[0], o)
}

func (n dividedNet) AvgPool(name string, x *graph.Node, o graph.PoolOpts) *graph.Node {
	at, in := n.place("", x)
	return at.AvgPool(name, in[0], o)
}

func (n dividedNet) Flatten(x *graph.Node) *graph.Node {
	at, in := n.place("", x)
	return at.Flatten(in[0])
}

func (n dividedNet) Pyramid(name string, x *graph.Node, levels []int) *graph.Node {
	at, in := n.place("", x)
	return at.Pyramid(name, in[0], levels)
}

func (n dividedNet) Dropout(name string, x *graph.Node, rate float64) *graph.Node {
	at, in := n.place("", x)
	return at.Dropout(name, in[0], rate)
}

func (n dividedNet) Concat(xs ...*graph.Node) *graph.Node {
	at, in := n.place("", append([]*graph.Node(nil), xs...)...)
	return at.Concat(in...)
}

// Auxiliary classifiers belong above, whatever they are drawn on.
func (n dividedNet) Auxiliary(name string, weight float64, draw func(net[*graph.Node]) *graph.Node) {
	if n.d.high.Mode() != graph.Train {
		return
	}
	logits := draw(n.In(name))
	if n.d.isLow(logits) {
		return // all of it is frozen: its loss trains nothing
	}
	n.d.high.Auxiliary(logits, weight)
}

// Networks of speech are not divided.

func (n dividedNet) UtteranceNorm(name string, x *graph.Node, eps float64) *graph.Node {
	return n.high.UtteranceNorm(name, x, eps)
}

func (n dividedNet) ELU(x *graph.Node) *graph.Node {
	at, in := n.place("", x)
	return at.ELU(in[0])
}

func (n dividedNet) Sigmoid(x *graph.Node) *graph.Node {
	at, in := n.place("", x)
	return at.Sigmoid(in[0])
}

func (n dividedNet) FrequencyLinear(name string, x *graph.Node) *graph.Node {
	return n.high.FrequencyLinear(name, x)
}

func (n dividedNet) LSTM(name string, gates *graph.Node, reverse bool) *graph.Node {
	return n.high.LSTM(name, gates, reverse)
}

func (n dividedNet) FrameClassifier(name string, x *graph.Node, classes int) *graph.Node {
	return n.high.FrameClassifier(name, x, classes)
}

// BuildFor is Build in Train mode with options of the training: frozen parameters and the kind of
// targets.
func BuildFor(s Spec, n int, params *graph.ParamSet, o graph.Options) (*graph.Graph, error) {
	return build(s, n, graph.Train, params, o)
}
