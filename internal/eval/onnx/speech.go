package onnx

import (
	"fmt"

	"resnet/internal/blocks"
)

// Maps of utterances are [N, C, features, frames]; there is no padding, so every frame counts.

// speechLayer draws the layers that only networks of sequences have.
func (g *drawing) speechLayer(l blocks.Layer) error {
	switch l.Type {
	case "utterance-norm":
		// Its statistics are those of a channel of an utterance, as here.
		names, err := g.tensors(l.Name, "weight", "bias")
		if err != nil {
			return err
		}
		g.node("InstanceNormalization", l.Name, append([]string{l.Inputs[0]}, names...), l.Name, attribute("epsilon", g.spec.BNEps))
		return nil
	case "frequency-linear":
		return g.frequencyLinear(l)
	case "lstm":
		return g.lstm(l)
	}
	return fmt.Errorf("%w: a layer of type %s", ErrUnsupported, l.Type)
}

// frequencyLinear is the product of the weights as a row [1, F] and each [F, frames].
func (g *drawing) frequencyLinear(l blocks.Layer) error {
	w, err := g.parameter(l.Name + ".weight")
	if err != nil {
		return err
	}
	names, err := g.tensors(l.Name, "bias")
	if err != nil {
		return err
	}
	g.graph.sub(5, floats(w.Name, []int{1, len(w.Data)}, w.Data))
	g.node("MatMul", l.Name+".product", []string{w.Name, l.Inputs[0]}, l.Name+".product")
	g.node("Add", l.Name, []string{l.Name + ".product", names[0]}, l.Name)
	return nil
}

// gateOrder are our gates (candidate, input, forget, output) in ONNX's order: input, output,
// forget, candidate.
var gateOrder = [4]int{1, 3, 2, 0}

// lstm draws a recurrent layer on the gates' inputs [N, 4U, 1, T]. They are normalised already,
// which ONNX's own product with the input weights leaves no place for: so that those are a
// permutation, which puts the gates in ONNX's order. Layers of equal size share it.
func (g *drawing) lstm(l blocks.Layer) error {
	p, err := g.parameter(l.Name + ".weight")
	if err != nil {
		return err
	}
	u := p.Shape[1]
	gates := fmt.Sprintf("lstm.gates.%d", u)
	recurrent := make([]float32, 0, len(p.Data))
	for _, gate := range gateOrder {
		recurrent = append(recurrent, p.Data[gate*u*u:(gate+1)*u*u]...)
	}
	if !g.once[gates] {
		g.once[gates] = true
		order := make([]float32, 16*u*u)
		for to, from := range gateOrder {
			for j := range u {
				order[(to*u+j)*4*u+from*u+j] = 1
			}
		}
		g.graph.sub(5, floats(gates, []int{1, 4 * u, 4 * u}, order))
	}
	g.graph.sub(5, floats(l.Name+".recurrence", []int{1, 4 * u, u}, recurrent))
	direction := "forward"
	if l.Detail == "backward" {
		direction = "reverse"
	}
	name := func(part string) string { return l.Name + "." + part }
	c := g.constants(l.Name, map[string][]int{"height": {2}})
	g.node("Squeeze", name("rows"), []string{l.Inputs[0], c["height"]}, name("rows"))
	g.node("Transpose", name("steps"), []string{name("rows")}, name("steps"), attribute("perm", []int{2, 0, 1}))
	g.node("LSTM", name("states"), []string{name("steps"), gates, name("recurrence")}, name("states"),
		attribute("direction", direction), attribute("hidden_size", u))
	// [frames, 1, N, U] to [N, U, 1, frames]
	g.node("Transpose", l.Name, []string{name("states")}, l.Name, attribute("perm", []int{2, 3, 1, 0}))
	return nil
}

// sequenceLogits makes what the network is asked for of the classifier's maps [N, classes, 1,
// frames]: [N, frames, classes], or of whole utterances the mean over the frames, [N, classes].
func (g *drawing) sequenceLogits(maps string) {
	if g.spec.Speech.Output == blocks.OutputUtterance {
		g.node("ReduceMean", "logits", []string{maps}, "logits", attribute("axes", []int{2, 3}), attribute("keepdims", 0))
		return
	}
	c := g.constants("logits", map[string][]int{"height": {2}})
	g.node("Squeeze", "logits.rows", []string{maps, c["height"]}, "logits.rows")
	g.node("Transpose", "logits", []string{"logits.rows"}, "logits", attribute("perm", []int{0, 2, 1}))
}

// framesOf are the dimensions of input and logits.
func framesOf(s blocks.Spec) (input, logits []any) {
	input, logits = []any{"N", s.InputChannels, s.Speech.Features, "frames"}, []any{"N", "frames", s.Classes}
	if s.Speech.Output == blocks.OutputUtterance {
		logits = []any{"N", s.Classes}
	}
	return input, logits
}
