// Package onnx writes networks as ONNX models, operator set 17, which ONNX Runtime and others run.
//
// The input "input" is [N, C, height, width] of values that are normalised already, or of bytes
// where the graph normalises them, with N, height and width free; the output "logits" is [N,
// classes], and "probabilities" is their softmax where it is asked for. How images are prepared is
// in the model's metadata, as in the checkpoint. Batch normalisation stays an operator of its own,
// so that every tensor has the name and the bits that it has in the checkpoint; runtimes fold it.
//
// A network of speech takes [N, maps, features, frames], utterances of one length without padding,
// with N and frames free: the maps are the features and the orders of their differences. Its logits
// are [N, frames, classes], or [N, classes] of a network that classifies utterances. Of recurrent
// layers the tensors have other names and ONNX's order of gates.
package onnx

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"resnet/internal/blocks"
	"resnet/internal/graph"
)

// ErrUnsupported marks a network with layers that have no ONNX form here.
var ErrUnsupported = errors.New("cannot be written as ONNX")

const (
	irVersion = 8
	opset     = 17
)

// Options say what a model has besides the network.
type Options struct {
	// Normalize, unless it is nil, makes the input bytes, which the graph normalises.
	Normalize *Normalize
	// Softmax adds the output "probabilities", of the shape of the logits.
	Softmax bool
}

// Write writes the network s with the values of params, and meta as the model's metadata. The bytes
// are a function of the arguments. It fails with ErrUnsupported for layers that are not known here,
// and where values are to be normalised that are no images' bytes.
func Write(w io.Writer, s blocks.Spec, params *graph.ParamSet, meta map[string]string, o Options) error {
	speech := s.Family == blocks.FamilySpeech
	if speech && o.Normalize != nil {
		return fmt.Errorf("%s: %w with bytes as its input: it takes features of speech", s.Name, ErrUnsupported)
	}
	sum, err := blocks.Summarize(s)
	if err != nil {
		return err
	}
	g := &drawing{spec: s, params: params, shapes: map[string][]int{"input": sum.Input}, once: map[string]bool{}}
	last, kind := "", typeFloat
	var height, width any = "height", "width"
	if n := o.Normalize; n != nil {
		kind = typeByte
		if err := g.normalize(*n); err != nil {
			return err
		}
		if len(n.Mean) > s.InputChannels {
			height, width = s.InputSize, s.InputSize
		}
	}
	for _, l := range sum.Layers {
		if l.Training {
			continue // of an auxiliary classifier
		}
		if l.Type == "flatten" || l.Type == "pyramid" { // what follows takes maps of one size
			height, width = s.InputSize, s.InputSize
		}
		for i, in := range l.Inputs {
			if in == "input" && kind == typeByte {
				l.Inputs[i] = normalized
			}
		}
		if err := g.layer(l); err != nil {
			return fmt.Errorf("%s: %s: %w", s.Name, l.Name, err)
		}
		g.shapes[l.Name], last = l.Output, l.Name
	}
	input, logits := []any{"N", s.InputChannels, height, width}, []any{"N", s.Classes}
	if speech {
		g.sequenceLogits(last)
		input, logits = framesOf(s)
	} else {
		g.node("Identity", "logits", []string{last}, "logits")
	}
	g.graph.text(2, s.Name)
	g.graph.sub(11, value("input", kind, input...))
	g.graph.sub(12, value("logits", typeFloat, logits...))
	if o.Softmax {
		g.node("Softmax", "probabilities", []string{"logits"}, "probabilities", attribute("axis", len(logits)-1))
		g.graph.sub(12, value("probabilities", typeFloat, logits...))
	}

	var model, set message
	model.integer(1, irVersion)
	model.text(2, "resnet")
	set.text(1, "")
	set.integer(2, opset)
	model.sub(8, set)
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		var entry message
		entry.text(1, key)
		entry.text(2, meta[key])
		model.sub(14, entry)
	}
	if len(model)+len(g.graph) > math.MaxInt32 {
		return fmt.Errorf("%s: %w: more than 2 GB", s.Name, ErrUnsupported)
	}
	model.sub(7, g.graph)
	_, err = w.Write(model)
	return err
}

// drawing collects nodes and initializers of a GraphProto. A layer's output has the layer's name.
type drawing struct {
	spec   blocks.Spec
	params *graph.ParamSet
	graph  message
	shapes map[string][]int // of the layers' outputs, without N
	once   map[string]bool  // constants that layers share, by their names
}

func (g *drawing) node(op, name string, inputs []string, output string, attributes ...message) {
	var n message
	for _, in := range inputs {
		n.text(1, in)
	}
	n.text(2, output)
	n.text(3, name)
	n.text(4, op)
	for _, a := range attributes {
		n.sub(5, a)
	}
	g.graph.sub(1, n)
}

// tensors adds the parameters of a layer as initializers and returns their names.
func (g *drawing) tensors(layer string, parts ...string) ([]string, error) {
	var names []string
	for _, part := range parts {
		p, err := g.parameter(layer + "." + part)
		if err != nil {
			return nil, err
		}
		g.graph.sub(5, floats(p.Name, p.Shape, p.Data))
		names = append(names, p.Name)
	}
	return names, nil
}

func (g *drawing) parameter(name string) (*graph.Param, error) {
	p := g.params.Get(name)
	if p == nil {
		return nil, fmt.Errorf("no parameter %s", name)
	}
	return p, nil
}

// constants adds lists of integers as initializers and returns their names.
func (g *drawing) constants(layer string, lists map[string][]int) map[string]string {
	names := map[string]string{}
	for _, part := range slices.Sorted(maps.Keys(lists)) {
		names[part] = layer + "." + part
		g.graph.sub(5, integers(names[part], lists[part]...))
	}
	return names
}

func (g *drawing) layer(l blocks.Layer) error {
	in := slices.Clone(l.Inputs)
	switch l.Type {
	case "relu":
		g.node("Relu", l.Name, in, l.Name)
	case "sigmoid":
		g.node("Sigmoid", l.Name, in, l.Name)
	case "elu":
		g.node("Elu", l.Name, in, l.Name, attribute("alpha", 1.0))
	case "add":
		g.node("Add", l.Name, in, l.Name)
	case "conv":
		parts := []string{"weight"}
		if l.Shapes["bias"] != nil {
			parts = append(parts, "bias")
		}
		names, err := g.tensors(l.Name, parts...)
		if err != nil {
			return err
		}
		attributes := windowAttributes(l.Window)
		if l.Groups > 1 {
			attributes = append(attributes, attribute("group", l.Groups))
		}
		g.node("Conv", l.Name, append(in, names...), l.Name, attributes...)
	case "maxpool":
		g.node("MaxPool", l.Name, in, l.Name, poolAttributes(l.Window)...)
	case "avgpool":
		g.node("AveragePool", l.Name, in, l.Name, append(poolAttributes(l.Window), meanAttributes(l.Window)...)...)
	case "lrn":
		g.node("LRN", l.Name, in, l.Name, attribute("size", l.LRN.Size), attribute("alpha", l.LRN.Alpha), attribute("beta", l.LRN.Beta), attribute("bias", l.LRN.Bias))
	case "concat":
		g.node("Concat", l.Name, in, l.Name, attribute("axis", 1))
	case "dropout":
		g.node("Identity", l.Name, in, l.Name) // which it is in evaluation
	case "flatten":
		g.node("Flatten", l.Name, in, l.Name, attribute("axis", 1))
	case "pyramid":
		return g.pyramid(l)
	case "prelu":
		return g.prelu(l)
	case "bn":
		names, err := g.tensors(l.Name, "weight", "bias", "running_mean", "running_var")
		if err != nil {
			return err
		}
		g.node("BatchNormalization", l.Name, append(in, names...), l.Name, attribute("epsilon", g.spec.BNEps))
	case "shortcut-pad":
		return g.shortcutPad(l)
	case "excite":
		g.excite(l)
	case "gap":
		g.node("GlobalAveragePool", l.Name, in, l.Name+".map")
		g.node("Flatten", l.Name+".flatten", []string{l.Name + ".map"}, l.Name, attribute("axis", 1))
	case "linear":
		names, err := g.tensors(l.Name, "weight", "bias")
		if err != nil {
			return err
		}
		if g.spec.Family == blocks.FamilySpeech { // at every frame
			g.node("Conv", l.Name, append(in, names...), l.Name, windowAttributes(blocks.Window{Kernel: 1, Stride: 1})...)
			return nil
		}
		if len(l.Shapes["weight"]) == 4 { // of a 1x1 convolution, on rows
			g.node("Flatten", l.Name+".rows", names[:1], l.Name+".rows", attribute("axis", 1))
			names[0] = l.Name + ".rows"
		}
		g.node("Gemm", l.Name, append(in, names...), l.Name, attribute("transB", 1))
	default:
		return g.speechLayer(l)
	}
	return nil
}

// shortcutPad is option A: every stride-th pixel, and zero channels on both sides or at the end.
func (g *drawing) shortcutPad(l blocks.Layer) error {
	var stride int
	if _, err := fmt.Sscanf(l.Detail, "/%d,", &stride); err != nil {
		return fmt.Errorf("%w: %q", ErrUnsupported, l.Detail)
	}
	more := l.Output[0] - g.shapes[l.Inputs[0]][0]
	before := more / 2
	if strings.HasSuffix(l.Detail, "end") {
		before = 0
	}
	c := g.constants(l.Name, map[string][]int{
		"starts": {0, 0}, "ends": {math.MaxInt32, math.MaxInt32}, "axes": {2, 3}, "steps": {stride, stride},
		"pads": {0, before, 0, 0, 0, more - before, 0, 0},
	})
	g.node("Slice", l.Name+".slice", []string{l.Inputs[0], c["starts"], c["ends"], c["axes"], c["steps"]}, l.Name+".strided")
	g.node("Pad", l.Name, []string{l.Name + ".strided", c["pads"]}, l.Name)
	return nil
}

// excite scales the channels of a map by the logistic function of a row.
func (g *drawing) excite(l blocks.Layer) {
	c := g.constants(l.Name, map[string][]int{"axes": {2, 3}})
	g.node("Sigmoid", l.Name+".factors", l.Inputs[1:], l.Name+".factors")
	g.node("Unsqueeze", l.Name+".map", []string{l.Name + ".factors", c["axes"]}, l.Name+".map")
	g.node("Mul", l.Name, []string{l.Inputs[0], l.Name + ".map"}, l.Name)
}

// prelu has a slope for each channel, which ONNX broadcasts from the right: [C, 1, 1] for maps.
func (g *drawing) prelu(l blocks.Layer) error {
	p, err := g.parameter(l.Name + ".weight")
	if err != nil {
		return err
	}
	shape := []int{p.Shape[0]}
	for range l.Output[1:] {
		shape = append(shape, 1)
	}
	g.graph.sub(5, floats(p.Name, shape, p.Data))
	g.node("PRelu", l.Name, []string{l.Inputs[0], p.Name}, l.Name)
	return nil
}

// pyramid is a max pooling for each level, flattened and joined.
func (g *drawing) pyramid(l blocks.Layer) error {
	side := g.shapes[l.Inputs[0]][1]
	var rows []string
	for i, n := range l.Levels {
		level := fmt.Sprintf("%s.%d", l.Name, i)
		g.node("MaxPool", level, l.Inputs, level, windowAttributes(blocks.Window{Kernel: (side + n - 1) / n, Stride: side / n})...)
		g.node("Flatten", level+".row", []string{level}, level+".row", attribute("axis", 1))
		rows = append(rows, level+".row")
	}
	g.node("Concat", l.Name, rows, l.Name, attribute("axis", 1))
	return nil
}

func windowAttributes(w blocks.Window) []message {
	strides := []int{w.Stride, w.Stride}
	if w.RowsOnly {
		strides[1] = 1
	}
	return []message{attribute("kernel_shape", []int{w.Kernel, w.Kernel}), attribute("strides", strides), attribute("pads", []int{w.Pad, w.Pad, w.Pad + w.End, w.Pad + w.End})}
}

// meanAttributes says whether zeros around the map count in a mean; the standard's default is that
// they do not.
func meanAttributes(w blocks.Window) []message {
	if w.ExcludePad {
		return nil
	}
	return []message{attribute("count_include_pad", 1)}
}

func poolAttributes(w blocks.Window) []message {
	attributes := windowAttributes(w)
	if w.Ceil {
		attributes = append(attributes, attribute("ceil_mode", 1))
	}
	return attributes
}
