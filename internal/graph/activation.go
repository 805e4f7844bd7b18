package graph

import (
	"gorgonia.org/gorgonia"

	"resnet/internal/graph/kernel/ref"
)

// ReLU is y = max(x, 0), for any shape. NaN stays NaN.
type ReLU struct {
	ID uint32
	differentiable
	unary
}

// ReLUGrad is the derivative of ReLU: inputs y (the output) and dy; dx = dy where y > 0, else 0.
type ReLUGrad struct {
	ID uint32
	nonDifferentiable
	binary
}

// Sigmoid is y = 1 / (1 + exp(-x)), for any shape.
type Sigmoid struct {
	ID uint32
	differentiable
	unary
	perImage
}

// SigmoidGrad is the derivative of Sigmoid: inputs y (the output) and dy; dx = dy·y·(1-y).
type SigmoidGrad struct {
	ID uint32
	nonDifferentiable
	binary
	perImage
}

// ELU is y = x for x > 0, else Alpha·(exp(x)-1), for any shape; Alpha >= 0 (Clevert et al. 2015,
// arXiv:1511.07289).
type ELU struct {
	Alpha float64
	ID    uint32
	differentiable
	unary
	perImage
}

// ELUGrad is the derivative of ELU: inputs y (the output) and dy; dx = dy where y > 0, else
// dy·(y+Alpha).
type ELUGrad struct {
	Alpha float64
	ID    uint32
	nonDifferentiable
	binary
	perImage
}

// SymDiff returns ReLUGrad.
func (o *ReLU) SymDiff(_ gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&ReLUGrad{ID: o.ID}, y, dy))
}

// Run32 implements Operator.
func (o *ReLU) Run32(dst []float32, src ...[]float32) { ref.ReLU(dst, src[0]) }
func (o *ReLU) run64(dst []float64, src ...[]float64) { ref.ReLU(dst, src[0]) }

// Run32 implements Operator.
func (o *ReLUGrad) Run32(dst []float32, src ...[]float32) { ref.ReLUGrad(dst, src[0], src[1]) }
func (o *ReLUGrad) run64(dst []float64, src ...[]float64) { ref.ReLUGrad(dst, src[0], src[1]) }

// SymDiff returns SigmoidGrad.
func (o *Sigmoid) SymDiff(_ gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&SigmoidGrad{ID: o.ID}, y, dy))
}

// Run32 implements Operator.
func (o *Sigmoid) Run32(dst []float32, src ...[]float32) { ref.Sigmoid(dst, src[0]) }
func (o *Sigmoid) run64(dst []float64, src ...[]float64) { ref.Sigmoid(dst, src[0]) }

// Run32 implements Operator.
func (o *SigmoidGrad) Run32(dst []float32, src ...[]float32) { ref.SigmoidGrad(dst, src[0], src[1]) }

func (o *SigmoidGrad) run64(dst []float64, src ...[]float64) { ref.SigmoidGrad(dst, src[0], src[1]) }

// SymDiff returns ELUGrad.
func (o *ELU) SymDiff(_ gorgonia.Nodes, y, dy *Node) (gorgonia.Nodes, error) {
	return applyAll(on(&ELUGrad{Alpha: o.Alpha, ID: o.ID}, y, dy))
}

// Run32 implements Operator.
func (o *ELU) Run32(dst []float32, src ...[]float32) { ref.ELU(dst, src[0], o.Alpha) }
func (o *ELU) run64(dst []float64, src ...[]float64) { ref.ELU(dst, src[0], o.Alpha) }

// Run32 implements Operator.
func (o *ELUGrad) Run32(dst []float32, src ...[]float32) { ref.ELUGrad(dst, src[0], src[1], o.Alpha) }

func (o *ELUGrad) run64(dst []float64, src ...[]float64) { ref.ELUGrad(dst, src[0], src[1], o.Alpha) }
