package graph_test

import (
	"math"
	"slices"
	"testing"

	"resnet/internal/graph"
)

func count(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(i + 1)
	}
	return v
}

func run32(k graph.Operator, n int, src ...[]float32) []float32 {
	dst := slices.Repeat([]float32{-99}, n)
	k.Run32(dst, src...)
	return dst
}

// 2 channels of 3x4 pixels, strided to 2x2, padded to 5 channels: three zero channels, one before
// and two after, or all after.
func TestShortcutPadPlacesZeroChannelsOnBothSidesOrAtTheEnd(t *testing.T) {
	zero, a, b := []float32{0, 0, 0, 0}, []float32{1, 3, 9, 11}, []float32{13, 15, 21, 23}
	s := graph.ShortcutShape{N: 1, C: 2, H: 3, W: 4, K: 5, Stride: 2}
	for sides, want := range map[bool][][]float32{true: {zero, a, b, zero, zero}, false: {a, b, zero, zero, zero}} {
		s.Sides = sides
		if got := run32(&graph.ShortcutPad{ShortcutShape: s}, 20, count(24)); !slices.Equal(got, slices.Concat(want...)) {
			t.Errorf("sides %v: %v, want %v", sides, got, want)
		}
	}
}

func TestMaxPoolPaddingNeverWinsAndNaNAlwaysDoes(t *testing.T) {
	p := &graph.MaxPool{PoolShape: graph.PoolShape{N: 1, C: 1, H: 2, W: 2, Kernel: 2, Stride: 2, Pad: 1}}
	if got := run32(p, 4, []float32{-4, -3, -2, -1}); !slices.Equal(got, []float32{-4, -3, -2, -1}) {
		t.Errorf("negative values under padding: %v", got)
	}
	nan := float32(math.NaN())
	p = &graph.MaxPool{PoolShape: graph.PoolShape{N: 1, C: 1, H: 2, W: 2, Kernel: 2, Stride: 1}}
	for i := range 4 {
		x := []float32{1, 2, 3, 4}
		x[i] = nan
		if got := run32(p, 1, x); got[0] == got[0] {
			t.Errorf("NaN at %d: %v", i, got)
		}
	}
}

func TestMaxPoolGradGoesToTheFirstOfEqualValues(t *testing.T) {
	g := &graph.MaxPoolGrad{PoolShape: graph.PoolShape{N: 1, C: 1, H: 2, W: 2, Kernel: 2, Stride: 1}}
	if got := run32(g, 4, []float32{1, 5, 5, 5}, []float32{7}); !slices.Equal(got, []float32{0, 7, 0, 0}) {
		t.Errorf("got %v", got)
	}
}

// Sizes from PyTorch's formula; ceil mode drops a window that would start in the far padding.
func TestPoolOutputSizes(t *testing.T) {
	for _, c := range []struct{ size, kernel, stride, pad, floor, ceil int }{
		{32, 2, 2, 0, 16, 16},
		{7, 3, 2, 0, 3, 3},
		{8, 3, 2, 0, 3, 4},
		{112, 3, 2, 1, 56, 57},
		{4, 2, 3, 1, 2, 2},
		{5, 2, 3, 1, 2, 2},
		{6, 2, 3, 1, 3, 3},
		{1, 1, 1, 0, 1, 1},
		{5, 5, 3, 0, 1, 1},
	} {
		s := graph.PoolShape{H: c.size, W: c.size, Kernel: c.kernel, Stride: c.stride, Pad: c.pad}
		if s.OutH() != c.floor || s.OutW() != c.floor {
			t.Errorf("%+v: %d by %d", c, s.OutH(), s.OutW())
		}
		s.Ceil = true
		if s.OutH() != c.ceil || s.OutW() != c.ceil {
			t.Errorf("%+v: ceil %d by %d", c, s.OutH(), s.OutW())
		}
	}
}

// A corner window of 2x2 under padding 1 holds one value and three zeros.
func TestAvgPoolCountsThePaddingUnlessTold(t *testing.T) {
	s := graph.PoolShape{N: 1, C: 1, H: 2, W: 2, Kernel: 2, Stride: 2, Pad: 1}
	x := []float32{4, 8, 12, 16}
	if got := run32(&graph.AvgPool{PoolShape: s, CountIncludePad: true}, 4, x); !slices.Equal(got, []float32{1, 2, 3, 4}) {
		t.Errorf("including: %v", got)
	}
	if got := run32(&graph.AvgPool{PoolShape: s}, 4, x); !slices.Equal(got, x) {
		t.Errorf("excluding: %v", got)
	}
}

func TestReLUKeepsNaN(t *testing.T) {
	if got := run32(&graph.ReLU{}, 3, []float32{-1, float32(math.NaN()), 2}); got[0] != 0 || got[1] == got[1] || got[2] != 2 {
		t.Errorf("got %v", got)
	}
}

// A large offset: E[x²] - E[x]² in float32 would lose every digit of a variance of 1 beside a mean
// of 10,000.
func TestBatchStatsAreStable(t *testing.T) {
	x := make([]float32, 4096)
	for i := range x {
		x[i] = 10000 + float32(i%2)*2 - 1
	}
	got := run32(&graph.BatchStats{ImageShape: graph.ImageShape{N: 4, C: 1, H: 32, W: 32}}, 2, x)
	if got[0] != 10000 || got[1] != 1 {
		t.Errorf("mean %g and variance %g, want 10000 and 1", got[0], got[1])
	}
}

func TestCrossEntropyOfLargeLogitsIsFinite(t *testing.T) {
	o := &graph.SoftmaxCrossEntropy{N: 2, K: 2}
	if got := run32(o, 1, []float32{1000, 0, 0, -1000}, []float32{0, 1}); got[0] != 500 {
		t.Errorf("loss %g, want 500: 0 for the first image and 1000 for the second", got[0])
	}
	if got := run32(o, 1, []float32{1, 2, 3, 4}, []float32{0, 2}); got[0] == got[0] {
		t.Errorf("a label that is no class gave %g, want NaN", got[0])
	}
}

func TestDropoutMaskIsAFunctionOfSeedStepLayerAndElement(t *testing.T) {
	const n = 10000
	ones := slices.Repeat([]float32{1}, n)
	mask := func(seed, step, stream uint64, p float64) []float32 {
		return run32(&graph.Dropout{P: p, Stream: stream, State: &graph.DropoutState{Seed: seed, Step: step}}, n, ones)
	}
	first := mask(1, 2, 3, 0.2)
	kept := 0
	for _, v := range first {
		switch v {
		case 0:
		case 1.25:
			kept++
		default:
			t.Fatalf("a kept value is %g, want 1/(1-0.2)", v)
		}
	}
	// The standard deviation is sqrt(10000·0.2·0.8) = 40; five of them.
	if kept < 7800 || kept > 8200 {
		t.Errorf("%d of %d values kept, want 8000", kept, n)
	}
	if !slices.Equal(first, mask(1, 2, 3, 0.2)) {
		t.Error("the same key gave another mask")
	}
	for name, other := range map[string][]float32{"seed": mask(2, 2, 3, 0.2), "step": mask(1, 3, 3, 0.2), "layer": mask(1, 2, 4, 0.2)} {
		same := 0
		for i := range other {
			if other[i] == first[i] {
				same++
			}
		}
		// Independent masks agree at 0.68 of the elements.
		if same < 6500 || same > 7100 {
			t.Errorf("another %s: %d of %d elements agree, want 6800", name, same, n)
		}
	}
	grad := run32(&graph.DropoutGrad{P: 0.2, Stream: 3, State: &graph.DropoutState{Seed: 1, Step: 2}}, n, ones)
	if !slices.Equal(grad, first) {
		t.Error("the gradient has another mask")
	}
}

func TestDropoutStepsWithTrainingAndIsAbsentInEvaluation(t *testing.T) {
	draw := func(mode graph.Mode, params *graph.ParamSet) (*graph.Graph, *graph.Tape) {
		b := graph.NewBuilder("net", mode, params, graph.Options{DropoutSeed: 9})
		x := b.Dropout("drop", b.Input(2, 4, 3, 3), 0.5)
		g, err := b.Finish(b.Linear("fc", b.GlobalAvgPool(x), 3))
		if err != nil {
			t.Fatal(err)
		}
		tape, err := graph.NewTape(g, params)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(tape.Close)
		return g, tape
	}
	params := graph.NewParamSet(1)
	g, tape := draw(graph.Train, params)
	if g.Dropout == nil || g.Dropout.Seed != 9 {
		t.Fatalf("dropout state %+v", g.Dropout)
	}
	loss := func(o graph.StepOptions) float64 {
		r, err := tape.Train(count(72), []int32{0, 2}, o)
		if err != nil {
			t.Fatal(err)
		}
		return r.Loss
	}
	first, second := loss(graph.StepOptions{}), loss(graph.StepOptions{})
	if g.Dropout.Step != 2 || first == second {
		t.Errorf("after two steps Step is %d, losses %g and %g", g.Dropout.Step, first, second)
	}
	g.Dropout.Step = 0 // as a resumed run sets it
	if again := loss(graph.StepOptions{ForwardOnly: true}); again != first || g.Dropout.Step != 0 {
		t.Errorf("step 0 again: loss %g, want %g; Step %d", again, first, g.Dropout.Step)
	}
	if g, _ := draw(graph.Eval, params); g.Dropout != nil {
		t.Error("an evaluation graph has dropout")
	}
}
