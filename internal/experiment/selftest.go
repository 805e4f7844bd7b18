package experiment

import (
	"math"

	"resnet/internal/blocks"
	"resnet/internal/graph"
)

// SelfTest computes a small residual network twice, by the machine in use in a precision and by the
// reference operators in float32, and returns the largest difference of the logits relative to the
// largest logit.
func SelfTest(env *Environment, precision graph.Precision, threads int) (float64, error) {
	spec, err := blocks.Resolve(blocks.Config{Family: blocks.FamilyCIFAR, Depth: 8, Residual: true, BatchNorm: true}, blocks.DataInfo{Channels: 3, Size: 16, Classes: 10})
	if err != nil {
		return 0, err
	}
	const n = 4
	x := make([]float32, n*3*16*16)
	for i := range x {
		x[i] = float32(i%17)/8 - 1
	}
	params := graph.NewParamSet(1)
	g, err := blocks.Build(spec, n, graph.Eval, params)
	if err != nil {
		return 0, err
	}
	oracle, err := graph.NewTape(g, params)
	if err != nil {
		return 0, err
	}
	defer oracle.Close()
	want, err := oracle.Infer(x, n)
	if err != nil {
		return 0, err
	}
	m, err := env.Compile(g, params, device{threads: threads, precision: precision}.options(0))
	if err != nil {
		return 0, err
	}
	defer m.Close()
	got, err := m.Infer(x, n)
	if err != nil {
		return 0, err
	}
	return largestDifference(got, want), nil
}

// largestDifference is relative to the largest of the values that are wanted.
func largestDifference(got, want []float32) float64 {
	var diff, scale float64
	for i := range want {
		diff = max(diff, math.Abs(float64(got[i])-float64(want[i])))
		scale = max(scale, math.Abs(float64(want[i])))
	}
	return diff / scale
}
