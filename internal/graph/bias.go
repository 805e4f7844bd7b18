package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// ChannelBias is y = x + b, a value for each channel: inputs x [N, C, H, W] and b [C].
type ChannelBias struct {
	ImageShape
	ID uint32
	differentiable
	perImage
}

func (o *ChannelBias) signature() signature {
	return signature{in: []tensor.Shape{imageOf(o.ImageShape), {o.C}}, out: imageOf(o.ImageShape)}
}

// SymDiff returns dy itself and ConvBiasGrad.
func (o *ChannelBias) SymDiff(_ gorgonia.Nodes, _, dy *Node) (gorgonia.Nodes, error) {
	g := ConvShape{N: o.N, C: o.C, H: o.H, W: o.W, K: o.C, R: 1, S: 1, Stride: 1}
	out, err := applyAll(call{}, on(&ConvBiasGrad{ConvShape: g, ID: o.ID}, dy))
	if err == nil {
		out[0] = dy
	}
	return out, err
}

// Run32 implements Operator.
func (o *ChannelBias) Run32(dst []float32, src ...[]float32) {
	ref.ChannelBias(dst, src[0], src[1], o.ImageShape)
}

func (o *ChannelBias) run64(dst []float64, src ...[]float64) {
	ref.ChannelBias(dst, src[0], src[1], o.ImageShape)
}
