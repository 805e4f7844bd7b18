package schedule

import (
	"errors"
	"runtime"
	"testing"

	"resnet/internal/graph"
)

// TestAMachineBeyondItsLimitIsRefusedBeforeItsMemoryIsTaken: at the limit it is made, a byte below
// it is not.
func TestAMachineBeyondItsLimitIsRefusedBeforeItsMemoryIsTaken(t *testing.T) {
	refused(t, graph.Float32, 32<<20)
	refused(t, graph.BFloat16, 16<<20)
}

// refused checks it for a machine that needs so many bytes at least.
func refused(t *testing.T, p graph.Precision, least int64) {
	t.Helper()
	compile := func(limit int64) (*Machine, error) {
		g, err := buildWide(graph.NewParamSet(1))
		if err != nil {
			t.Fatal(err)
		}
		return Compile(g, Options{Threads: 1, Limit: limit, Precision: p})
	}
	_, err := compile(1000)
	var large *TooLargeError
	if !errors.As(err, &large) || large.Limit != 1000 {
		t.Fatalf("%v", err)
	}
	m, err := compile(large.Need)
	if err != nil {
		t.Fatalf("at the limit: %v", err)
	}
	packs := int64(0)
	for _, p := range m.packs {
		packs += int64(len(p.packed)) * 4
	}
	if m.Bytes()-packs != large.Need || large.Need < least {
		t.Errorf("%d bytes needed, and the machine has %d besides packed weights", large.Need, m.Bytes()-packs)
	}
	m.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := compile(large.Need - 1); !errors.As(err, &large) {
		t.Errorf("a byte below: %v", err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
		t.Errorf("%d bytes were allocated to refuse it", n)
	}
}

// buildWide draws a network whose activations are what it takes.
func buildWide(params *graph.ParamSet) (*graph.Graph, error) {
	b := graph.NewBuilder("wide", graph.Train, params, graph.Options{})
	x := b.Conv("a", b.Input(16, 3, 64, 64), graph.ConvOpts{Filters: 64, Kernel: 3, Stride: 1, Pad: 1, Bias: true})
	return b.Finish(b.Linear("fc", b.GlobalAvgPool(b.ReLU(x)), 5))
}
