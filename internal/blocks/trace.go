package blocks

import (
	"fmt"

	"resnet/internal/graph"
)

// Layer is one operation of a net, for one image.
type Layer struct {
	Name string `json:"name"` // as its parameters are named: "layer1.0.conv1"
	// Type is conv, bn, relu, add, shortcut-pad, maxpool, gap, linear; excite; prelu, lrn, avgpool,
	// flatten, pyramid, dropout, concat; elu, sigmoid; utterance-norm, frequency-linear, lstm.
	Type   string   `json:"type"`
	Detail string   `json:"detail,omitempty"`
	Inputs []string `json:"inputs"` // names of layers, or "input"
	// Output is [channels, height, width], or [channels] after pooling; of one frame of an
	// utterance [channels, height].
	Output []int `json:"output"`
	Params int64 `json:"params"` // trainable values
	MACs   int64 `json:"macs"`   // multiply-adds; zero for all but conv and linear
	// Training says that evaluation leaves the layer out: it belongs to an auxiliary classifier.
	Training bool `json:"training_only,omitempty"`

	// Window is that of a convolution or pooling, LRN are the constants of a normalisation, Levels
	// those of a pyramid.
	Window Window        `json:"-"`
	Groups int           `json:"-"` // of a convolution, at least 1
	LRN    graph.LRNOpts `json:"-"`
	Levels []int         `json:"-"`
	// Shapes are those of the parameters and running statistics, by the last part of their names.
	Shapes map[string][]int `json:"-"`
}

// Window is the geometry of a convolution or pooling.
type Window struct {
	Kernel, Stride, Pad int
	Ceil                bool
	End                 int  // zeros at the end besides Pad, of a convolution
	ExcludePad          bool // zeros around do not count in a mean
	RowsOnly            bool // the stride is of rows alone, so that frames keep their places
}

// trace lists the layers of s in forward order. s must be valid.
func trace(s Spec) []Layer {
	return traced(s).layers
}

// traced draws s for one image, or for one frame of an utterance.
func traced(s Spec) *tracer {
	t := &tracer{names: map[string]int{}}
	forward[at](tracerNet{t: t}, s, s.input())
	return t
}

func (s Spec) input() at {
	x := at{name: "input", c: s.InputChannels, hw: s.InputSize}
	if s.Family == FamilySpeech {
		x.hw, x.frame = s.Speech.Features, true
	}
	return x
}

// at is a place in a traced net: the layer that made it, and its shape. hw 0 means [c].
type at struct {
	name  string
	c, hw int
	// frame says that the map is that of one frame: [c, hw] instead of [c, hw, hw].
	frame bool
}

// sized is the place with c channels on maps of another size.
func (x at) sized(c, hw int) at { return at{c: c, hw: hw, frame: x.frame} }

// area is the number of values of a channel.
func (x at) area() int64 {
	if x.frame {
		return int64(x.hw)
	}
	return int64(x.hw) * int64(x.hw)
}

func (x at) shape() []int {
	switch {
	case x.hw == 0:
		return []int{x.c}
	case x.frame:
		return []int{x.c, x.hw}
	}
	return []int{x.c, x.hw, x.hw}
}

// tracer collects layers; tracerNet is its view from one scope.
type tracer struct {
	layers []Layer
	names  map[string]int // how many layers have asked for a name
	// wrong is the first thing that makes the net impossible to build, or "".
	wrong string
}

type tracerNet struct {
	t        *tracer
	scope    string // with its trailing dot
	training bool
}

// fail keeps the first thing that is wrong.
func (n tracerNet) fail(name, format string, args ...any) {
	if n.t.wrong == "" {
		n.t.wrong = n.scope + name + ": " + fmt.Sprintf(format, args...)
	}
}

// add records a layer and returns its output. A layer without parameters takes the next free of its
// name: relu, relu2, relu3.
func (n tracerNet) add(l Layer, out at, from ...at) at {
	name := l.Name
	n.t.names[n.scope+name]++
	if count := n.t.names[n.scope+name]; count > 1 {
		l.Name = fmt.Sprintf("%s%d", name, count)
		if l.Params > 0 {
			n.fail(name, "two layers of this name")
		}
	}
	if out.c > maxFeatures || out.hw < 0 {
		n.fail(name, "%d features on maps of %d pixels", out.c, out.hw)
		out = at{c: 1, hw: 1}
	}
	l.Name, l.Training = n.scope+l.Name, n.training
	for _, f := range from {
		l.Inputs = append(l.Inputs, f.name)
	}
	l.Output = out.shape()
	n.t.layers = append(n.t.layers, l)
	out.name = l.Name
	return out
}

// onMap requires x to be [C, H, W] with room for a window.
func (n tracerNet) onMap(name string, x at, w Window) at {
	if x.hw < 1 || w.Kernel > x.hw+2*w.Pad+w.End {
		n.fail(name, "a window of %d pixels on maps of %d", w.Kernel, x.hw)
		x.hw = max(w.Kernel, 1)
	}
	return x
}

func (n tracerNet) In(scope string) net[at] {
	return tracerNet{n.t, n.scope + scope + ".", n.training}
}

func (n tracerNet) Conv(name string, x at, o convOpts) at {
	w := Window{Kernel: o.kernel, Stride: o.stride, RowsOnly: o.rowsOnly}
	w.Pad, w.End = o.padding()
	x = n.onMap(name, x, w)
	out := x.sized(o.filters, w.places(x.hw))
	groups := max(1, o.groups)
	if x.c%groups != 0 || o.filters%groups != 0 {
		n.fail(name, "%d and %d channels in %d groups", x.c, o.filters, groups)
	}
	per := x.c / groups
	weights := int64(o.filters) * int64(per) * int64(o.kernel) * int64(o.kernel)
	l := Layer{
		Name: name, Type: "conv", Detail: window(o.kernel, o.stride), Params: weights, MACs: weights * out.area(),
		Window: w, Groups: groups, Shapes: map[string][]int{"weight": {o.filters, per, o.kernel, o.kernel}},
	}
	if groups > 1 {
		l.Detail += fmt.Sprintf(", %d groups", groups)
	}
	if o.rowsOnly && o.stride > 1 {
		l.Detail += "x1"
	}
	if o.bias {
		l.Params += int64(o.filters)
		l.Shapes["bias"] = []int{o.filters}
	}
	return n.add(l, out, x)
}

func (n tracerNet) BatchNorm(name string, x at) at {
	c := []int{x.c}
	return n.add(Layer{
		Name: name, Type: "bn", Params: 2 * int64(x.c),
		Shapes: map[string][]int{"weight": c, "bias": c, "running_mean": c, "running_var": c},
	}, n.onMap(name, x, Window{}), x)
}

func (n tracerNet) ReLU(x at) at { return n.add(Layer{Name: "relu", Type: "relu"}, x, x) }

func (n tracerNet) Add(a, b at) at { return n.add(Layer{Name: "add", Type: "add"}, a, a, b) }

func (n tracerNet) ShortcutPad(x at, filters, stride int, sides bool) at {
	where := "end"
	if sides {
		where = "sides"
	}
	return n.add(Layer{Name: "pad", Type: "shortcut-pad", Detail: fmt.Sprintf("/%d, zeros at %s", stride, where)},
		at{c: filters, hw: (x.hw-1)/stride + 1}, x)
}

func (n tracerNet) Excite(x, s at) at { return n.add(Layer{Name: "scale", Type: "excite"}, x, x, s) }

func (n tracerNet) ChannelLinear(name string, x at, units int) at {
	y := n.Linear(name, x, units)
	n.t.layers[len(n.t.layers)-1].Shapes["weight"] = []int{units, x.c, 1, 1}
	return y
}

func (n tracerNet) MaxPool(name string, x at, o graph.PoolOpts) at {
	return n.pool("maxpool", name, x, o)
}

func (n tracerNet) AvgPool(name string, x at, o graph.PoolOpts) at {
	return n.pool("avgpool", name, x, o)
}

func (n tracerNet) pool(kind, name string, x at, o graph.PoolOpts) at {
	if name == "" {
		name = kind
	}
	w := Window{Kernel: o.Kernel, Stride: o.Stride, Pad: o.Pad, Ceil: o.Ceil, ExcludePad: o.ExcludePad}
	x = n.onMap(name, x, w)
	detail := window(o.Kernel, o.Stride)
	if o.Ceil {
		detail += ", rounded up"
	}
	return n.add(Layer{Name: name, Type: kind, Detail: detail, Window: w}, at{c: x.c, hw: w.places(x.hw)}, x)
}

func (n tracerNet) GlobalAvgPool(x at) at {
	return n.add(Layer{Name: "avgpool", Type: "gap"}, at{c: x.c}, n.onMap("avgpool", x, Window{}))
}

func (n tracerNet) Linear(name string, x at, units int) at {
	if x.hw > 0 {
		n.fail(name, "a fully connected layer on maps; flatten or pool them first")
	}
	weights := int64(x.c) * int64(units)
	return n.add(Layer{
		Name: name, Type: "linear", Params: weights + int64(units), MACs: weights,
		Shapes: map[string][]int{"weight": {units, x.c}, "bias": {units}},
	}, at{c: units}, x)
}

func (n tracerNet) Classifier(name string, x at, classes int) at { return n.Linear(name, x, classes) }

func (n tracerNet) PReLU(name string, x at) at {
	return n.add(Layer{Name: name, Type: "prelu", Params: int64(x.c), Shapes: map[string][]int{"weight": {x.c}}}, x, x)
}

func (n tracerNet) LRN(name string, x at, o graph.LRNOpts) at {
	if name == "" {
		name = "lrn"
	}
	return n.add(Layer{Name: name, Type: "lrn", Detail: fmt.Sprintf("%d channels", o.Size), LRN: o}, n.onMap(name, x, Window{}), x)
}

func (n tracerNet) Flatten(x at) at {
	return n.add(Layer{Name: "flatten", Type: "flatten"}, at{c: x.c * x.hw * x.hw}, n.onMap("flatten", x, Window{}))
}

func (n tracerNet) Pyramid(name string, x at, levels []int) at {
	x = n.onMap(name, x, Window{})
	bins := 0
	for _, level := range levels {
		if graph.PyramidBins(x.hw, level) != level {
			n.fail(name, "maps of %d pixels have no pyramid level of %dx%d", x.hw, level, level)
		}
		bins += level * level
	}
	return n.add(Layer{Name: name, Type: "pyramid", Detail: fmt.Sprint(levels), Levels: levels}, at{c: x.c * bins}, x)
}

func (n tracerNet) Dropout(name string, x at, rate float64) at {
	if rate == 0 { // as in the graph
		return x
	}
	return n.add(Layer{Name: name, Type: "dropout", Detail: fmt.Sprintf("%g %%", 100*rate)}, x, x)
}

func (n tracerNet) Concat(xs ...at) at {
	out := xs[0].sized(0, xs[0].hw)
	for _, x := range xs {
		if x.hw != out.hw || x.hw < 1 {
			n.fail("concat", "branches with maps of %d and %d pixels", out.hw, x.hw)
		}
		out.c += x.c
	}
	return n.add(Layer{Name: "concat", Type: "concat"}, out, xs...)
}

func (n tracerNet) Auxiliary(name string, _ float64, draw func(net[at]) at) {
	draw(tracerNet{n.t, n.scope + name + ".", true})
}

func (n tracerNet) UtteranceNorm(name string, x at, _ float64) at {
	c := []int{x.c}
	return n.add(Layer{Name: name, Type: "utterance-norm", Params: 2 * int64(x.c), Shapes: map[string][]int{"weight": c, "bias": c}}, x, x)
}

func (n tracerNet) ELU(x at) at { return n.add(Layer{Name: "elu", Type: "elu"}, x, x) }

func (n tracerNet) Sigmoid(x at) at { return n.add(Layer{Name: "sigmoid", Type: "sigmoid"}, x, x) }

func (n tracerNet) FrequencyLinear(name string, x at) at {
	return n.add(Layer{
		Name: name, Type: "frequency-linear", Params: int64(x.hw) + 1, MACs: int64(x.c) * x.area(),
		Shapes: map[string][]int{"weight": {x.hw}, "bias": {1}},
	}, x.sized(x.c, 1), x)
}

func (n tracerNet) LSTM(name string, gates at, reverse bool) at {
	units, direction := gates.c/4, "forward"
	if reverse {
		direction = "backward"
	}
	weights := int64(gates.c) * int64(units)
	return n.add(Layer{Name: name, Type: "lstm", Detail: direction, Params: weights, MACs: weights, Shapes: map[string][]int{"weight": {gates.c, units}}},
		gates.sized(units, gates.hw), gates)
}

func (n tracerNet) FrameClassifier(name string, x at, classes int) at {
	y := n.Linear(name, at{name: x.name, c: x.c}, classes)
	n.t.layers[len(n.t.layers)-1].Shapes["weight"] = []int{classes, x.c, 1, 1}
	return y
}

// places is the number of places of a window on a line of size pixels.
func (w Window) places(size int) int {
	return graph.PoolShape{H: size + w.End, Kernel: w.Kernel, Stride: w.Stride, Pad: w.Pad, Ceil: w.Ceil}.OutH()
}

func window(kernel, stride int) string {
	if stride == 1 {
		return fmt.Sprintf("%dx%d", kernel, kernel)
	}
	return fmt.Sprintf("%dx%d /%d", kernel, kernel, stride)
}
