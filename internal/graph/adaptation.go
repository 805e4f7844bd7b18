package graph

import (
	"fmt"
	"math/rand/v2"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// FrameMaps makes the maps of a network of sequences from frames: input [N, C·H, 1, W]; output [N,
// C, H, W], in which row h of map c is value c·H + h of each frame. The padding becomes 0, whatever
// it was.
type FrameMaps struct {
	ImageShape // of the output
	ID         uint32
	State      *Sequences
	differentiable
	perImage
}

func (o *FrameMaps) signature() signature {
	return signature{in: []tensor.Shape{{o.N, o.C * o.H, 1, o.W}}, out: imageOf(o.ImageShape)}
}

// SymDiff returns the gradient.
func (o *FrameMaps) SymDiff(_ gorgonia.Nodes, _, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&FrameMapsGrad{ImageShape: o.ImageShape, ID: o.ID, State: o.State}, dy))
}

// Run32 implements Operator.
func (o *FrameMaps) Run32(dst []float32, src ...[]float32) {
	runFrameMaps(o.ImageShape, o.State, dst, src)
}

func (o *FrameMaps) run64(dst []float64, src ...[]float64) {
	runFrameMaps(o.ImageShape, o.State, dst, src)
}

// runFrameMaps copies the valid frames: row-major, both shapes are the same rows of W frames.
func runFrameMaps[T ref.Float](s ImageShape, state *Sequences, dst []T, src [][]T) {
	for n := range s.N {
		length := int(state.Lengths[n])
		for row := n * s.C * s.H; row < (n+1)*s.C*s.H; row++ {
			to := dst[row*s.W : (row+1)*s.W]
			clear(to[copy(to[:length], src[0][row*s.W:]):])
		}
	}
}

// FrameMapsGrad is the derivative of FrameMaps: input [N, C, H, W]; output [N, C·H, 1, W], 0 in the
// padding.
type FrameMapsGrad struct {
	ImageShape
	ID    uint32
	State *Sequences
	nonDifferentiable
	perImage
}

func (o *FrameMapsGrad) signature() signature {
	return signature{in: []tensor.Shape{imageOf(o.ImageShape)}, out: tensor.Shape{o.N, o.C * o.H, 1, o.W}}
}

// Run32 implements Operator.
func (o *FrameMapsGrad) Run32(dst []float32, src ...[]float32) {
	runFrameMaps(o.ImageShape, o.State, dst, src)
}

func (o *FrameMapsGrad) run64(dst []float64, src ...[]float64) {
	runFrameMaps(o.ImageShape, o.State, dst, src)
}

// FrameTransform is a linear layer on the frames of the input x [N, D, 1, T] before a network of
// sequences, as maps [N, C, D/C, T]: each valid frame becomes W·x + b, and the padding 0. Its
// parameters are name.weight [D, D, 1, 1], the identity at first, and name.bias [D], 0 at first.
func (b *Builder) FrameTransform(name string, x *Node, maps int) *Node {
	s, ok := b.image(name, x)
	if !ok {
		return nil
	}
	if s.H != 1 || maps < 1 || s.C%maps != 0 {
		return b.fail(name, fmt.Errorf("shape %v as %d maps, want [N D 1 T]: %w", []int(x.Shape()), maps, ErrShape))
	}
	d := s.C
	identity := func(data []float32, _ *rand.Rand) {
		for i := range d {
			data[i*d+i] = 1
		}
	}
	in := b.In(name)
	g := ConvShape{N: s.N, C: d, H: 1, W: s.W, K: d, R: 1, S: 1, Stride: 1}
	y := b.add(name, &Conv{ConvShape: g, Leaf: x == b.input, ID: b.id()}, x, in.param("weight", KindWeight, []int{d, d, 1, 1}, identity))
	y = b.ChannelBias(name, y)
	return b.add(name+".maps", &FrameMaps{ImageShape: ImageShape{N: s.N, C: maps, H: d / maps, W: s.W}, ID: b.id(), State: b.sequenceState()}, y)
}

// FinishUtterances is Finish for logits [N, classes] of utterances of which some may have no label:
// labels are [N], -1 for none, and the loss is the mean over the others. For Graph.Frames an
// utterance is then a single frame.
func (b *Builder) FinishUtterances(logits *Node) (*Graph, error) {
	b.frames = 1
	return b.Finish(logits)
}
