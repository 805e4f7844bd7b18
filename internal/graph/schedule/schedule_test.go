package schedule_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
	"resnet/internal/graph/kernel/conv"
	"resnet/internal/graph/schedule"
)

const classes = 7

type net struct {
	params      *graph.ParamSet
	train, eval *graph.Graph
	x           []float32
	labels      []int32
}

func draw(t *testing.T, f func(*graph.Builder, *graph.Node) *graph.Node, n int, seed uint64) net {
	t.Helper()
	return drawSized(t, f, n, 9, 10, seed)
}

func drawSized(t *testing.T, f func(*graph.Builder, *graph.Node) *graph.Node, n, height, width int, seed uint64) net {
	t.Helper()
	out := net{params: graph.NewParamSet(3)}
	for _, mode := range []graph.Mode{graph.Train, graph.Eval} {
		b := graph.NewBuilder("test", mode, out.params, graph.Options{DropoutSeed: 5})
		g, err := b.Finish(f(b, b.Input(n, 3, height, width)))
		if err != nil {
			t.Fatal(err)
		}
		if mode == graph.Train {
			out.train = g
		} else {
			out.eval = g
		}
	}
	out.x, out.labels = batch(n, out.train.ImageLen(), seed)
	return out
}

func batch(n, image int, seed uint64) ([]float32, []int32) {
	rng := rand.New(rand.NewPCG(8, seed))
	x, labels := make([]float32, n*image), make([]int32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	for i := range labels {
		labels[i] = int32(rng.IntN(classes))
	}
	return x, labels
}

// snapshot copies everything that a training step leaves.
func snapshot(p *graph.ParamSet, r graph.Result) map[string][]float32 {
	out := map[string][]float32{"loss": {float32(r.Loss)}, "logits": slices.Clone(r.Logits)}
	for _, q := range p.All() {
		if q.Trainable() {
			out["gradient of "+q.Name] = slices.Clone(q.Grad)
		} else {
			out[q.Name] = slices.Clone(q.Data)
		}
	}
	return out
}

func train(t *testing.T, m graph.Machine, n net, o graph.StepOptions) map[string][]float32 {
	t.Helper()
	r, err := m.Train(n.x, n.labels, o)
	if err != nil {
		t.Fatal(err)
	}
	return snapshot(n.params, r)
}

// differences lists what differs by more than tol of its norm. The gradient of a shift in front
// of another normalisation is zero but for rounding: hence the absolute part.
func differences(what string, got, want map[string][]float32, tol float64) []string {
	var out []string
	for name, w := range want {
		g, d, norm := got[name], 0., 0.
		for i := range w {
			d += math.Pow(float64(g[i])-float64(w[i]), 2)
			norm += math.Pow(float64(w[i]), 2)
		}
		if math.Sqrt(d) > tol*math.Sqrt(norm)+1e-6 || math.IsNaN(d) {
			out = append(out, fmt.Sprintf("%s: %s differs by %.2e of its norm, at most %.0e", what, name, math.Sqrt(d/norm), tol))
		}
	}
	return out
}

func TestScheduleMatchesTape(t *testing.T) {
	for name, f := range nets {
		for _, n := range []int{5, 19} {
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				compareWithTape(t, f, n, schedule.Options{Threads: 2}, 2e-5)
			})
			if testing.Short() && n != 5 && name != "normalised twice" {
				// Several rounds; each is two barriers, which take long where others want the
				// processor too.
				continue
			}
			t.Run(fmt.Sprintf("%s/%d in rounds", name, n), func(t *testing.T) {
				compareWithTape(t, f, n, inRounds(2), 2e-4)
			})
		}
	}
}

// inRounds makes every convolution that Winograd's algorithm can compute one of many weights: all
// workers go through it together, in several rounds of images and chunks of tiles.
func inRounds(threads int) schedule.Options {
	return schedule.Options{
		Threads: threads, Limits: conv.Limits{Weights: 1, Tiles: 12, Round: 36 * 16 * 32 * 3, Work: 1},
		Choose: func(s conv.Shape) conv.Choices {
			if !s.CanWinograd() {
				return conv.Choices{}
			}
			return conv.Choices{Forward: conv.Winograd, DataGrad: conv.Winograd, Weights: conv.Winograd}
		},
	}
}

// compareWithTape trains and evaluates a net with the first input that is not near a kink. The
// tolerance is for float32 sums of a few hundred products through half a dozen layers, of which
// Winograd's transforms lose about a decimal digit. So an input is near a kink within a fifth of
// it for a single value.
func compareWithTape(t *testing.T, f func(*graph.Builder, *graph.Node) *graph.Node, n int, with schedule.Options, tol float64) {
	t.Helper()
	options := []graph.StepOptions{{}, {Accumulate: true}, {StatsMomentum: 0.5}}
	for seed := range uint64(60) {
		slow := draw(t, f, n, seed)
		tape, err := graph.NewTape(slow.train, slow.params)
		if err != nil {
			t.Fatal(err)
		}
		var want []map[string][]float32
		near := math.Inf(1)
		for _, o := range options {
			want = append(want, train(t, tape, slow, o))
			near = min(near, kink(t, tape, slow.train))
		}
		if near < tol/20 {
			continue
		}
		fast := draw(t, f, n, seed)
		m := compile(t, fast.train, with)
		for i, o := range options {
			report(t, differences(fmt.Sprintf("input %d, %+v", seed, o), train(t, m, fast, o), want[i], tol))
		}
		compareInference(t, slow, fast, n, with, tol)
		return
	}
	t.Error("every input is near a kink")
}

func compareInference(t *testing.T, slow, fast net, n int, with schedule.Options, tol float64) {
	t.Helper()
	tape, err := graph.NewTape(slow.eval, slow.params)
	if err != nil {
		t.Fatal(err)
	}
	e := compile(t, fast.eval, with)
	for _, k := range []int{n, 1, n - 1} {
		want := infer(t, tape, slow.x[:k*slow.eval.ImageLen()], k)
		end := k * fast.eval.ImageLen()
		got := infer(t, e, fast.x[:end:end], k) // whoever reads past the end panics
		report(t, differences(fmt.Sprintf("%d images", k), map[string][]float32{"logits": got}, map[string][]float32{"logits": want}, tol))
	}
}

func report(t *testing.T, found []string) {
	t.Helper()
	for _, d := range found {
		t.Error(d)
	}
}

func compile(t testing.TB, g *graph.Graph, o schedule.Options) *schedule.Machine {
	t.Helper()
	m, err := schedule.Compile(g, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	for _, fault := range schedule.Verify(m) {
		t.Errorf("%s, %v: %s", g.Name, g.Mode, fault)
	}
	return m
}

func tiny(t testing.TB, arch string, n int, mode graph.Mode) (*graph.Graph, *graph.ParamSet) {
	t.Helper()
	spec, err := blocks.Lookup(arch)
	if err != nil {
		t.Fatal(err)
	}
	p := graph.NewParamSet(1)
	g, err := blocks.Build(spec, n, mode, p)
	if err != nil {
		t.Fatal(err)
	}
	return g, p
}

func inUnits(threads int) schedule.Options { return schedule.Options{Threads: threads} }

// TestThreadsDoNotChangeABit is the promise of determinism, for every instruction set of this
// CPU.
func TestThreadsDoNotChangeABit(t *testing.T) {
	best := kernel.Active()
	defer func() { _ = kernel.Use(best) }()
	for _, isa := range kernel.Available() {
		if err := kernel.Use(isa); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			arch string
			with func(threads int) schedule.Options
		}{{"tiny-wide", inUnits}, {"tiny-b", inUnits}, {"tiny-wide", inRounds}} {
			var want map[string][]float32
			for _, threads := range []int{1, 2, 3, 7} {
				g, p := tiny(t, c.arch, 37, graph.Train)
				m := compile(t, g, c.with(threads))
				n := net{params: p}
				n.x, n.labels = batch(37, g.ImageLen(), 1)
				train(t, m, n, graph.StepOptions{})
				got := train(t, m, n, graph.StepOptions{Accumulate: true})
				if want == nil {
					want = got
				}
				for name := range want {
					if !slices.Equal(got[name], want[name]) {
						t.Errorf("%s, %s: %s is not the same bits with %d threads as with 1", isa, c.arch, name, threads)
					}
				}
			}
		}
	}
}

func TestInstructionSetsAgree(t *testing.T) {
	best := kernel.Active()
	defer func() { _ = kernel.Use(best) }()
	for seed := range uint64(2) {
		var want map[string][]float32
		for _, isa := range kernel.Available() {
			if err := kernel.Use(isa); err != nil {
				t.Fatal(err)
			}
			got := smoothStep(t, schedule.Options{}, seed)
			if want == nil {
				want = got
			}
			report(t, differences(isa, got, want, 2e-5))
		}
	}
}

// TestAlgorithmsAgree trains a step with direct and with Winograd convolutions.
func TestAlgorithmsAgree(t *testing.T) {
	for seed := range uint64(2) {
		step := func(a conv.Algorithm) map[string][]float32 {
			return smoothStep(t, schedule.Options{Choose: func(s conv.Shape) conv.Choices {
				if !s.CanWinograd() {
					return conv.Choices{}
				}
				return conv.Choices{Forward: a, DataGrad: a, Weights: a}
			}}, seed)
		}
		report(t, differences("winograd", step(conv.Winograd), step(conv.Direct), 1e-4))
	}
}

// smooth is a residual net without kinks, of whole blocks of channels.
func smooth(b *graph.Builder, x *graph.Node) *graph.Node {
	o := graph.ConvOpts{Filters: 32, Kernel: 3, Stride: 1, Pad: 1}
	x = b.ELU(b.BatchNorm("bn1", b.Conv("conv1", x, o)), 1)
	y := b.ELU(b.BatchNorm("bn2", b.Conv("conv2", x, o)), 1)
	x = b.Add(b.BatchNorm("bn3", b.Conv("conv3", y, o)), x)
	o.Stride = 2
	return b.Linear("fc", b.GlobalAvgPool(b.Sigmoid(b.Conv("conv4", x, o))), classes)
}

// smoothStep trains a net without kinks by one step.
func smoothStep(t *testing.T, o schedule.Options, seed uint64) map[string][]float32 {
	t.Helper()
	n := draw(t, smooth, 20, seed)
	return train(t, compile(t, n.train, o), n, graph.StepOptions{})
}

func TestAStepAllocatesNothingThatGrowsWithTheModel(t *testing.T) {
	allocates(t, schedule.Options{Threads: 2})
	allocates(t, inBFloat16(schedule.Options{Threads: 2}))
}

func allocates(t *testing.T, o schedule.Options) {
	t.Helper()
	allocations := map[string]float64{}
	for _, arch := range []string{"resnet20", "resnet32"} {
		g, p := tiny(t, arch, 2, graph.Train)
		m := compile(t, g, o)
		n := net{params: p}
		n.x, n.labels = batch(2, g.ImageLen(), 1)
		allocations[arch] = testing.AllocsPerRun(3, func() {
			if _, err := m.Train(n.x, n.labels, graph.StepOptions{}); err != nil {
				t.Fatal(err)
			}
		})
	}
	// The few that there are come from the runtime and from Gorgonia's own goroutine.
	if a := allocations; a["resnet32"] > a["resnet20"]+4 || a["resnet20"] > 32 {
		t.Errorf("%v: allocations of a step: %v", o.Precision, a)
	}
}

func TestForwardOnlyLeavesGradientsAlone(t *testing.T) {
	n := draw(t, nets["pre-activation"], 5, 1)
	m := compile(t, n.train, schedule.Options{})
	for _, p := range n.params.All() {
		for i := range p.Grad { // running statistics have none
			p.Grad[i] = 42
		}
	}
	before := slices.Clone(n.params.Get("bn.running_mean").Data)
	train(t, m, n, graph.StepOptions{ForwardOnly: true, StatsMomentum: 1})
	for _, p := range n.params.All() {
		for _, v := range p.Grad {
			if v != 42 {
				t.Fatalf("the gradient of %s was written", p.Name)
			}
		}
	}
	if slices.Equal(before, n.params.Get("bn.running_mean").Data) {
		t.Error("the running mean did not move")
	}
}

func TestInferSeesChangedParameters(t *testing.T) {
	n := draw(t, nets["pre-activation"], 5, 1)
	m := compile(t, n.eval, schedule.Options{})
	logits := func() []float32 {
		y, err := m.Infer(n.x, 5)
		if err != nil {
			t.Fatal(err)
		}
		return slices.Clone(y)
	}
	first := logits()
	if !slices.Equal(first, logits()) {
		t.Error("the same call twice gives two results")
	}
	for _, name := range []string{"a.conv1.weight", "bn.running_var", "fc.bias"} {
		before := logits()
		n.params.Get(name).Data[0] += 3
		if slices.Equal(before, logits()) {
			t.Errorf("a change of %s changed nothing", name)
		}
	}
}

func TestDiagnoseNamesTheFirstLayer(t *testing.T) {
	n := draw(t, nets["pre-activation"], 5, 1)
	m := compile(t, n.train, schedule.Options{})
	train(t, m, n, graph.StepOptions{})
	if got := m.Diagnose(); got != "" {
		t.Errorf("Diagnose of a finite step: %q", got)
	}
	n.params.Get("a.conv1.weight").Data[0] = float32(math.Inf(1))
	train(t, m, n, graph.StepOptions{})
	if got := m.Diagnose(); got != "a.bn2" {
		t.Errorf("Diagnose = %q, want a.bn2, which normalises the broken convolution", got)
	}
}

func TestBadCallsAreErrors(t *testing.T) {
	n := draw(t, nets["pre-activation"], 5, 1)
	m, e := compile(t, n.train, schedule.Options{}), compile(t, n.eval, schedule.Options{})
	for name, f := range map[string]func() error{
		"short batch":       func() error { _, err := m.Train(n.x[1:], n.labels, graph.StepOptions{}); return err },
		"label":             func() error { _, err := m.Train(n.x, []int32{0, 1, 2, 3, classes}, graph.StepOptions{}); return err },
		"inference":         func() error { _, err := m.Infer(n.x, 5); return err },
		"training":          func() error { _, err := e.Train(n.x, n.labels, graph.StepOptions{}); return err },
		"too many images":   func() error { _, err := e.Infer(n.x, 6); return err },
		"no images":         func() error { _, err := e.Infer(n.x, 0); return err },
		"fewer values than": func() error { _, err := e.Infer(n.x[:10], 5); return err },
	} {
		if f() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
