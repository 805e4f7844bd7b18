package schedule_test

import (
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
)

// BenchmarkWRBN is a training step of the published network on 8 utterances of 300 frames.
func BenchmarkWRBN(b *testing.B) {
	spec, err := blocks.Lookup("wrbn")
	if err != nil {
		b.Fatal(err)
	}
	s := sequences{spec, []int32{300, 300, 300, 300, 300, 300, 300, 300}, 300}
	params := graph.NewParamSet(1)
	m := compile(b, s.graph(b, graph.Train, params), schedule.Options{})
	x, labels := s.batch()
	for b.Loop() {
		if _, err := m.Train(x, labels, graph.StepOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(s.lengths)*s.frames)*float64(b.N)/b.Elapsed().Seconds(), "frames/s")
}
