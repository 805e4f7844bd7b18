package graphtest

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"resnet/internal/graph"
)

// MakeMachine compiles a graph that was drawn with params.
type MakeMachine func(g *graph.Graph, params *graph.ParamSet) (graph.Machine, error)

// machineTolerance is relative to the norm of a tensor: float32 sums of up to a few hundred terms
// through half a dozen layers, without kinks, against float64.
const machineTolerance = 2e-5

// RunMachine proves that what newMachine makes is a graph.Machine: for each of a few networks, the
// values of every combination of StepOptions and of every number of images within machineTolerance
// of Tape in float64; calls with wrong modes, lengths and labels refused with the right sentinel,
// without a trace; Diagnose; and Close. What an option changes is computed here from a plain step,
// so that the oracle's own idea of the options is under test too.
func RunMachine(t *testing.T, newMachine MakeMachine) {
	RunMachineWithin(t, machineTolerance, newMachine)
}

// RunMachineWithin is RunMachine for a machine that rounds more than float32 does: with another
// tolerance.
func RunMachineWithin(t *testing.T, tolerance float64, newMachine MakeMachine) {
	for _, n := range machineNets {
		t.Run(n.name, func(t *testing.T) {
			s := suite{t, n, newMachine, tolerance}
			s.steps()
			s.otherBatch()
			s.inference()
			s.wrongCalls()
			s.diagnose()
			s.close()
		})
	}
}

// suite is a network on the machine under test.
type suite struct {
	*testing.T
	net       machineNet
	make      MakeMachine
	tolerance float64
}

// instance is a machine with parameters of its own.
type instance struct {
	graph.Machine
	g      *graph.Graph
	params *graph.ParamSet
}

// instance compiles the network for the machine under test, or in float64 for the oracle.
func (s suite) instance(mode graph.Mode, oracle bool) instance {
	s.Helper()
	dtype, newMachine := tensor.Float32, s.make
	if oracle {
		dtype = tensor.Float64
		newMachine = func(g *graph.Graph, p *graph.ParamSet) (graph.Machine, error) { return graph.NewTape(g, p) }
	}
	params := graph.NewParamSet(4)
	g := s.net.draw(s.T, mode, dtype, params)
	for _, p := range params.All() {
		if p.Kind == graph.KindScale || p.Kind == graph.KindShift { // ones and zeros hide mistakes
			for i := range p.Data {
				p.Data[i] += 0.1 * float32(i%5)
			}
		}
		for i := range p.Grad {
			p.Grad[i] = oldGradient
		}
	}
	m, err := newMachine(g, params)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(m.Close)
	return instance{m, g, params}
}

// oldGradient is what every gradient holds before a step.
const oldGradient = 0.5

// batch is as many images as a graph takes, and their labels; other seeds make others.
func (m instance) batch(seed uint64) (x []float32, labels []int32) {
	r := rand.New(rand.NewPCG(21, seed))
	x = make([]float32, m.g.N*m.g.ImageLen())
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	if m.g.Mode == graph.Eval {
		return x, nil
	}
	labels = make([]int32, m.g.LabelsLen())
	for i := range labels {
		labels[i] = int32(r.IntN(m.g.Classes()))
		if m.g.Frames > 0 && i%3 == 0 {
			labels[i] = -1
		}
	}
	return x, labels
}

// targets are what the images of a batch are trained towards where the graph has targets: mostly
// their label, in part another class.
func (m instance) targets(labels []int32) []float32 {
	if m.g.Targets == graph.ClassTargets {
		return nil
	}
	k := m.g.Classes()
	out := make([]float32, len(labels)*k)
	for i, label := range labels {
		out[i*k+int(label)] += 0.7
		out[i*k+i%k] += 0.2
	}
	return out
}

// step trains once and returns what it reports and leaves.
func (m instance) step(t *testing.T, seed uint64, o graph.StepOptions) map[string][]float64 {
	t.Helper()
	x, labels := m.batch(seed)
	o.Targets = m.targets(labels)
	r, err := m.Train(x, labels, o)
	if err != nil {
		t.Fatal(err)
	}
	out := m.state()
	out["loss"], out["logits"] = []float64{r.Loss}, m.valid(r.Logits, m.g.N)
	return out
}

// state copies gradients, running statistics and the count of dropout's masks.
func (m instance) state() map[string][]float64 {
	out := map[string][]float64{}
	for _, p := range m.params.All() {
		if p.Trainable() {
			out["gradient of "+p.Name] = widen(p.Grad)
		} else {
			out[p.Name] = widen(p.Data)
		}
	}
	if m.g.Dropout != nil {
		out["dropout's step"] = []float64{float64(m.g.Dropout.Step)}
	}
	return out
}

// valid is the logits of n images, those of padding left out.
func (m instance) valid(logits []float32, n int) (out []float64) {
	per := m.g.LogitsLen()
	for i := range n {
		row := logits[i*per : (i+1)*per]
		if m.g.Frames > 0 {
			row = row[:int(m.g.Sequences.Lengths[i])*m.g.Classes()]
		}
		out = append(out, widen(row)...)
	}
	return out
}

func widen(xs []float32) []float64 {
	out := make([]float64, len(xs))
	for i, x := range xs {
		out[i] = float64(x)
	}
	return out
}

// compare reports what differs by more than the tolerance of its norm.
func (s suite) compare(what string, got, want map[string][]float64) {
	s.Helper()
	for name, w := range want {
		g, d, norm := got[name], 0., 0.
		if len(g) != len(w) {
			s.Errorf("%s: %s has %d values, want %d", what, name, len(g), len(w))
			continue
		}
		for i := range w {
			d += (g[i] - w[i]) * (g[i] - w[i])
			norm += w[i] * w[i]
		}
		// The gradient of a shift before a normalisation is zero but for rounding: hence the
		// absolute part.
		if !(math.Sqrt(d) <= s.tolerance*(math.Sqrt(norm)+0.05)) {
			s.Errorf("%s: %s differs by %.2e of its norm", what, name, math.Sqrt(d/norm))
		}
	}
}
