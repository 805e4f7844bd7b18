package experiment

import (
	"errors"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
)

// TestTheLeastMemoryOfVariantsIsBelowWhatTheyTake compares the bound that refuses a batch with what
// the machine asks for.
func TestTheLeastMemoryOfVariantsIsBelowWhatTheyTake(t *testing.T) {
	const n = 16
	for _, name := range []string{"tiny-groups", "tiny-widened", "tiny-d", "tiny-se", "tiny-preact", "tiny-preact-bottleneck", "tiny-wrn", "resnet18-3x3", "preresnet164"} {
		s, err := blocks.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		sum, err := blocks.Summarize(s)
		if err != nil {
			t.Fatal(err)
		}
		g, err := blocks.Build(s, n, graph.Train, graph.NewParamSet(1))
		if err != nil {
			t.Fatal(err)
		}
		var large *schedule.TooLargeError
		if _, err := schedule.Compile(g, schedule.Options{Threads: 1, Limit: 1}); !errors.As(err, &large) {
			t.Fatalf("%s: %v", name, err)
		}
		if least := leastTraining(sum, n); least < float64(large.Need)/20 || least > float64(large.Need) {
			t.Errorf("%s: at least %.0f bytes are said, and %d taken", name, least, large.Need)
		}
	}
}
