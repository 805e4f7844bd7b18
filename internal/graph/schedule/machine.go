package schedule

import (
	"fmt"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel/conv"
)

// Machine runs one graph as a schedule of kernel calls. It implements graph.Machine.
type Machine struct {
	plan
	memory
	call
}

// plan is what Compile decides; it does not change after that.
type plan struct {
	g       *graph.Graph
	choose  func(conv.Shape) conv.Choices
	limits  conv.Limits
	frozen  bool
	threads int // that the work is divided for
	regions []region
	values  []*value
	norms   []*norm
	// channels are the parameters that lazy expressions read in blocks.
	channels  []*channelParam
	packs     []pack
	packUnits []packUnit // the independent parts of packing
	packLen   int        // values of their memory
	// params are those that packs and norms are made from.
	params []*graph.Param
	sizes  sizes
	units  []span
	local  bool // activations that one unit alone needs live with its worker
	narrow bool // activations and their gradients are bfloat16 in memory
	logits *value
}

// memory is the workers and what they share.
type memory struct {
	workers []*worker
	pool    *pool
	// sharedArena is where arena comes from, if other machines use it too.
	sharedArena *Arena
	arena       []float32
	acc         []float32
	staging     []float32 // what a step's first stage leaves for its second
	// In evaluation: the values of params that packs and norms were made from.
	seen   [][]float32
	closed bool
}

// call is the call in hand.
type call struct {
	x        []float32
	labels   []int32
	labels32 []float32
	labelled int // labels that are a class
	count    int // images
	options  graph.StepOptions
	losses   []float64 // of each classifier, weighted
	loss     float64
	current  *region
	round    int    // of the current region's inner units
	clock    *clock // while Profile runs
	// What workers call for each unit: methods of the machine, made once.
	do, doInner, doFinish, doPack func(worker, unit int)
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
		if st.run != nil {
			st.run(m.workers[worker], u, s.first, n)
		}
	}
}

func (m *Machine) runInner(worker, u int) {
	s := m.current.last()
	if u >= s.inner {
		s.finish[u-s.inner]()
		return
	}
	s.runInner(m.workers[worker], u)
}

func (m *Machine) runFinish(_, u int) { m.current.last().finish[u]() }

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
	start := m.clock.start()
	m.current = r
	units, inner, finish := r.stages()
	m.pool.run(units, m.do)
	for m.round = range r.rounds(m.count) {
		m.pool.run(inner, m.doInner)
	}
	m.pool.run(finish, m.doFinish)
	m.clock.ran(r, start)
	if m.options.Finished != nil {
		for _, s := range r.steps {
			for _, p := range s.grads {
				m.options.Finished(p)
			}
		}
	}
}

// Train implements graph.Machine.
func (m *Machine) Train(x []float32, labels []int32, o graph.StepOptions) (graph.Result, error) {
	g := m.g
	if m.closed {
		return graph.Result{}, fmt.Errorf("%s: Train: %w", g.Name, graph.ErrClosed)
	}
	if err := g.CheckTrain(x, labels, o); err != nil {
		return graph.Result{}, err
	}
	m.labelled = 0
	for i, l := range labels {
		m.labels32[i] = float32(l)
		if l >= 0 {
			m.labelled++
		}
	}
	if g.Targets != graph.ClassTargets {
		copy(m.labels32, o.Targets)
	}
	m.x, m.labels, m.options, m.count = x, labels, o, g.N
	b := bind(m.pool.processors)
	defer b.loose()
	m.pack()
	m.run(!o.ForwardOnly)
	m.x, m.labels, m.options.Finished = nil, nil, nil
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
	b := bind(m.pool.processors)
	defer b.loose()
	m.refresh()
	m.run(true)
	m.x = nil
	at := m.logits.offset
	return m.arena[at : at+n*g.LogitsLen()], nil
}

// refresh packs weights and normalisations again if any parameter has changed since the last
// time.
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
	m.pack()
}

// pack makes from parameters what steps read of them.
func (m *Machine) pack() {
	for _, b := range m.channels {
		b.refresh()
	}
	start := m.clock.start()
	m.pool.run(len(m.packUnits), m.doPack)
	m.clock.packed(start)
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
	n := int64(len(m.arena)+len(m.acc)+len(m.staging)+m.packLen) * 4
	for _, w := range m.workers {
		n += int64(len(w.x.data)+len(w.dy.data)+len(w.y)+len(w.arena)+len(w.scratch)+w.wide.sizes().floats())*4 + w.need.Bytes()
	}
	return n
}

// Close stops the workers.
func (m *Machine) Close() {
	if !m.closed {
		m.closed = true
		m.pool.close()
		if m.sharedArena != nil {
			m.sharedArena.leave(m)
		}
	}
}
