package train

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
)

// The toy problem: 22 points of 6 features in 3 classes, a linear classifier, and running
// statistics of the features that the evaluation depends on. It is small enough to stop at every
// step.
const (
	toyImages   = 22
	toyFeatures = 6
	toyClasses  = 3
)

func toyParams() *graph.ParamSet {
	set := graph.NewParamSet(1)
	w := make([]float32, toyClasses*toyFeatures)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range w {
		w[i] = float32(r.NormFloat64()) / 2
	}
	ones := make([]float32, toyFeatures)
	for i := range ones {
		ones[i] = 1
	}
	set.Add(&graph.Param{Name: "bn.running_mean", Shape: []int{toyFeatures}, Kind: graph.KindRunningMean, Momentum: 0.1, Data: make([]float32, toyFeatures)})
	set.Add(&graph.Param{Name: "bn.running_var", Shape: []int{toyFeatures}, Kind: graph.KindRunningVar, Momentum: 0.1, Data: ones})
	set.Add(&graph.Param{Name: "fc.weight", Shape: []int{toyClasses, toyFeatures}, Kind: graph.KindWeight, Data: w})
	set.Add(&graph.Param{Name: "fc.bias", Shape: []int{toyClasses}, Kind: graph.KindBias, Data: make([]float32, toyClasses)})
	return set
}

// toyMachine is softmax regression, with a place to inject faults.
type toyMachine struct {
	params *graph.ParamSet
	calls  int
	// fault may change what a batch gave; batches is what BeforeBatch was told.
	fault   func(batches int, m *toyMachine, res *graph.Result)
	batches int
	layer   string // what Diagnose says
}

func (m *toyMachine) Train(x []float32, labels []int32, o graph.StepOptions) (graph.Result, error) {
	m.calls++
	n := len(labels)
	w, b := m.params.Get("fc.weight"), m.params.Get("fc.bias")
	if !o.Accumulate && !o.ForwardOnly {
		clear(w.Grad)
		clear(b.Grad)
	}
	m.fold(x, n, o)
	logits := toyLogits(m.params, x, n)
	loss := 0.0
	for i := range n {
		row := logits[i*toyClasses : (i+1)*toyClasses]
		p := softmax(row)
		loss -= math.Log(p[labels[i]]) / float64(n)
		if o.ForwardOnly {
			continue
		}
		for k := range row {
			d := p[k]
			if k == int(labels[i]) {
				d--
			}
			g := float32(d / float64(n))
			b.Grad[k] += g
			for j := range toyFeatures {
				w.Grad[k*toyFeatures+j] += float32(g * x[i*toyFeatures+j])
			}
		}
	}
	if o.Finished != nil && !o.ForwardOnly { // of the last layer first, and of one alone
		o.Finished(b)
	}
	res := graph.Result{Loss: loss, Logits: logits}
	if m.fault != nil {
		m.fault(m.batches, m, &res)
	}
	return res, nil
}

// fold updates the running mean and variance of each feature.
func (m *toyMachine) fold(x []float32, n int, o graph.StepOptions) {
	mean, variance := m.params.Get("bn.running_mean").Data, m.params.Get("bn.running_var").Data
	momentum := 0.1
	if o.StatsMomentum != 0 {
		momentum = o.StatsMomentum
	}
	for j := range toyFeatures {
		s, q := 0.0, 0.0
		for i := range n {
			s += float64(x[i*toyFeatures+j]) / float64(n)
		}
		for i := range n {
			d := float64(x[i*toyFeatures+j]) - s
			q += d * d / float64(n-1)
		}
		mean[j] = float32((1-momentum)*float64(mean[j]) + momentum*s)
		variance[j] = float32((1-momentum)*float64(variance[j]) + momentum*q)
	}
}

func (m *toyMachine) Infer([]float32, int) ([]float32, error) {
	return nil, errors.New("a training machine")
}
func (m *toyMachine) Diagnose() string { return m.layer }
func (m *toyMachine) Bytes() int64     { return 0 }
func (m *toyMachine) Close()           {}

func toyLogits(params *graph.ParamSet, x []float32, n int) []float32 {
	w, b := params.Get("fc.weight").Data, params.Get("fc.bias").Data
	out := make([]float32, n*toyClasses)
	for i := range n {
		for k := range toyClasses {
			s := b[k]
			for j := range toyFeatures {
				s += float32(w[k*toyFeatures+j] * x[i*toyFeatures+j])
			}
			out[i*toyClasses+k] = s
		}
	}
	return out
}

func softmax(row []float32) []float64 {
	p, sum := make([]float64, len(row)), 0.0
	for i, x := range row {
		p[i] = math.Exp(float64(x - row[0]))
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// toyImage is image i of epoch e: a centre for its class and noise that depends on the epoch, as
// augmentation does.
func toyImage(dst []float32, epoch, i int) int32 {
	label := i % toyClasses
	c := rand.New(rand.NewPCG(7, uint64(label)))
	r := rand.New(rand.NewPCG(uint64(epoch)+100, uint64(i)))
	for j := range dst {
		dst[j] = float32(c.NormFloat64() + 0.8*r.NormFloat64())
	}
	return int32(label)
}

// toyLoader gives shuffled full batches without end, from any position.
type toyLoader struct {
	t                  *testing.T
	epoch, step, batch int
	onNext             func()
	open               *atomic.Int32
}

func (l *toyLoader) Next(ctx context.Context) (*datasets.Batch, error) {
	if l.onNext != nil {
		l.onNext()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if l.step == toyImages/l.batch {
		l.epoch, l.step = l.epoch+1, 0
	}
	order := rand.New(rand.NewPCG(uint64(l.epoch), 3)).Perm(toyImages)
	b := &datasets.Batch{X: make([]float32, l.batch*toyFeatures), Labels: make([]int32, l.batch), N: l.batch, Epoch: l.epoch, Step: l.step}
	for i := range l.batch {
		b.Labels[i] = toyImage(b.X[i*toyFeatures:(i+1)*toyFeatures], l.epoch, order[l.step*l.batch+i])
	}
	l.step++
	return b, nil
}

func (l *toyLoader) Recycle(b *datasets.Batch) {
	for i := range b.X {
		b.X[i] = float32(math.NaN()) // whoever reads a recycled batch is found out
	}
}
func (l *toyLoader) Close() { l.open.Add(-1) }

// toyEvaluate measures points that training never sees, normalised by the running statistics.
func toyEvaluate(params *graph.ParamSet) Metrics {
	const n = 30
	x := make([]float32, n*toyFeatures)
	mean, variance := params.Get("bn.running_mean").Data, params.Get("bn.running_var").Data
	labels := make([]int32, n)
	for i := range n {
		row := x[i*toyFeatures : (i+1)*toyFeatures]
		labels[i] = toyImage(row, -50, i)
		for j := range row {
			row[j] = (row[j] - mean[j]) / float32(math.Sqrt(float64(variance[j])+1e-5))
		}
	}
	logits := toyLogits(params, x, n)
	wrong, _ := countWrong(logits, labels)
	m := Metrics{Top5Error: new(float64), Error: 100 * float64(wrong) / n}
	for i, l := range labels {
		m.Loss -= math.Log(softmax(logits[i*toyClasses : (i+1)*toyClasses])[l]) / n
	}
	return m
}

// memStore keeps the bytes of every checkpoint, so that they can be compared.
type memStore struct {
	saved  map[int][]byte
	snaps  map[int]memSnap
	order  []int
	onSave func(step int) error
}

type memSnap struct {
	state    []byte
	params   map[string][]float32
	momentum []Tensor
	best     bool
	eval     *Evaluation
}

func (m *memStore) Save(s Snapshot) error {
	if m.onSave != nil {
		if err := m.onSave(s.State.Step); err != nil {
			return err
		}
	}
	if m.saved == nil {
		m.saved, m.snaps = map[int][]byte{}, map[int]memSnap{}
	}
	state, err := s.State.Encode()
	if err != nil {
		return err
	}
	snap := memSnap{state: state, params: map[string][]float32{}, best: s.IsBest, eval: s.Evaluation}
	list := weights.FromParams(s.Params)
	for _, p := range s.Params.All() {
		snap.params[p.Name] = append([]float32(nil), p.Data...)
	}
	for _, t := range s.Momentum {
		list = append(list, weights.Tensor{Name: t.Name, Shape: t.Shape, Data: t.Data})
		t.Data = append([]float32(nil), t.Data...)
		snap.momentum = append(snap.momentum, t)
	}
	var b bytes.Buffer
	if err := weights.Write(&b, list, map[string]string{"state": string(state)}); err != nil {
		return err
	}
	m.saved[s.State.Step], m.snaps[s.State.Step] = b.Bytes(), snap
	m.order = append(m.order, s.State.Step)
	return nil
}

// toyRun is one Run of the toy problem with its surroundings.
type toyRun struct {
	t       *testing.T
	cfg     Config
	eval    eval.Config
	val     bool // evaluate a validation split
	store   *memStore
	machine *toyMachine
	params  *graph.ParamSet
	o       Options
	open    atomic.Int32
	onNext  func()
	onEval  func()
	msgs    []Message
}

func toyConfig() Config {
	c := DefaultConfig()
	c.Batch, c.Iterations = 4, 23
	c.Schedule.Rate = 0.05
	return c
}

// newToy prepares a fresh run into dir ("" writes no files).
func newToy(t *testing.T, cfg Config, ev eval.Config, dir string) *toyRun {
	t.Helper()
	r := &toyRun{t: t, cfg: cfg, eval: ev, val: true, store: &memStore{}, params: toyParams()}
	r.machine = &toyMachine{params: r.params}
	plan, err := NewPlan(cfg, ev, toyImages)
	if err != nil {
		t.Fatal(err)
	}
	r.o = Options{
		Plan: plan, Machine: r.machine, Params: r.params, Store: r.store, Dir: dir, Control: NewControl(),
		Loader: func(_ context.Context, epoch, batch int, share datasets.Share) (Loader, error) {
			r.open.Add(1)
			return Shared(&toyLoader{t: t, epoch: epoch, step: batch, batch: cfg.Batch, onNext: func() {
				if r.onNext != nil {
					r.onNext()
				}
			}, open: &r.open}, share), nil
		},
		Evaluate: func(ctx context.Context) (Evaluation, error) {
			if r.onEval != nil {
				r.onEval()
			}
			if err := ctx.Err(); err != nil {
				return Evaluation{}, err
			}
			m := toyEvaluate(r.params)
			e := Evaluation{Test: &Metrics{Loss: m.Loss + 1, Error: m.Error, Top5Error: m.Top5Error}}
			if r.val {
				e.Val = &m
			}
			if ev.TrainSet {
				e.Train = &Metrics{Loss: m.Loss + 2, Error: m.Error / 2}
			}
			return e, nil
		},
		BeforeBatch: func(n int) { r.machine.batches = n },
	}
	r.o.Hooks.OnMessage = func(m Message) { r.msgs = append(r.msgs, m) }
	return r
}

// run runs to the end or the error, and checks that no loader stays open.
func (r *toyRun) run() (Summary, error) {
	r.t.Helper()
	s, err := Run(r.t.Context(), r.o)
	if n := r.open.Load(); n != 0 {
		r.t.Fatalf("%d loaders were left open", n)
	}
	return s, err
}

// resumeFrom makes the run continue from the checkpoint of a step.
func (r *toyRun) resumeFrom(store *memStore, step int) *toyRun {
	r.t.Helper()
	snap, ok := store.snaps[step]
	if !ok {
		r.t.Fatalf("no checkpoint of step %d among %v", step, store.order)
	}
	for _, p := range r.params.All() {
		copy(p.Data, snap.params[p.Name])
	}
	st, err := ParseState(snap.state)
	if err != nil {
		r.t.Fatal(err)
	}
	r.o.Resume = &Resume{State: st, Momentum: append([]Tensor(nil), snap.momentum...)}
	return r
}

// stopAt asks for a stop after a step, as a signal handler would.
func (r *toyRun) stopAt(step int) *toyRun {
	if step == 0 {
		r.o.Control.Stop()
	}
	r.o.Hooks.OnStep = func(p Progress) {
		if p.Step == step {
			r.o.Control.Stop()
		}
	}
	return r
}

func (s *memStore) last() int { return s.order[len(s.order)-1] }

func readFile(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// sameCheckpoints compares every step that both stores have, and requires the last.
func sameCheckpoints(t *testing.T, want, got *memStore) {
	t.Helper()
	if want.last() != got.last() {
		t.Fatalf("the last checkpoint is of step %d, want %d", got.last(), want.last())
	}
	for step, b := range got.saved {
		if w, ok := want.saved[step]; ok && !bytes.Equal(w, b) {
			t.Errorf("the checkpoint of step %d differs:\n%s\n%s", step, got.snaps[step].state, want.snaps[step].state)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
