package schedule

import (
	"fmt"
	"math"
	"slices"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
)

// TrainInTheDark runs a step as Train does, but shows each region nothing of the arena that its
// steps do not say they read, and checks that they change nothing that they do not say they write.
// What was never written is NaN. A step that takes more than it says gives other results.
func TrainInTheDark(m *Machine, x []float32, labels []int32, o graph.StepOptions) (graph.Result, []string) {
	d := &dark{m: m, written: map[*value]bool{}}
	r, err := d.train(x, labels, o)
	if err != nil {
		d.faults = append(d.faults, err.Error())
	}
	return r, d.faults
}

type dark struct {
	m       *Machine
	written map[*value]bool
	faults  []string
}

func (d *dark) train(x []float32, labels []int32, o graph.StepOptions) (graph.Result, error) {
	m := d.m
	regions := m.regions
	defer func() { m.regions = regions }()
	m.regions = nil // Train prepares the call and runs no region
	poison(m.arena)
	if _, err := m.Train(x, labels, o); err != nil {
		return graph.Result{}, err
	}
	if m.g.Dropout != nil && !o.ForwardOnly {
		m.g.Dropout.Step-- // of the step to come
	}
	m.x, m.labels = x, labels
	for i := range regions {
		if !regions[i].backward || !o.ForwardOnly {
			d.region(&regions[i])
		}
	}
	m.regions = regions
	if m.g.Dropout != nil && !o.ForwardOnly {
		m.g.Dropout.Step++
	}
	at := m.logits.offset
	return graph.Result{Loss: m.loss, Logits: m.arena[at : at+m.g.N*m.g.LogitsLen()]}, nil
}

func (d *dark) region(r *region) {
	m := d.m
	var may, shown []*value // views, where a step says so
	before := slices.Clone(m.arena)
	for _, s := range r.steps {
		for _, v := range append(slices.Clone(s.reads), s.writes...) {
			if d.written[v.root()] {
				shown = append(shown, v) // what is written too: others may have written parts of it
			}
		}
		may = append(may, s.writes...)
	}
	poison(m.arena)
	poison(m.acc)
	poison(m.staging)
	for _, w := range m.workers {
		poison(w.arena)
		poison(w.y)
		poison(w.scratch)
		for _, b := range w.wide {
			poison(b)
		}
	}
	copyValues(m, m.arena, before, shown)
	defer d.hideMaps(r)()
	start := slices.Clone(m.arena)
	m.runRegion(r)
	changed := slices.Clone(m.arena)
	copyValues(m, changed, start, may)
	for i := range changed {
		if math.Float32bits(changed[i]) != math.Float32bits(start[i]) {
			d.faults = append(d.faults, fmt.Sprintf("region of %s writes at %d, which it does not say", r.steps[len(r.steps)-1].name, i))
			break
		}
	}
	for _, v := range may {
		if v = v.root(); !d.written[v] { // what others have left where its other parts are
			poison(before[v.offset : v.offset+m.g.N*v.floats(v.per)])
			d.written[v] = true
		}
	}
	copyValues(m, before, m.arena, may)
	copy(m.arena, before)
}

// copyValues copies what stands at the places of values, or of views.
func copyValues(m *Machine, dst, src []float32, values []*value) {
	for _, v := range values {
		for i := range m.g.N {
			from := v.root().offset + i*v.floats(v.root().per) + v.floats(v.at)
			copy(dst[from:from+v.floats(v.per)], src[from:])
		}
	}
}

// hideMaps makes the maps of normalisations that a region does not need NaN. It returns a function
// that shows them again.
func (d *dark) hideMaps(r *region) (show func()) {
	needed := map[any]bool{}
	for _, s := range r.steps {
		for _, x := range append(slices.Clone(s.needs), s.makes...) {
			needed[x] = true
		}
	}
	var undo []func()
	for _, n := range d.m.norms {
		for _, a := range []*affine{n.apply, n.fromG, n.fromZ} {
			if needed[a] {
				continue
			}
			for _, vs := range [][]kernel.Vec{a.s, a.t} {
				before := slices.Clone(vs)
				for i := range vs {
					poison(vs[i][:])
				}
				undo = append(undo, func() { copy(vs, before) })
			}
		}
	}
	return func() {
		for _, f := range undo {
			f()
		}
	}
}

// poison writes NaN, whichever way the memory is read.
func poison(xs []float32) {
	for i := range xs {
		xs[i] = math.Float32frombits(0x7fc07fc0)
	}
}
