package blocks

import "fmt"

// Layer is one operation of a net, for one image.
type Layer struct {
	Name   string   `json:"name"` // as its parameters are named: "layer1.0.conv1"
	Type   string   `json:"type"` // conv, bn, relu, add, shortcut-pad, maxpool, gap, linear
	Detail string   `json:"detail,omitempty"`
	Inputs []string `json:"inputs"` // names of layers, or "input"
	Output []int    `json:"output"` // [channels, height, width], or [channels] after pooling
	Params int64    `json:"params"` // trainable values
	MACs   int64    `json:"macs"`   // multiply-adds; zero for all but conv and linear
}

// trace lists the layers of s in forward order. s must be valid.
func trace(s Spec) []Layer {
	if s.Family == FamilySpeech {
		return sequenceNet{s: s}.layers()
	}
	t := &tracer{}
	input := at{name: "input", c: s.InputChannels, hw: s.InputSize}
	forward[at](tracerNet{t, ""}, s, input)
	return t.layers
}

// at is a place in a traced net: the layer that made it, and its shape. hw 0 means [c].
type at struct {
	name  string
	c, hw int
}

// tracer collects layers; tracerNet is its view from one scope.
type tracer struct{ layers []Layer }

type tracerNet struct {
	t     *tracer
	scope string // with its trailing dot
}

// add records a layer and returns its output.
func (n tracerNet) add(l Layer, out at, from ...at) at {
	l.Name = n.scope + l.Name
	for _, f := range from {
		l.Inputs = append(l.Inputs, f.name)
	}
	l.Output = []int{out.c}
	if out.hw > 0 {
		l.Output = []int{out.c, out.hw, out.hw}
	}
	n.t.layers = append(n.t.layers, l)
	out.name = l.Name
	return out
}

func (n tracerNet) In(scope string) net[at] { return tracerNet{n.t, n.scope + scope + "."} }

func (n tracerNet) Conv(name string, x at, filters, kernel, stride int) at {
	out := at{c: filters, hw: windows(x.hw, kernel, stride, (kernel-1)/2)}
	weights := int64(filters) * int64(x.c) * int64(kernel) * int64(kernel)
	return n.add(Layer{Name: name, Type: "conv", Detail: window(kernel, stride),
		Params: weights, MACs: weights * int64(out.hw) * int64(out.hw)}, out, x)
}

func (n tracerNet) BatchNorm(name string, x at) at {
	return n.add(Layer{Name: name, Type: "bn", Params: 2 * int64(x.c)}, x, x)
}

func (n tracerNet) ReLU(x at) at { return n.add(Layer{Name: n.free("relu"), Type: "relu"}, x, x) }

func (n tracerNet) Add(a, b at) at { return n.add(Layer{Name: "add", Type: "add"}, a, a, b) }

func (n tracerNet) ShortcutPad(x at, filters, stride int, sides bool) at {
	where := "end"
	if sides {
		where = "sides"
	}
	return n.add(Layer{Name: "pad", Type: "shortcut-pad", Detail: fmt.Sprintf("/%d, zeros at %s", stride, where)},
		at{c: filters, hw: windows(x.hw, 1, stride, 0)}, x)
}

func (n tracerNet) MaxPool(x at, kernel, stride, pad int) at {
	return n.add(Layer{Name: "maxpool", Type: "maxpool", Detail: window(kernel, stride)},
		at{c: x.c, hw: windows(x.hw, kernel, stride, pad)}, x)
}

func (n tracerNet) GlobalAvgPool(x at) at {
	return n.add(Layer{Name: "avgpool", Type: "gap"}, at{c: x.c}, x)
}

func (n tracerNet) Linear(name string, x at, classes int) at {
	weights := int64(x.c) * int64(classes)
	return n.add(Layer{Name: name, Type: "linear", Params: weights + int64(classes), MACs: weights}, at{c: classes}, x)
}

// free numbers a name that a scope uses several times: relu, relu2, relu3. A scope is drawn in one go, so its layers are
// the last ones.
func (n tracerNet) free(name string) string {
	full, count := n.scope+name, 1
	for i := len(n.t.layers) - 1; i >= 0 && len(n.t.layers)-i < 16; i-- {
		if l := n.t.layers[i]; l.Type == name && len(l.Name) >= len(full) && l.Name[:len(full)] == full {
			count++
		}
	}
	if count == 1 {
		return name
	}
	return fmt.Sprintf("%s%d", name, count)
}

// windows is the number of places of a window on a line of size pixels.
func windows(size, kernel, stride, pad int) int { return (size+2*pad-kernel)/stride + 1 }

func window(kernel, stride int) string {
	if stride == 1 {
		return fmt.Sprintf("%dx%d", kernel, kernel)
	}
	return fmt.Sprintf("%dx%d /%d", kernel, kernel, stride)
}
