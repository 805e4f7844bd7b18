package schedule_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"resnet/internal/graph"
	"resnet/internal/graph/graphtest"
	"resnet/internal/graph/kernel"
	"resnet/internal/graph/kernel/conv"
	"resnet/internal/graph/schedule"
)

// inBFloat16 is options with bfloat16 in memory, and the algorithms of float32.
func inBFloat16(o schedule.Options) schedule.Options {
	if o.Choose == nil {
		o.Choose = conv.Choose
	}
	o.Precision = graph.BFloat16
	return o
}

// TestBFloat16IsRoundedMemory compares with a float32 machine of which each step's results are
// rounded before the next one sees them. Sums are taken in another order, so now and then a value
// near the middle is rounded the other way, or is no longer the largest of a window; all else is
// the same. Gradients of biases are sums of unrounded values there.
func TestBFloat16IsRoundedMemory(t *testing.T) {
	all := maps.Clone(nets)
	for name, f := range baselines {
		if name != "many weights" || !testing.Short() {
			all[name] = f
		}
	}
	large := []string{"every activation", "every pool", "without normalisation", "biases"}
	for _, name := range large { // images of several strips
		all["large, "+name] = all[name]
	}
	for name, f := range all {
		images, height, width := 5, 9, 10
		if strings.HasPrefix(name, "large") {
			images, height, width = 2, 42, 39
		}
		wide, narrow := drawSized(t, f, images, height, width, 1), drawSized(t, f, images, height, width, 1)
		with := schedule.Options{Threads: 1, Choose: conv.Choose}
		m, n := compile(t, wide.train, with), compile(t, narrow.train, inBFloat16(schedule.Options{Threads: 2}))
		schedule.RoundMemory(m, n)
		options := []graph.StepOptions{{Accumulate: true}, {}}
		if testing.Short() {
			options = options[:1]
		}
		for _, o := range options {
			want, got := train(t, m, wide, o), train(t, n, narrow, o)
			bias := func(name string, _ []float32) bool { return strings.Contains(name, "bias") }
			wantBias, gotBias := maps.Clone(want), maps.Clone(got)
			maps.DeleteFunc(wantBias, func(name string, v []float32) bool { return !bias(name, v) })
			maps.DeleteFunc(want, bias)
			report(t, differences(name, got, want, 5e-3))
			report(t, differences(name, gotBias, wantBias, 2e-2))
		}
	}
}

// TestBFloat16InRounds: layers of many weights, in two stages, are the same layers. Statistics of
// chunks instead of images differ in the last bit, and where that changes the rounding of a value
// that is near the middle, in a part of 2⁻⁸ of it.
func TestBFloat16InRounds(t *testing.T) {
	for _, name := range []string{"every pool", "without normalisation", "shortcuts of recipes", "rectified twice"} {
		rounds := inRounds(2)
		a, b := draw(t, nets[name], 19, 1), draw(t, nets[name], 19, 1)
		whole := inBFloat16(schedule.Options{Threads: 2, Choose: rounds.Choose})
		report(t, differences(name, train(t, compile(t, a.train, inBFloat16(rounds)), a, graph.StepOptions{}), train(t, compile(t, b.train, whole), b, graph.StepOptions{}), 5e-3))
	}
}

// residual has what a training of this project has most: blocks with a join, a projection, strides
// and max pooling.
func residual(b *graph.Builder, x *graph.Node) *graph.Node {
	o := graph.ConvOpts{Filters: 16, Kernel: 3, Stride: 1, Pad: 1}
	x = b.MaxPool(b.ReLU(b.BatchNorm("bn", b.Conv("conv", x, o))), graph.PoolOpts{Kernel: 3, Stride: 2, Pad: 1})
	for i, name := range []string{"a", "b"} {
		c := b.In(name)
		o.Filters, o.Stride = 16*(i+1), i+1
		y := c.ReLU(c.BatchNorm("bn1", c.Conv("conv1", x, o)))
		o.Stride = 1
		y = c.BatchNorm("bn2", c.Conv("conv2", y, o))
		if i > 0 {
			x = c.BatchNorm("bn3", c.Conv("down", x, graph.ConvOpts{Filters: o.Filters, Kernel: 1, Stride: 2}))
		}
		x = c.ReLU(c.Add(y, x))
	}
	return b.Linear("fc", b.GlobalAvgPool(x), classes)
}

// TestTrainingInBFloat16FallsAlike: the loss of the first steps is that of float32 within some
// roundings of eight bits, and after some tens of steps it has fallen as far.
func TestTrainingInBFloat16FallsAlike(t *testing.T) {
	losses := func(o schedule.Options) (out []float64) {
		n := draw(t, residual, 24, 1)
		m := compile(t, n.train, o)
		for range 40 {
			r, err := m.Train(n.x, n.labels, graph.StepOptions{})
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, r.Loss)
			for _, p := range n.params.All() {
				for i := range p.Grad {
					p.Data[i] -= 0.5 * p.Grad[i]
				}
			}
		}
		return out
	}
	wide, narrow := losses(schedule.Options{Threads: 2}), losses(schedule.Options{Threads: 2, Precision: graph.BFloat16})
	for i := range 3 {
		if math.Abs(wide[i]-narrow[i]) > wide[i]/64 {
			t.Errorf("step %d: the loss is %g, of float32 %g", i, narrow[i], wide[i])
		}
	}
	if slices.Equal(wide, narrow) {
		t.Error("bfloat16 changes nothing")
	}
	first, last, end := wide[0], wide[len(wide)-1], narrow[len(narrow)-1]
	if last > first/4 || math.Abs(end-last) > first/20 {
		t.Errorf("the loss fell from %g to %g, in float32 to %g", first, end, last)
	}
}

// TestThreadsDoNotChangeABitInBFloat16, for every instruction set of this CPU.
func TestThreadsDoNotChangeABitInBFloat16(t *testing.T) {
	best := kernel.Active()
	defer func() { _ = kernel.Use(best) }()
	for _, isa := range kernel.Available() {
		if err := kernel.Use(isa); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"residual", "every pool", "residual in rounds"} {
			var want map[string][]float32
			for _, threads := range []int{1, 2, 5, 16} {
				f := nets[name]
				if f == nil {
					f = residual
				}
				n, o := draw(t, f, 37, 1), schedule.Options{Threads: threads}
				if strings.HasSuffix(name, "rounds") {
					o = inRounds(threads)
				}
				o.Precision = graph.BFloat16
				m := compile(t, n.train, o)
				train(t, m, n, graph.StepOptions{})
				got := train(t, m, n, graph.StepOptions{Accumulate: true})
				if want == nil {
					want = got
				}
				sameBits(t, fmt.Sprintf("%s, %s, %d threads", isa, name, threads), nil, got, want)
			}
		}
	}
}

// TestAMachineOfBFloat16 within some roundings of eight bits.
func TestAMachineOfBFloat16(t *testing.T) {
	graphtest.RunMachineWithin(t, 1./64, func(g *graph.Graph, _ *graph.ParamSet) (graph.Machine, error) {
		return schedule.Compile(g, schedule.Options{Threads: 2, Precision: graph.BFloat16})
	})
}

// TestBFloat16HalvesTheMemoryOfATraining, as planned; nothing of it is taken.
func TestBFloat16HalvesTheMemoryOfATraining(t *testing.T) {
	need := map[graph.Precision]int64{}
	for _, p := range []graph.Precision{graph.Float32, graph.BFloat16} {
		g, _ := tiny(t, "resnet110", 128, graph.Train)
		var large *schedule.TooLargeError
		if _, err := schedule.Compile(g, schedule.Options{Threads: 2, Limit: 1, Precision: p}); !errors.As(err, &large) {
			t.Fatal(err)
		}
		need[p] = large.Need
	}
	if r := float64(need[graph.BFloat16]) / float64(need[graph.Float32]); r > 0.65 {
		t.Errorf("%d bytes, of float32 %d: %.2f", need[graph.BFloat16], need[graph.Float32], r)
	}
}
