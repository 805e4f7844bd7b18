package schedule

import (
	"fmt"
	"runtime"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
	"resnet/internal/graph/kernel/conv"
)

// Options say how to run a graph.
type Options struct {
	// Threads is the number of workers; 0 means all of the machine's. It does not change any
	// result.
	Threads int
	// Choose overrides the choice of convolution algorithms, for measurements and tests.
	Choose func(conv.Shape) conv.Choices
	// Frozen says that the parameters keep the values of the first call of Infer: they are read
	// then, and not compared again at every call.
	Frozen bool
	// Limits overrides conv.DefaultLimits, for measurements and tests.
	Limits conv.Limits
	// Arena, if it is not nil, holds the activations of several machines of which one runs at a
	// time: those for other lengths of sequences. The logits of a call are valid until the next
	// call of any of them.
	Arena *Arena
}

// Arena is memory that machines share. The zero value is empty; it grows with the largest machine.
// Machines are compiled one after another, before any of them runs.
type Arena struct {
	users []*Machine
	data  []float32
}

// take gives a machine so many values, and the machines before it the same ones.
func (a *Arena) take(m *Machine, n int) []float32 {
	if n > len(a.data) {
		a.data = kernel.Alloc(n)
		for _, u := range a.users {
			u.arena = a.data
		}
	}
	a.users = append(a.users, m)
	return a.data
}

// Machine runs one graph as a schedule of kernel calls. It implements graph.Machine.
type Machine struct {
	g       *graph.Graph
	choose  func(conv.Shape) conv.Choices
	limits  conv.Limits
	frozen  bool
	regions []region
	values  []*value
	norms   []*norm
	// channels are the parameters that recipes read in blocks.
	channels []*channelParam
	packs    []pack
	// packUnits are the independent parts of packing.
	packUnits []packUnit
	units     []span
	lane      int // images of a unit
	local     bool
	workers   []*worker
	pool      *pool
	arena     []float32
	acc       []float32
	stage     []float32 // what a step's first stage leaves for its second
	pages     *Arena
	logits    *value
	need      conv.Need

	// The call in hand.
	x        []float32
	labels   []int32
	labels32 []float32
	labelled int // labels that are a class
	count    int
	options  graph.StepOptions
	losses   []float64 // of each classifier, weighted
	loss     float64
	seen     [][]float32 // in evaluation: the parameters that packs and norms were made from
	params   []*graph.Param
	current  *region
	do       func(worker, unit int)
	doInner  func(worker, unit int)
	doPack   func(worker, unit int)
	closed   bool
}

// Compile lowers g, whose parameters' values are those of its ParamNodes.
func Compile(g *graph.Graph, o Options) (*Machine, error) {
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	m := &Machine{g: g, choose: o.Choose, limits: o.Limits, frozen: o.Frozen, pages: o.Arena, units: unitsOf(g.N)}
	if m.choose == nil {
		m.choose = conv.Choose
	}
	if m.limits == (conv.Limits{}) {
		m.limits = conv.DefaultLimits
	}
	m.lane = m.units[0].n
	c := newCompiler(g, m)
	if err := c.compile(); err != nil {
		return nil, fmt.Errorf("%s: %w", g.Name, err)
	}
	steps, err := order(c.steps)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", g.Name, err)
	}
	m.local = g.Mode == graph.Eval && g.Sequences == nil
	m.packs, m.need = c.packs, c.need
	for _, p := range m.packs {
		for u := range p.pass.PackUnits() {
			m.packUnits = append(m.packUnits, packUnit{p, u})
		}
	}
	m.cut(steps)
	m.allocate(c, steps, min(o.Threads, m.widest()))
	for _, p := range g.Params {
		if !c.direct[p.Param] {
			m.params = append(m.params, p.Param)
		}
	}
	return m, nil
}

func (m *Machine) runUnit(worker, u int) {
	r := m.current
	s := r.spans[u]
	if s.first >= m.count {
		return
	}
	n := min(s.n, m.count-s.first)
	m.workers[worker].base = s.first
	for _, st := range r.steps {
		st.run(m.workers[worker], u, s.first, n)
	}
}

func (m *Machine) runInner(worker, u int) {
	m.current.steps[len(m.current.steps)-1].runInner(m.workers[worker], u)
}

func (m *Machine) runPack(worker, u int) {
	p := m.packUnits[u]
	p.pass.Pack(m.workers[worker].conv, p.unit, p.packed, p.param.Data)
}

// run goes through the regions, the backward ones only where wanted.
func (m *Machine) run(backward bool) {
	for i := range m.regions {
		if r := &m.regions[i]; backward || !r.backward {
			m.runRegion(r)
		}
	}
}

func (m *Machine) runRegion(r *region) {
	m.current = r
	m.pool.run(len(r.spans), m.do)
	last := r.steps[len(r.steps)-1]
	if last.runInner != nil {
		m.pool.run(last.inner, m.doInner)
	}
	if last.finish != nil {
		last.finish()
	}
}

// Train implements graph.Machine.
func (m *Machine) Train(x []float32, labels []int32, o graph.StepOptions) (graph.Result, error) {
	g := m.g
	if m.closed {
		return graph.Result{}, fmt.Errorf("%s: Train: %w", g.Name, graph.ErrClosed)
	}
	if err := g.CheckTrain(x, labels); err != nil {
		return graph.Result{}, err
	}
	m.labelled = 0
	for i, l := range labels {
		m.labels32[i] = float32(l)
		if l >= 0 {
			m.labelled++
		}
	}
	m.x, m.labels, m.options, m.count = x, labels, o, g.N
	m.refreshChannels()
	m.pool.run(len(m.packUnits), m.doPack)
	m.run(!o.ForwardOnly)
	m.x, m.labels = nil, nil
	if g.Dropout != nil && !o.ForwardOnly {
		g.Dropout.Step++
	}
	at := m.logits.offset
	return graph.Result{Loss: m.loss, Logits: m.arena[at : at+g.N*g.LogitsLen()]}, nil
}

// Infer implements graph.Machine.
func (m *Machine) Infer(x []float32, n int) ([]float32, error) {
	g := m.g
	if m.closed {
		return nil, fmt.Errorf("%s: Infer: %w", g.Name, graph.ErrClosed)
	}
	if err := g.CheckInfer(x, n); err != nil {
		return nil, err
	}
	m.x, m.count = x, n
	m.refresh()
	m.run(true)
	m.x = nil
	at := m.logits.offset
	return m.arena[at : at+n*g.LogitsLen()], nil
}

// refresh packs weights and normalisations again if any parameter has changed since the last time.
func (m *Machine) refresh() {
	if m.seen != nil {
		same := true
		if m.frozen {
			return
		}
		for i, p := range m.params {
			if !equal(m.seen[i], p.Data) {
				same = false
				break
			}
		}
		if same {
			return
		}
	} else {
		m.seen = make([][]float32, len(m.params))
	}
	for i, p := range m.params {
		if m.frozen {
			break
		}
		m.seen[i] = append(m.seen[i][:0], p.Data...)
	}
	for _, n := range m.norms {
		n.running()
	}
	m.refreshChannels()
	m.pool.run(len(m.packUnits), m.doPack)
}

func (m *Machine) refreshChannels() {
	for _, b := range m.channels {
		b.refresh()
	}
}

func equal(a, b []float32) bool {
	if len(a) != len(b) {
		return false
	}
	for i, v := range a {
		if v != b[i] { // a NaN is never equal, and is packed again each time
			return false
		}
	}
	return true
}

// Diagnose implements graph.Machine.
func (m *Machine) Diagnose() string {
	for _, n := range m.norms {
		if n.name != "" && !(finite(n.batchMean) && finite(n.batchVar)) {
			return n.name
		}
	}
	at := m.logits.offset
	for _, v := range m.arena[at : at+m.count*m.g.LogitsLen()] {
		if v-v != 0 {
			return "logits"
		}
	}
	return ""
}

// Bytes implements graph.Machine.
func (m *Machine) Bytes() int64 {
	n := int64(len(m.arena)+len(m.acc)+len(m.stage)) * 4
	for _, p := range m.packs {
		n += int64(len(p.packed)) * 4
	}
	for _, w := range m.workers {
		n += int64(len(w.x.data)+len(w.dy.data)+len(w.y)+len(w.arena)+len(w.scratch))*4 + m.need.Bytes()
	}
	return n
}

// Close stops the workers.
func (m *Machine) Close() {
	if !m.closed {
		m.closed = true
		m.pool.close()
	}
}
