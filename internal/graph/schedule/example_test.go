package schedule_test

import (
	"fmt"
	"math"

	"resnet/internal/blocks"
	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
)

// Compile lowers a graph to kernel calls once; then the machine runs it, as the tape would. The
// result does not depend on the number of threads.
func ExampleCompile() {
	s, err := blocks.Lookup("resnet20")
	if err != nil {
		fmt.Println(err)
		return
	}
	params := graph.NewParamSet(1)
	const n = 2
	images := make([]float32, n*s.InputChannels*s.InputSize*s.InputSize)
	for i := range images {
		images[i] = float32(math.Sin(float64(i)))
	}
	logits := func(threads int) []float32 {
		g, err := blocks.Build(s, n, graph.Eval, params)
		if err != nil {
			fmt.Println(err)
			return nil
		}
		m, err := schedule.Compile(g, schedule.Options{Threads: threads})
		if err != nil {
			fmt.Println(err)
			return nil
		}
		defer m.Close()
		out, err := m.Infer(images, n)
		if err != nil {
			fmt.Println(err)
			return nil
		}
		return append([]float32(nil), out...)
	}
	one, four := logits(1), logits(4)
	same := len(one) == n*s.Classes
	for i := range one {
		same = same && math.Float32bits(one[i]) == math.Float32bits(four[i])
	}
	fmt.Println(len(one), same)
	// Output: 20 true
}
