package schedule_test

import (
	"math/rand/v2"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
)

// BenchmarkTrain and BenchmarkInfer report images/s of a step on random images, all cores.
func BenchmarkTrain(b *testing.B) {
	for _, arch := range []string{"resnet20", "resnet56"} {
		b.Run(arch, func(b *testing.B) {
			m, x, labels := machine(b, arch, graph.Train)
			for range 2 {
				step(b, m, x, labels)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				step(b, m, x, labels)
			}
			b.ReportMetric(float64(b.N)*float64(len(labels))/b.Elapsed().Seconds(), "images/s")
			b.ReportMetric(float64(m.Bytes())/1e6, "MB")
		})
	}
}

func BenchmarkInfer(b *testing.B) {
	for _, arch := range []string{"resnet20", "resnet56"} {
		b.Run(arch, func(b *testing.B) {
			m, x, labels := machine(b, arch, graph.Eval)
			b.ResetTimer()
			for range b.N {
				if _, err := m.Infer(x, len(labels)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*float64(len(labels))/b.Elapsed().Seconds(), "images/s")
		})
	}
}

func step(b *testing.B, m graph.Machine, x []float32, labels []int32) {
	if _, err := m.Train(x, labels, graph.StepOptions{}); err != nil {
		b.Fatal(err)
	}
}

func machine(b *testing.B, arch string, mode graph.Mode) (*schedule.Machine, []float32, []int32) {
	spec, err := blocks.Lookup(arch)
	if err != nil {
		b.Fatal(err)
	}
	const n = 128
	g, err := blocks.Build(spec, n, mode, graph.NewParamSet(1))
	if err != nil {
		b.Fatal(err)
	}
	m, err := schedule.Compile(g, schedule.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(m.Close)
	rng := rand.New(rand.NewPCG(1, 1))
	x, labels := make([]float32, n*g.ImageLen()), make([]int32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	for i := range labels {
		labels[i] = int32(rng.IntN(10))
	}
	return m, x, labels
}
