package onnx

import "fmt"

// Normalize makes (x/255 - mean) / std of bytes x. Mean has a value for each channel, or for each
// value of an image, whose size is then the only one; Std has one for each channel. Either may be
// empty.
type Normalize struct{ Mean, Std []float32 }

// normalized is the name of the input's values where the graph normalises them.
const normalized = "normalized"

// normalize draws what makes values of bytes. The divisions are by constants, as in training.
func (g *drawing) normalize(n Normalize) error {
	c, side := g.spec.InputChannels, g.spec.InputSize
	shape := []int{c, 1, 1}
	if len(n.Mean) == c*side*side && len(n.Mean) > c {
		shape = []int{c, side, side}
	} else if len(n.Mean) != 0 && len(n.Mean) != c {
		return fmt.Errorf("%s: %w: %d means for images of %dx%dx%d", g.spec.Name, ErrUnsupported, len(n.Mean), c, side, side)
	}
	g.shapes[normalized] = g.shapes["input"]
	g.node("Cast", "input.values", []string{"input"}, "input.values", attribute("to", typeFloat))
	x := "input.values"
	step := func(op, by string, shape []int, data []float32) {
		g.graph.sub(5, floats("input."+by, shape, data))
		g.node(op, "input."+by+".applied", []string{x, "input." + by}, "input."+by+".applied")
		x = "input." + by + ".applied"
	}
	step("Div", "scale", []int{1}, []float32{255})
	if len(n.Mean) > 0 {
		step("Sub", "mean", shape, n.Mean)
	}
	if len(n.Std) > 0 {
		step("Div", "std", []int{len(n.Std), 1, 1}, n.Std)
	}
	g.node("Identity", normalized, []string{x}, normalized)
	return nil
}
