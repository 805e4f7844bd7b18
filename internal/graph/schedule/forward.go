package schedule

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel/conv"
)

// forward lowers one node of the forward half.
func (c *compiler) forward(n *gorgonia.Node) error {
	switch op := graph.OpOf(n).(type) {
	case *graph.Conv:
		if s := shapeOf(op.ConvShape); s.Supported() {
			return c.convolution(n, s)
		}
	case *graph.BatchStats:
		return c.statistics(n)
	case *graph.BatchNorm:
		return c.normalise(n, op)
	case *graph.ReLU:
		if len(n.Shape()) == 2 {
			return c.rectifyRows(n)
		}
		return c.rectify(n)
	case *graph.PReLU:
		return c.parametric(n)
	case *graph.Add:
		if n.IsScalar() { // of losses, which the machine adds
			return nil
		}
		return c.addition(n)
	case *graph.ShortcutPad:
		return c.shortcut(n, op)
	case *graph.MaxPool:
		return c.maxPool(n, op)
	case *graph.AvgPool:
		return c.meanPool(n, op)
	case *graph.Concat:
		return c.concat(n, op)
	case *graph.Dropout:
		return c.dropout(n, op.P, op.State, op.Stream)
	case *graph.DropPath:
		return c.dropPath(n, op.P, op.State, op.Stream)
	case *graph.LRN:
		return c.lrn(n, op)
	case *graph.Flatten:
		return c.flatten(n)
	case *graph.GlobalAvgPool:
		return c.average(n)
	case *graph.Excite:
		return c.excite(n)
	case *graph.Linear:
		return c.linear(n, op)
	case *graph.ELU:
		if len(n.Shape()) == 4 {
			return c.elu(n, float32(op.Alpha))
		}
	case *graph.Sigmoid:
		if len(n.Shape()) == 4 {
			return c.sigmoid(n)
		}
	case *graph.LSTM:
		return c.lstm(n, op)
	case *graph.UtteranceNorm:
		return c.utteranceNorm(n, op)
	case *graph.SoftmaxCrossEntropy:
		return c.crossEntropy(n, op)
	case *graph.TargetCrossEntropy:
		return c.targetCrossEntropy(n, op)
	case *graph.FrameCrossEntropy:
		return c.frameCrossEntropy(n, op)
	}
	return c.fallback(n)
}

func shapeOf(s graph.ConvShape) conv.Shape {
	return conv.Shape{C: s.C, K: s.K, H: s.H, W: s.W, R: s.R, S: s.S, Stride: s.Stride, StrideW: s.StrideW, PadH: s.PadH, PadW: s.PadW, End: s.End, Groups: s.Groups}
}
