package blocks

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"resnet/internal/graph"
	"resnet/internal/graph/parity"
	"resnet/internal/graph/schedule"
)

// fixtures are those of generate.py, and of variants.py beside it.
var fixtures = []string{"../../testdata/parity", "../../testdata/parity/variants"}

// Tolerances: relative to the norm of a tensor, and to each loss of the trajectory. The fixtures
// are float64 results, so the room is for float32 sums of a few hundred terms (about 1e-6) through
// a dozen layers.
const (
	tensorTolerance     = 1e-4
	trajectoryTolerance = 1e-3
)

// machines are the ways of running a graph; each must agree with PyTorch.
var machines = []struct {
	name string
	make func(*graph.Graph, *graph.ParamSet) (graph.Machine, error)
}{
	{"tape", func(g *graph.Graph, p *graph.ParamSet) (graph.Machine, error) { return graph.NewTape(g, p) }},
	{"schedule", func(g *graph.Graph, _ *graph.ParamSet) (graph.Machine, error) {
		return schedule.Compile(g, schedule.Options{})
	}},
}

// forEachNet runs f on every network of the fixtures, on every machine.
func forEachNet(t *testing.T, f func(*testing.T, *netCase)) {
	for _, dir := range fixtures {
		forEachNetOf(t, dir, f)
	}
}

func forEachNetOf(t *testing.T, dir string, f func(*testing.T, *netCase)) {
	manifest, err := parity.ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, net := range manifest.Nets {
		tensors, err := parity.Read(dir, net.File, net.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		spec, err := Lookup(net.Name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range machines {
			t.Run(net.Name+"/"+m.name, func(t *testing.T) {
				c := &netCase{manifest: manifest, net: net, tensors: tensors, spec: spec, start: m.make}
				c.open(t)
				f(t, c)
			})
		}
	}
}

// netCase is one network on one machine, at its initial values.
type netCase struct {
	manifest    parity.Manifest
	net         parity.Net
	tensors     parity.Tensors
	spec        Spec
	start       func(*graph.Graph, *graph.ParamSet) (graph.Machine, error)
	params      *graph.ParamSet
	train, eval graph.Machine
}

func (c *netCase) open(t *testing.T) {
	t.Helper()
	c.params = graph.NewParamSet(1)
	c.train = c.machine(t, graph.Train)
	c.eval = c.machine(t, graph.Eval)
	initial := c.tensors.Under("init/")
	for _, p := range c.params.All() {
		v := initial.Get(p.Name)
		if len(v.Data) != len(p.Data) || !slices.Equal(v.Shape, p.Shape) {
			t.Fatalf("%s is %v here, %v in PyTorch", p.Name, p.Shape, v.Shape)
		}
		copy(p.Data, v.Data)
	}
	if len(initial) != len(c.params.All()) {
		t.Fatalf("%d parameters here, %d in PyTorch: %v", len(c.params.All()), len(initial), initial.Names())
	}
}

func (c *netCase) machine(t *testing.T, mode graph.Mode) graph.Machine {
	t.Helper()
	g, err := Build(c.spec, c.tensors.Get("x").Shape[1], mode, c.params)
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.start(g, c.params)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// batch returns the i-th batch of the fixture, taken in turn.
func (c *netCase) batch(i int) ([]float32, []int32) {
	x, labels := c.tensors.Get("x"), c.tensors.Get("labels")
	i %= c.manifest.Batches
	n, m := len(x.Data)/c.manifest.Batches, len(labels.Labels)/c.manifest.Batches
	return x.Data[i*n : (i+1)*n], labels.Labels[i*m : (i+1)*m]
}

func (c *netCase) step(t *testing.T, i int) graph.Result {
	t.Helper()
	x, labels := c.batch(i)
	r, err := c.train.Train(x, labels, graph.StepOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (c *netCase) infer(t *testing.T, i int) []float32 {
	t.Helper()
	x, labels := c.batch(i)
	logits, err := c.eval.Infer(x, len(labels))
	if err != nil {
		t.Fatal(err)
	}
	return logits
}

func (c *netCase) compare(t *testing.T, what string, got []float32, want parity.Tensor, tolerance float64) {
	t.Helper()
	if d := parity.Difference(got, want.Data); d > tolerance {
		t.Errorf("%s: differs from PyTorch by %.2g of its norm; at most %g", what, d, tolerance)
	}
}

func TestOneStepIsPyTorchs(t *testing.T) {
	forEachNet(t, func(t *testing.T, c *netCase) {
		r := c.step(t, 0)
		c.compare(t, "logits", r.Logits, c.tensors.Get("logits"), tensorTolerance)
		c.compare(t, "loss", []float32{float32(r.Loss)}, c.tensors.Get("loss"), tensorTolerance)
		gradients, statistics := c.tensors.Under("grad/"), c.tensors.Under("stats/")
		for _, p := range c.params.All() {
			if c.net.Name == "tiny-vggbn" && constantBefore(p) {
				if norm(p.Grad) > 1e-6 {
					t.Errorf("the gradient of %s, which normalisation removes, has norm %g", p.Name, norm(p.Grad))
				}
			} else if p.Trainable() {
				c.compare(t, "gradient of "+p.Name, p.Grad, gradients.Get(p.Name), tensorTolerance)
			} else {
				c.compare(t, p.Name, p.Data, statistics.Get(p.Name), tensorTolerance)
			}
		}
		c.compare(t, "logits in evaluation", c.infer(t, 1), c.tensors.Get("eval_logits"), tensorTolerance)
	})
}

func TestTwentyStepsOfSGDFollowPyTorchs(t *testing.T) {
	forEachNet(t, func(t *testing.T, c *netCase) {
		losses := c.tensors.Get("losses").Data
		if len(losses) != c.manifest.Steps || c.manifest.Steps < 20 {
			t.Fatalf("%d losses of %d steps", len(losses), c.manifest.Steps)
		}
		velocity := map[string][]float32{}
		for i, want := range losses {
			r := c.step(t, i)
			if d := math.Abs(r.Loss-float64(want)) / float64(want); !(d <= trajectoryTolerance) {
				t.Fatalf("step %d: loss %.6f, PyTorch %.6f", i, r.Loss, want)
			}
			sgd(c.params, velocity, float32(c.net.Rate), float32(c.manifest.Momentum), float32(c.manifest.WeightDecay))
		}
		c.compare(t, "logits after training", c.infer(t, 0), c.tensors.Get("trained_logits"), trajectoryTolerance)
	})
}

// sgd is PyTorch's: v = m v + (g + d w); w -= rate v.
func sgd(params *graph.ParamSet, velocity map[string][]float32, rate, momentum, decay float32) {
	for _, p := range params.All() {
		if !p.Trainable() {
			continue
		}
		v := velocity[p.Name]
		if v == nil {
			v = make([]float32, len(p.Data))
			velocity[p.Name] = v
		}
		for i := range v {
			v[i] = momentum*v[i] + (p.Grad[i] + decay*p.Data[i])
			p.Data[i] -= rate * v[i]
		}
	}
}

func TestFixturesCoverEveryKindOfBlock(t *testing.T) {
	var nets []parity.Net
	for _, dir := range fixtures {
		manifest, err := parity.ReadManifest(dir)
		if err != nil {
			t.Fatal(err)
		}
		nets = append(nets, manifest.Nets...)
	}
	covered := map[string]bool{}
	for _, net := range nets {
		s, err := Lookup(net.Name)
		if err != nil {
			t.Fatal(err)
		}
		place := ""
		if s.PadEnd {
			place = "-end"
		}
		covered[string(s.Block)+" "+string(s.Shortcut)+place] = true
		covered[string(s.Stem)] = true
		v := s.variation()
		covered[fmt.Sprintf("%s %s nobn=%v", s.Block, v.activation, v.noBatchNorm)] = true
		covered[fmt.Sprint("stem ", v.stemKernel)] = true
		for what, has := range map[string]bool{"groups": s.Groups > 1, "widen": s.Widen > 1, "average shortcut": s.AvgDown, "squeeze-and-excitation": s.SE > 0, "stem width": s.StemWidth > 0} {
			covered[what] = covered[what] || has
		}
		for _, p := range s.Body {
			covered[string(p.Kind)] = true
			for _, branch := range p.Branches {
				for _, q := range branch {
					covered[string(q.Kind)] = true
				}
			}
		}
		if strings.Contains(net.Name, "v1.5") && s.StrideIn3x3 {
			covered["v1.5"] = true
		}
	}
	for _, want := range []string{
		"basic none", "basic A", "basic A-end", "basic B", "basic C", "bottleneck A", "bottleneck B", "bottleneck C", "v1.5", string(Stem3x3), string(Stem7x7), string(StemDeep),
		"basic sigmoid nobn=false", "basic sigmoid nobn=true", "basic elu nobn=false", "basic  nobn=true", "bottleneck elu nobn=true", "stem 3", "stem 5", "stem 7",
		"preact-basic A", "preact-basic B", "preact-bottleneck B", "groups", "widen", "average shortcut", "squeeze-and-excitation", "stem width",
		"conv", "norm", "relu", "prelu", "lrn", "maxpool", "avgpool", "global", "flatten", "pyramid", "fc", "dropout", "module", "aux",
	} {
		if !covered[want] {
			t.Errorf("no fixture of %s", want)
		}
	}
}
