package schedule_test

import (
	"errors"
	"testing"
	"time"

	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
)

// profiled is a network whose steps' traffic can be counted by hand.
func profiled(b *graph.Builder, x *graph.Node) *graph.Node {
	x = b.ReLU(b.BatchNorm("bn1", b.Conv("conv1", x, graph.ConvOpts{Filters: 20, Kernel: 3, Stride: 1, Pad: 1})))
	x = b.MaxPool(x, graph.PoolOpts{Kernel: 3, Stride: 3})
	return b.Linear("fc", b.GlobalAvgPool(x), classes)
}

func TestProfileCountsBytes(t *testing.T) {
	const n = 6
	net := draw(t, profiled, n, 1)
	m := compile(t, net.train, schedule.Options{Threads: 2})
	steps, _, err := m.Profile(1, func() error { _, err := m.Train(net.x, net.labels, graph.StepOptions{}); return err })
	if err != nil {
		t.Fatal(err)
	}
	// In float32 values: images of 9×10 pixels with 3 and 20 channels in blocks of 16, pooled to
	// 3×3; rows of 20 channels and 7 classes without blocks.
	const (
		in, wide, pooled = n * 9 * 10 * 16, n * 9 * 10 * 32, n * 3 * 3 * 32
		row, logits      = n * 20, n * classes
		weights, fc      = 20 * 3 * 3 * 3, classes * 20
		packed           = 32 * 3 * 3 * 3 // output channels in blocks
	)
	want := map[string]int{
		"input": in, // from the caller's memory, which is not counted
		"conv":  in + packed + wide,
		// Normalisation and ReLU go through memory before they are pooled.
		"lazy expression": wide + wide,
		"max pool":        wide + pooled,
		"average":         pooled + row,
		"linear":          row + fc + logits,
		"loss":            logits + logits,

		"linear weight gradient": row + logits + fc + classes,
		"linear input gradient":  logits + fc + row,
		"average gradient":       row + pooled,
		"max pool gradient":      wide + 2*pooled + wide,
		// The gradient, the convolution's result, whose sign is the mask, and what is written; and
		// γ and β.
		"backward epilogue": wide + wide + wide + 20 + 20,
		"conv gradients":    in + 2*wide + weights,
	}
	for _, s := range steps {
		if s.Kind == "pack weights" {
			if s.Bytes != 4*(weights+packed) || s.Region != -1 {
				t.Errorf("%+v", s)
			}
			continue
		}
		if w, ok := want[s.Kind]; !ok || s.Bytes != 4*int64(w) {
			t.Errorf("%s, %s %s: %d bytes, want %d", s.Kind, s.Shape, s.Algorithm, s.Bytes, 4*w)
		}
		delete(want, s.Kind)
	}
	for kind := range want {
		t.Errorf("no step %q", kind)
	}
	// Multiply-adds of each pass: the image has no gradient, and the first step of a convolution's
	// gradients is that of its weights alone.
	convolution, linear := int64(n*9*10*20*3*9), int64(n*20*classes)
	macs := map[string]int64{"conv": convolution, "conv gradients": convolution, "linear": linear, "linear weight gradient": linear, "linear input gradient": linear}
	for _, s := range steps {
		var sum int64
		for _, p := range s.Products {
			sum += p.Operations() / 2
		}
		if sum != macs[s.Kind] {
			t.Errorf("%s: %d multiply-adds, want %d", s.Kind, sum, macs[s.Kind])
		}
	}
}

// TestProfileTimesAddUp in a single run, since medians of steps leave out what medians of calls
// hold: what Profile says of all steps is what a call takes, and steps of the backward half take
// nothing where they do not run.
func TestProfileTimesAddUp(t *testing.T) {
	g, p := tiny(t, "resnet20", 16, graph.Train)
	m := compile(t, g, schedule.Options{Threads: 2})
	n := net{params: p}
	n.x, n.labels = batch(16, g.ImageLen(), 1)
	for _, o := range []graph.StepOptions{{}, {ForwardOnly: true}} {
		most, behind := 0., 0. // shares at most, of a few profiles: a busy machine interrupts some
		for range 4 {
			calls := 0
			steps, whole, err := m.Profile(1, func() error { calls++; _, err := m.Train(n.x, n.labels, o); return err })
			if err != nil || calls != 2 {
				t.Fatal(calls, err)
			}
			var sum, backward time.Duration
			for _, s := range steps {
				if s.Time < 0 || s.Kind == "" || s.Units < 1 {
					t.Errorf("%+v", s)
				}
				sum += s.Time
				if s.Backward {
					backward += s.Time
				}
			}
			if sum > whole || o.ForwardOnly != (backward == 0) {
				t.Errorf("%+v: steps of %v, %v of them backward, calls of %v", o, sum, backward, whole)
			}
			most, behind = max(most, sum.Seconds()/whole.Seconds()), max(behind, backward.Seconds()/sum.Seconds())
		}
		if most < 0.7 || !o.ForwardOnly && behind < 0.25 {
			t.Errorf("%+v: steps are %v of the calls, backward ones %v of them", o, most, behind)
		}
	}
}

func TestProfileNamesAlgorithms(t *testing.T) {
	g, p := tiny(t, "tiny-wide", 20, graph.Train)
	n := net{params: p}
	n.x, n.labels = batch(20, g.ImageLen(), 1)
	for _, c := range []struct {
		with schedule.Options
		want string
	}{{schedule.Options{}, "winograd"}, {inRounds(2), "winograd, two-stage"}} {
		m := compile(t, g, c.with)
		steps, _, err := m.Profile(0, func() error { _, err := m.Train(n.x, n.labels, graph.StepOptions{}); return err })
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]int{}
		for _, s := range steps {
			if s.Algorithm == c.want {
				found[s.Kind]++
			}
			if (s.Shape == "") != (s.Algorithm == "") {
				t.Errorf("%+v", s)
			}
		}
		if found["conv"] == 0 || found["conv gradients"] == 0 {
			t.Errorf("%q: %v", c.want, found)
		}
	}
}

// TestProfileLeavesNothingBehind: results are the same bits before, during and after it, and an
// error of a call is its error.
func TestProfileLeavesNothingBehind(t *testing.T) {
	n := draw(t, nets["pre-activation"], 5, 1)
	m := compile(t, n.train, schedule.Options{Threads: 2})
	want := train(t, m, n, graph.StepOptions{StatsMomentum: 1})
	if _, _, err := m.Profile(2, func() error {
		sameBits(t, "during a profile", nil, train(t, m, n, graph.StepOptions{StatsMomentum: 1}), want)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	sameBits(t, "after a profile", nil, train(t, m, n, graph.StepOptions{StatsMomentum: 1}), want)
	calls, broken := 0, errors.New("broken")
	if _, _, err := m.Profile(3, func() error {
		if calls++; calls == 2 {
			return broken
		}
		return nil
	}); !errors.Is(err, broken) {
		t.Error(err)
	}
	sameBits(t, "after a profile that failed", nil, train(t, m, n, graph.StepOptions{StatsMomentum: 1}), want)
}
