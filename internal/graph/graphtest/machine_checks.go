package graphtest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"resnet/internal/graph"
)

// everyOption is every combination of StepOptions.
func everyOption() (all []graph.StepOptions) {
	for _, accumulate := range []bool{false, true} {
		for _, forwardOnly := range []bool{false, true} {
			for _, momentum := range []float64{0, 0.25, 1} {
				all = append(all, graph.StepOptions{Accumulate: accumulate, ForwardOnly: forwardOnly, StatsMomentum: momentum})
			}
		}
	}
	return all
}

// steps checks the first step of fresh machines with every combination of options.
func (s suite) steps() {
	s.Helper()
	oracle := s.instance(graph.Train, true)
	before := oracle.state()
	plain := oracle.step(s.T, 1, graph.StepOptions{StatsMomentum: 1})
	for _, o := range everyOption() {
		m := s.instance(graph.Train, false)
		s.compare(fmt.Sprintf("%+v", o), m.step(s.T, 1, o), s.expect(m, before, plain, o))
	}
}

// expect is what a step with options leaves, from what was there before and from a step that wrote
// its gradients and replaced the running statistics by the batch's.
func (s suite) expect(m instance, before, plain map[string][]float64, o graph.StepOptions) map[string][]float64 {
	momentum := map[string]float64{}
	for _, st := range m.g.Stats {
		momentum[st.Mean.Name], momentum[st.Var.Name] = st.Mean.Momentum, st.Var.Momentum
	}
	want := map[string][]float64{}
	for name, w := range plain {
		was := before[name]
		w = slices.Clone(w)
		rate, statistic := momentum[name]
		for i := range w {
			switch {
			case statistic:
				r := rate
				if o.StatsMomentum != 0 {
					r = o.StatsMomentum
				}
				w[i] = (1-r)*was[i] + r*w[i]
			case name == "loss" || name == "logits":
			case o.ForwardOnly: // gradients and masks stay
				w[i] = was[i]
			case o.Accumulate && strings.HasPrefix(name, "gradient of ") && m.trained(name):
				w[i] += was[i]
			}
		}
		want[name] = w
	}
	return want
}

// trained reports whether the gradient so called is computed.
func (m instance) trained(name string) bool {
	for _, p := range m.g.Params {
		if "gradient of "+p.Param.Name == name {
			return p.Grad != nil
		}
	}
	return false
}

// otherBatch proves that loss and logits are those of the batch in hand in every mode, after a step
// with another batch.
func (s suite) otherBatch() {
	s.Helper()
	for _, o := range everyOption() {
		fresh, used := s.instance(graph.Train, true), s.instance(graph.Train, false)
		used.step(s.T, 1, graph.StepOptions{ForwardOnly: true, StatsMomentum: 0.5})
		got, want := used.step(s.T, 2, o), fresh.step(s.T, 2, o)
		for name := range want {
			if name != "loss" && name != "logits" {
				delete(want, name)
			}
		}
		s.compare(fmt.Sprintf("%+v after another batch", o), got, want)
	}
}

// inference checks logits of every number of images, in an order that leaves others behind, and
// after a change of parameters.
func (s suite) inference() {
	s.Helper()
	oracle, m := s.instance(graph.Eval, true), s.instance(graph.Eval, false)
	x, _ := m.batch(1)
	for round := range 2 {
		for n := m.g.N; n >= 1; n-- {
			want, err := oracle.Infer(x[:n*m.g.ImageLen()], n)
			if err != nil {
				s.Fatal(err)
			}
			got, err := m.Infer(x[:n*m.g.ImageLen()], n)
			if err != nil {
				s.Fatal(err)
			}
			if len(got) != n*m.g.LogitsLen() {
				s.Fatalf("%d images have %d logits, want %d", n, len(got), n*m.g.LogitsLen())
			}
			s.compare(fmt.Sprintf("round %d, %d images", round, n), map[string][]float64{"logits": m.valid(got, n)}, map[string][]float64{"logits": oracle.valid(want, n)})
		}
		for _, p := range []*graph.ParamSet{oracle.params, m.params} {
			for _, q := range p.All() {
				q.Data[0] += 0.25
			}
		}
	}
}

// wrongCalls checks that what a machine cannot do is refused with the right sentinel and changes
// nothing: the next step is as the first.
func (s suite) wrongCalls() {
	s.Helper()
	m, e := s.instance(graph.Train, false), s.instance(graph.Eval, false)
	before := m.state()
	x, labels := m.batch(1)
	ex, _ := e.batch(1)
	image, n := e.g.ImageLen(), e.g.N
	refused := func(what string, err, want error) {
		s.Helper()
		if !errors.Is(err, want) {
			s.Errorf("%s: got %v, want %v", what, err, want)
		}
	}
	train := func(what string, x []float32, labels []int32) {
		s.Helper()
		for _, o := range []graph.StepOptions{{}, {ForwardOnly: true}} {
			o.Targets = m.targets(make([]int32, m.g.N))
			_, err := m.Train(x, labels, o)
			refused(what, err, graph.ErrShape)
		}
	}
	train("no values", nil, labels)
	train("a value too few", x[1:], labels)
	train("a value too many", append(slices.Clone(x), 0), labels)
	train("an image too many", append(slices.Clone(x), x[:image]...), labels)
	train("no labels", x, nil)
	train("a label too few", x, labels[1:])
	train("a label too many", x, append(slices.Clone(labels), 0))
	for _, bad := range []int32{-2, int32(m.g.Classes()), math.MaxInt32} {
		wrong := slices.Clone(labels)
		wrong[len(wrong)-1] = bad
		train(fmt.Sprint("label ", bad), x, wrong)
	}
	for _, wrong := range [][]float32{m.targets(labels[1:]), make([]float32, n*m.g.Classes()+1)} {
		if m.g.Targets == graph.ClassTargets && wrong == nil {
			continue
		}
		_, err := m.Train(x, labels, graph.StepOptions{Targets: wrong})
		refused(fmt.Sprint("targets ", len(wrong)), err, graph.ErrShape)
	}
	_, err := m.Infer(x, n)
	refused("inference on a graph of training", err, graph.ErrMode)
	_, err = e.Train(ex, make([]int32, n), graph.StepOptions{})
	refused("training on a graph of inference", err, graph.ErrMode)

	infer := func(what string, x []float32, n int) {
		s.Helper()
		_, err := e.Infer(x, n)
		refused(what, err, graph.ErrShape)
	}
	infer("no images", nil, 0)
	infer("less than no images", ex, -1)
	infer("a value too few", ex[1:], n)
	infer("a value too many", append(slices.Clone(ex), 0), n)
	infer("an image more than said", ex, n-1)
	infer("an image less than said", ex[:image], 2)
	infer("more images than the graph has", append(slices.Clone(ex), ex[:image]...), n+1)
	if seq := m.g.Sequences; seq != nil {
		for _, bad := range []int32{0, -1, int32(m.g.Input.Shape()[3]) + 1} {
			old := seq.Lengths[1]
			seq.Lengths[1], e.g.Sequences.Lengths[1] = bad, bad
			train(fmt.Sprint("an utterance of frames ", bad), x, labels)
			infer(fmt.Sprint("an utterance of frames ", bad), ex, n)
			seq.Lengths[1], e.g.Sequences.Lengths[1] = old, old
		}
	}
	s.compare("after refused calls", m.state(), before)
	s.compare("a step after refused calls", m.step(s.T, 1, graph.StepOptions{}), s.instance(graph.Train, false).step(s.T, 1, graph.StepOptions{}))
}

// diagnose breaks the layer s.net.breaks: all that is behind it is not finite, and nothing in front
// of it.
func (s suite) diagnose() {
	s.Helper()
	m := s.instance(graph.Train, false)
	if got := m.Diagnose(); got != "" {
		s.Errorf("Diagnose before any step: %q", got)
	}
	for _, o := range []graph.StepOptions{{}, {ForwardOnly: true}} {
		m.step(s.T, 1, o)
		if got := m.Diagnose(); got != "" {
			s.Errorf("Diagnose of a finite step, %+v: %q", o, got)
		}
	}
	for i := range m.params.Get(s.net.breaks + ".weight").Data {
		m.params.Get(s.net.breaks + ".weight").Data[i] = float32(math.Inf(1))
	}
	for _, o := range []graph.StepOptions{{ForwardOnly: true}, {}} {
		x, labels := m.batch(1)
		o.Targets = m.targets(labels)
		if _, err := m.Train(x, labels, o); err != nil {
			s.Fatal(err)
		}
		if got := m.Diagnose(); !slices.Contains(s.net.named, got) {
			s.Errorf("Diagnose behind a broken %s, %+v: %q, want one of %q", s.net.breaks, o, got, s.net.named)
		}
	}
}

// close checks that closing is final, and twice no harm.
func (s suite) close() {
	s.Helper()
	m, e := s.instance(graph.Train, false), s.instance(graph.Eval, false)
	x, labels := m.batch(1)
	ex, _ := e.batch(1)
	o := graph.StepOptions{Targets: m.targets(labels)}
	if _, err := m.Train(x, labels, o); err != nil {
		s.Fatal(err)
	}
	if m.Bytes() <= 0 || e.Bytes() <= 0 {
		s.Errorf("planned memory of %d and %d bytes", m.Bytes(), e.Bytes())
	}
	for range 2 {
		m.Close()
		e.Close()
		if _, err := m.Train(x, labels, o); !errors.Is(err, graph.ErrClosed) {
			s.Errorf("Train after Close: %v", err)
		}
		if _, err := e.Infer(ex, e.g.N); !errors.Is(err, graph.ErrClosed) {
			s.Errorf("Infer after Close: %v", err)
		}
	}
}
