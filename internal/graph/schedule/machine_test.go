package schedule_test

import (
	"fmt"
	"testing"

	"resnet/internal/graph"
	"resnet/internal/graph/graphtest"
	"resnet/internal/graph/schedule"
)

// TestTheScheduleIsAMachine with few and many threads, and with every convolution in rounds.
func TestTheScheduleIsAMachine(t *testing.T) {
	for i, o := range []schedule.Options{{Threads: 1}, {Threads: 3}, inRounds(2)} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			graphtest.RunMachine(t, func(g *graph.Graph, _ *graph.ParamSet) (graph.Machine, error) { return schedule.Compile(g, o) })
		})
	}
}
