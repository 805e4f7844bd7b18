package graph

import (
	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// ReLU is y = max(x, 0), for any shape. NaN stays NaN.
type ReLU struct {
	ID uint32
	pure
}

// ReLUGrad is the derivative of ReLU: inputs y (the output) and dy; dx = dy where y > 0, else 0.
type ReLUGrad struct {
	ID uint32
	flat
}

// Sigmoid is y = 1 / (1 + exp(-x)), for any shape.
type Sigmoid struct {
	ID uint32
	pure
}

// SigmoidGrad is the derivative of Sigmoid: inputs y (the output) and dy; dx = dy·y·(1-y).
type SigmoidGrad struct {
	ID uint32
	flat
}

// ELU is y = x for x > 0, else Alpha·(exp(x)-1), for any shape; Alpha >= 0 (Clevert et al. 2015,
// arXiv:1511.07289).
type ELU struct {
	Alpha float64
	ID    uint32
	pure
}

// ELUGrad is the derivative of ELU: inputs y (the output) and dy; dx = dy where y > 0, else
// dy·(y+Alpha).
type ELUGrad struct {
	Alpha float64
	ID    uint32
	flat
}

// The shape methods of the elementwise operators. Gorgonia's meaning of each is in methods.go.

// Arity is 1.
func (o *ReLU) Arity() int { return 1 }

// Type is a → a.
func (o *ReLU) Type() hm.Type { return fnSame(1) }

// InferShape is the shape of x.
func (o *ReLU) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) { return inferSame(1, in) }

// DiffWRT is true.
func (o *ReLU) DiffWRT(inputs int) []bool { return []bool{true}[:inputs] }

// SymDiff returns ReLUGrad.
func (o *ReLU) SymDiff(_ gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&ReLUGrad{ID: o.ID}, y, dy))
}

// Run32 implements Kernel.
func (o *ReLU) Run32(dst []float32, src ...[]float32) { ref.ReLU(dst, src[0]) }
func (o *ReLU) run64(dst []float64, src ...[]float64) { ref.ReLU(dst, src[0]) }

// Arity is 2.
func (o *ReLUGrad) Arity() int { return 2 }

// Type is a → a → a.
func (o *ReLUGrad) Type() hm.Type { return fnSame(2) }

// InferShape is the shape of y.
func (o *ReLUGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) { return inferSame(2, in) }

// Run32 implements Kernel.
func (o *ReLUGrad) Run32(dst []float32, src ...[]float32) { ref.ReLUGrad(dst, src[0], src[1]) }
func (o *ReLUGrad) run64(dst []float64, src ...[]float64) { ref.ReLUGrad(dst, src[0], src[1]) }

// Arity is 1.
func (o *Sigmoid) Arity() int { return 1 }

// Type is a → a.
func (o *Sigmoid) Type() hm.Type { return fnSame(1) }

// InferShape is the shape of x.
func (o *Sigmoid) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) { return inferSame(1, in) }

// DiffWRT is true.
func (o *Sigmoid) DiffWRT(inputs int) []bool { return []bool{true}[:inputs] }

// SymDiff returns SigmoidGrad.
func (o *Sigmoid) SymDiff(_ gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&SigmoidGrad{ID: o.ID}, y, dy))
}

// Run32 implements Kernel.
func (o *Sigmoid) Run32(dst []float32, src ...[]float32) { ref.Sigmoid(dst, src[0]) }
func (o *Sigmoid) run64(dst []float64, src ...[]float64) { ref.Sigmoid(dst, src[0]) }

// Arity is 2.
func (o *SigmoidGrad) Arity() int { return 2 }

// Type is a → a → a.
func (o *SigmoidGrad) Type() hm.Type { return fnSame(2) }

// InferShape is the shape of y.
func (o *SigmoidGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return inferSame(2, in)
}

// Run32 implements Kernel.
func (o *SigmoidGrad) Run32(dst []float32, src ...[]float32) { ref.SigmoidGrad(dst, src[0], src[1]) }
func (o *SigmoidGrad) run64(dst []float64, src ...[]float64) { ref.SigmoidGrad(dst, src[0], src[1]) }

// Arity is 1.
func (o *ELU) Arity() int { return 1 }

// Type is a → a.
func (o *ELU) Type() hm.Type { return fnSame(1) }

// InferShape is the shape of x.
func (o *ELU) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) { return inferSame(1, in) }

// DiffWRT is true.
func (o *ELU) DiffWRT(inputs int) []bool { return []bool{true}[:inputs] }

// SymDiff returns ELUGrad.
func (o *ELU) SymDiff(_ gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&ELUGrad{Alpha: o.Alpha, ID: o.ID}, y, dy))
}

// Run32 implements Kernel.
func (o *ELU) Run32(dst []float32, src ...[]float32) { ref.ELU(dst, src[0], o.Alpha) }
func (o *ELU) run64(dst []float64, src ...[]float64) { ref.ELU(dst, src[0], o.Alpha) }

// Arity is 2.
func (o *ELUGrad) Arity() int { return 2 }

// Type is a → a → a.
func (o *ELUGrad) Type() hm.Type { return fnSame(2) }

// InferShape is the shape of y.
func (o *ELUGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) { return inferSame(2, in) }

// Run32 implements Kernel.
func (o *ELUGrad) Run32(dst []float32, src ...[]float32) { ref.ELUGrad(dst, src[0], src[1], o.Alpha) }
func (o *ELUGrad) run64(dst []float64, src ...[]float64) { ref.ELUGrad(dst, src[0], src[1], o.Alpha) }
