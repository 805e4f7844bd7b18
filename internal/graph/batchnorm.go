package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"resnet/internal/graph/kernel/ref"
)

// ImageShape is the shape [N, C, H, W].
type ImageShape = ref.ImageShape

// BatchStats computes the mean and the biased variance of each channel over N, H and W: input x [N,
// C, H, W]; output [2, C]. Gorgonia does not differentiate it: BatchNormInputGrad holds the
// derivative through the statistics.
type BatchStats struct {
	ImageShape
	ID uint32
	nonDifferentiable
}

// BatchNorm normalises x per channel and applies the learned affine map
//
//	y = γ (x - μ) / sqrt(σ² + ε) + β        (Ioffe and Szegedy 2015, algorithm 1)
//
// In Train mode the inputs are x [N, C, H, W], γ [C], β [C] and stats [2, C] (of BatchStats; biased
// σ²). In Eval mode they are x, γ, β, the running mean [C] and the running variance [C], and there
// is no derivative. The machine updates the running values, running = (1-m)·running + m·batch with
// the unbiased variance, as PyTorch does.
type BatchNorm struct {
	ImageShape
	Eps  float64
	Mode Mode
	ID   uint32
}

// BatchNormSums computes the reductions of the backward pass: inputs x, stats, dy; output [2, C],
// row 0 Σdy = dβ and row 1 Σ dy·x̂ = dγ, with x̂ = (x - μ) / sqrt(σ² + ε).
type BatchNormSums struct {
	ImageShape
	Eps float64
	ID  uint32
	nonDifferentiable
}

// Row takes one row of a [2, C] tensor: output [C].
type Row struct {
	C     int
	Index int
	ID    uint32
	nonDifferentiable
}

// BatchNormInputGrad is the derivative of BatchNorm with respect to x, through the statistics too:
// inputs x, stats, gamma, sums, dy; output [N, C, H, W].
type BatchNormInputGrad struct {
	ImageShape
	Eps float64
	ID  uint32
	nonDifferentiable
}

func imageOf(s ImageShape) tensor.Shape { return tensor.Shape{s.N, s.C, s.H, s.W} }
func pairOf(c int) tensor.Shape         { return tensor.Shape{2, c} }

func (o *BatchStats) signature() signature {
	return signature{in: []tensor.Shape{imageOf(o.ImageShape)}, out: pairOf(o.C)}
}

// Run32 implements Operator.
func (o *BatchStats) Run32(dst []float32, src ...[]float32) {
	ref.BatchStats(dst, src[0], o.ImageShape)
}

func (o *BatchStats) run64(dst []float64, src ...[]float64) {
	ref.BatchStats(dst, src[0], o.ImageShape)
}

func (o *BatchNorm) signature() signature {
	in := []tensor.Shape{imageOf(o.ImageShape), {o.C}, {o.C}}
	if o.Mode == Eval {
		in = append(in, tensor.Shape{o.C}, tensor.Shape{o.C})
	} else {
		in = append(in, pairOf(o.C))
	}
	return signature{in: in, out: imageOf(o.ImageShape)}
}

// DiffWRT is true for x, γ and β in Train mode.
func (o *BatchNorm) DiffWRT(inputs int) []bool {
	d := make([]bool, inputs)
	for i := range min(inputs, 3) {
		d[i] = o.Mode == Train
	}
	return d
}

// SymDiff returns BatchNormInputGrad and the two rows of BatchNormSums.
func (o *BatchNorm) SymDiff(in gorgonia.Nodes, _, dy *Node) (gorgonia.Nodes, error) {
	x, gamma, stats := in[0], in[1], in[3]
	sums, err := Apply(&BatchNormSums{ImageShape: o.ImageShape, Eps: o.Eps, ID: o.ID}, x, stats, dy)
	if err != nil {
		return nil, err
	}
	return applyAll(
		on(&BatchNormInputGrad{ImageShape: o.ImageShape, Eps: o.Eps, ID: o.ID}, x, stats, gamma, sums, dy),
		on(&Row{C: o.C, Index: 1, ID: o.ID}, sums),
		on(&Row{C: o.C, Index: 0, ID: o.ID}, sums),
		call{},
	)
}

// Run32 implements Operator.
func (o *BatchNorm) Run32(dst []float32, src ...[]float32) { runBatchNorm(o, dst, src) }
func (o *BatchNorm) run64(dst []float64, src ...[]float64) { runBatchNorm(o, dst, src) }

func runBatchNorm[T ref.Float](o *BatchNorm, dst []T, src [][]T) {
	mean, variance := src[3][:o.C], src[len(src)-1]
	if o.Mode == Train {
		variance = variance[o.C:]
	}
	ref.BatchNorm(dst, src[0], src[1], src[2], mean, variance, o.Eps, o.ImageShape)
}

func (o *BatchNormSums) signature() signature {
	x := imageOf(o.ImageShape)
	return signature{in: []tensor.Shape{x, pairOf(o.C), x}, out: pairOf(o.C)}
}

// Run32 implements Operator.
func (o *BatchNormSums) Run32(dst []float32, src ...[]float32) {
	ref.BatchNormSums(dst, src[0], src[1], src[2], o.Eps, o.ImageShape)
}

func (o *BatchNormSums) run64(dst []float64, src ...[]float64) {
	ref.BatchNormSums(dst, src[0], src[1], src[2], o.Eps, o.ImageShape)
}

func (o *Row) signature() signature {
	return signature{in: []tensor.Shape{pairOf(o.C)}, out: tensor.Shape{o.C}}
}

// Run32 implements Operator.
func (o *Row) Run32(dst []float32, src ...[]float32) { copy(dst, src[0][o.Index*o.C:][:o.C]) }
func (o *Row) run64(dst []float64, src ...[]float64) { copy(dst, src[0][o.Index*o.C:][:o.C]) }

func (o *BatchNormInputGrad) signature() signature {
	x := imageOf(o.ImageShape)
	return signature{in: []tensor.Shape{x, pairOf(o.C), {o.C}, pairOf(o.C), x}, out: x}
}

// Run32 implements Operator.
func (o *BatchNormInputGrad) Run32(dst []float32, src ...[]float32) {
	ref.BatchNormInputGrad(dst, src[0], src[1], src[2], src[3], src[4], o.Eps, o.ImageShape)
}

func (o *BatchNormInputGrad) run64(dst []float64, src ...[]float64) {
	ref.BatchNormInputGrad(dst, src[0], src[1], src[2], src[3], src[4], o.Eps, o.ImageShape)
}
