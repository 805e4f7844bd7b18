package graph

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// smallNet is a residual net with two blocks: an identity shortcut and, where the shape changes,
// the one that shortcut draws.
func smallNet(t *testing.T, mode Mode, dtype tensor.Dtype, params *ParamSet, shortcut func(b *Builder, x *Node) *Node) *Graph {
	t.Helper()
	b := NewBuilder("small", mode, params, Options{Dtype: dtype})
	conv := func(b *Builder, name string, x *Node, filters, stride int) *Node {
		return b.BatchNorm("bn"+name, b.Conv("conv"+name, x, ConvOpts{Filters: filters, Kernel: 3, Stride: stride, Pad: 1}))
	}
	x := b.ReLU(conv(b, "1", b.Input(3, 2, 7, 6), 4, 1))
	l1 := b.In("layer1.0")
	x = l1.ReLU(l1.Add(conv(l1, "2", l1.ReLU(conv(l1, "1", x, 4, 1)), 4, 1), x))
	l2 := b.In("layer2.0")
	x = l2.ReLU(l2.Add(conv(l2, "2", l2.ReLU(conv(l2, "1", x, 6, 2)), 6, 1), shortcut(l2, x)))
	g, err := b.Finish(b.Linear("fc", b.GlobalAvgPool(x), 5))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func padSides(b *Builder, x *Node) *Node { return b.In("shortcut").ShortcutPad(x, 6, 2, true) }

func projection(b *Builder, x *Node) *Node {
	d := b.In("downsample")
	return d.BatchNorm("1", d.Conv("0", x, ConvOpts{Filters: 6, Kernel: 1, Stride: 2}))
}

func smallBatch() (x []float32, labels []int32) {
	r := rand.New(rand.NewPCG(3, 4))
	x = make([]float32, 3*2*7*6)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x, []int32{0, 4, 2}
}

// The gradients that Gorgonia's graph yields through two residual joins are those of the loss:
// central differences in float64. The step must be exact in float32, in which parameters are kept.
func TestTapeGradientsOfAResidualNetMatchCentralDifferences(t *testing.T) {
	for name, shortcut := range map[string]func(*Builder, *Node) *Node{"A": padSides, "B": projection} {
		t.Run(name, func(t *testing.T) {
			params := NewParamSet(7)
			g := smallNet(t, Train, tensor.Float64, params, shortcut)
			tape, err := NewTape(g, params)
			if err != nil {
				t.Fatal(err)
			}
			defer tape.Close()
			x, labels := smallBatch()
			if _, err := tape.Train(x, labels, StepOptions{}); err != nil {
				t.Fatal(err)
			}
			grads := map[string][]float32{}
			for _, p := range params.All() {
				grads[p.Name] = slices.Clone(p.Grad)
			}
			loss := func() float64 {
				r, err := tape.Train(x, labels, StepOptions{ForwardOnly: true})
				if err != nil {
					t.Fatal(err)
				}
				return r.Loss
			}
			for _, p := range params.All() {
				if !p.Trainable() {
					continue
				}
				for _, i := range []int{0, len(p.Data) / 2, len(p.Data) - 1} {
					old := p.Data[i]
					up, down := old+1e-5, old-1e-5
					p.Data[i] = up
					high := loss()
					p.Data[i] = down
					low := loss()
					p.Data[i] = old
					want := (high - low) / (float64(up) - float64(down))
					got := float64(grads[p.Name][i])
					if !(math.Abs(got-want) <= 1e-6+1e-5*math.Abs(want)) {
						t.Errorf("%s[%d]: gradient %g, central difference %g", p.Name, i, got, want)
					}
				}
			}
		})
	}
}

// Every value that the tape shows after a run is what its operator makes of its inputs' values:
// nothing was overwritten.
func TestTapeKeepsEveryValue(t *testing.T) {
	params := NewParamSet(7)
	g := smallNet(t, Train, tensor.Float32, params, projection)
	tape := newTape(t, g, params)
	x, labels := smallBatch()
	for range 2 { // the second run must not see the first's registers
		if _, err := tape.Train(x, labels, StepOptions{}); err != nil {
			t.Fatal(err)
		}
		x[0]++
	}
	for _, n := range g.G.AllNodes() {
		if n.Op() == nil || n.Op().Arity() == 0 {
			continue
		}
		var in []gorgonia.Value
		for _, c := range Children(n) {
			v, err := gorgonia.CloneValue(c.Value())
			if err != nil {
				t.Fatal(err)
			}
			in = append(in, v)
		}
		want, err := n.Op().Do(in...)
		if err != nil {
			t.Fatal(err)
		}
		if !gorgonia.ValueEq(n.Value(), want) {
			t.Errorf("%s does not follow from its inputs", n.Name())
		}
	}
}

func newTape(t *testing.T, g *Graph, params *ParamSet) *Tape {
	t.Helper()
	tape, err := NewTape(g, params)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tape.Close)
	return tape
}

func TestTapeGivesTheSameBytesTwice(t *testing.T) {
	run := func() (*ParamSet, Result) {
		params := NewParamSet(7)
		tape := newTape(t, smallNet(t, Train, tensor.Float32, params, padSides), params)
		x, labels := smallBatch()
		var r Result
		for range 3 {
			var err error
			if r, err = tape.Train(x, labels, StepOptions{}); err != nil {
				t.Fatal(err)
			}
			for _, p := range params.All() {
				for i := range p.Grad {
					p.Data[i] -= 0.1 * p.Grad[i]
				}
			}
		}
		return params, r
	}
	p, r := run()
	q, s := run()
	if r.Loss != s.Loss || !slices.Equal(r.Logits, s.Logits) {
		t.Errorf("losses %v and %v", r.Loss, s.Loss)
	}
	for i, a := range p.All() {
		if b := q.All()[i]; !slices.Equal(a.Data, b.Data) || !slices.Equal(a.Grad, b.Grad) {
			t.Errorf("%s differs", a.Name)
		}
	}
}

func TestTapeAccumulatesAndForwardOnlyLeavesGradients(t *testing.T) {
	params := NewParamSet(7)
	tape := newTape(t, smallNet(t, Train, tensor.Float32, params, padSides), params)
	x, labels := smallBatch()
	step := func(o StepOptions) []float32 {
		if _, err := tape.Train(x, labels, o); err != nil {
			t.Fatal(err)
		}
		return slices.Clone(params.Get("conv1.weight").Grad)
	}
	once := step(StepOptions{})
	twice := step(StepOptions{Accumulate: true})
	for i := range once {
		if twice[i] != 2*once[i] {
			t.Fatalf("accumulated gradient %g, want twice %g", twice[i], once[i])
		}
	}
	x[0]++
	if after := step(StepOptions{ForwardOnly: true}); !slices.Equal(after, twice) {
		t.Error("ForwardOnly changed a gradient")
	}
	if over := step(StepOptions{}); slices.Equal(over, twice) {
		t.Error("without Accumulate the gradient was not overwritten")
	}
}

// One channel, values 0 to 7: mean 3.5, biased variance 5.25, unbiased 6.
func TestRunningStatisticsFollowPyTorchsRule(t *testing.T) {
	draw := func(mode Mode, params *ParamSet) *Graph {
		b := NewBuilder("net", mode, params, Options{})
		x := b.BatchNorm("bn1", b.Input(2, 1, 2, 2))
		g, err := b.Finish(b.Linear("fc", b.GlobalAvgPool(x), 2))
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	params := NewParamSet(1)
	g := draw(Train, params)
	if s := g.Stats[0]; s.Name != "bn1" || s.Count != 8 || s.Mean.Momentum != 0.1 {
		t.Errorf("stats %+v", s)
	}
	tape := newTape(t, g, params)
	x := []float32{0, 1, 2, 3, 4, 5, 6, 7}
	mean, variance := params.Get("bn1.running_mean"), params.Get("bn1.running_var")
	for _, c := range []struct {
		o              StepOptions
		mean, variance float64
	}{
		{StepOptions{}, 0.35, 0.9 + 0.6},
		{StepOptions{ForwardOnly: true}, 0.9*0.35 + 0.35, 0.9*1.5 + 0.6},
		{StepOptions{StatsMomentum: 1}, 3.5, 6},
	} {
		if _, err := tape.Train(x, []int32{0, 1}, c.o); err != nil {
			t.Fatal(err)
		}
		if m, v := float64(mean.Data[0]), float64(variance.Data[0]); !(math.Abs(m-c.mean) <= 1e-6) || !(math.Abs(v-c.variance) <= 1e-6) {
			t.Errorf("%+v: running %g and %g, want %g and %g", c.o, m, v, c.mean, c.variance)
		}
	}

	// The evaluation graph normalises with them: the images' means, 1.5 and 5.5, become (mean -
	// 3.5) / sqrt(6 + eps).
	eval := newTape(t, draw(Eval, params), params)
	w, bias := params.Get("fc.weight").Data, params.Get("fc.bias").Data
	for n := 1; n <= 2; n++ {
		logits, err := eval.Infer(x[:4*n], n)
		if err != nil {
			t.Fatal(err)
		}
		if len(logits) != 2*n {
			t.Fatalf("%d logits for %d images", len(logits), n)
		}
		for i, v := range logits {
			pooled := (1.5 + 4*float64(i/2) - 3.5) / math.Sqrt(6+1e-5)
			if want := pooled*float64(w[i%2]) + float64(bias[i%2]); !(math.Abs(float64(v)-want) <= 1e-6) {
				t.Errorf("%d images: logit %d is %g, want %g", n, i, v, want)
			}
		}
	}
}

func TestTapeRefusesTheWrongModeSizesAndLabels(t *testing.T) {
	params := NewParamSet(7)
	train := newTape(t, smallNet(t, Train, tensor.Float32, params, padSides), params)
	eval := newTape(t, smallNet(t, Eval, tensor.Float32, params, padSides), params)
	x, labels := smallBatch()
	is := func(err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	_, err := train.Infer(x, 3)
	is(err, ErrMode)
	_, err = eval.Train(x, labels, StepOptions{})
	is(err, ErrMode)
	_, err = train.Train(x[1:], labels, StepOptions{})
	is(err, ErrShape)
	_, err = train.Train(x, labels[1:], StepOptions{})
	is(err, ErrShape)
	for _, bad := range []int32{-1, 5} {
		_, err = train.Train(x, []int32{0, bad, 0}, StepOptions{})
		is(err, ErrShape)
	}
	for _, n := range []int{0, 2, 4} { // the slice has three images
		_, err = eval.Infer(x, n)
		is(err, ErrShape)
	}
	_, err = NewTape(smallNet(t, Eval, tensor.Float32, params, padSides), NewParamSet(7))
	is(err, ErrParam)
}

func TestDiagnoseNamesTheFirstLayerThatIsNotFinite(t *testing.T) {
	params := NewParamSet(7)
	tape := newTape(t, smallNet(t, Train, tensor.Float32, params, padSides), params)
	x, labels := smallBatch()
	step := func() string {
		if _, err := tape.Train(x, labels, StepOptions{}); err != nil {
			t.Fatal(err)
		}
		return tape.Diagnose()
	}
	if got := step(); got != "" {
		t.Errorf("a sound step: %q", got)
	}
	// Finite weights so large that their sums overflow in the second block's convolution.
	w := params.Get("layer2.0.conv1.weight").Data
	for i := range w {
		w[i] = math.MaxFloat32
	}
	if got := step(); got != "layer2.0.conv1" {
		t.Errorf("got %q, want layer2.0.conv1", got)
	}
	x[3] = float32(math.NaN())
	if got := step(); got != "input" {
		t.Errorf("got %q, want input", got)
	}
	if tape.Bytes() <= 0 {
		t.Error("no bytes")
	}
}
