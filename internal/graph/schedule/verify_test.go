package schedule

import (
	"fmt"
	"math"
	"slices"

	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
)

// Verify checks a compiled machine's steps against each other, by rules of its own and not by those
// of order, cut and place. It lists what is wrong.
func Verify(m *Machine) []string {
	v := &verifier{m: m}
	v.halves()
	v.sequence()
	v.gradients()
	v.memory()
	return v.faults
}

type verifier struct {
	m      *Machine
	faults []string
}

func (v *verifier) fault(format string, args ...any) {
	v.faults = append(v.faults, fmt.Sprintf(format, args...))
}

// halves: a region is of one half, the forward half comes first, and only the last step of a region
// may need the other units.
func (v *verifier) halves() {
	behind := false
	for i, r := range v.m.regions {
		behind = behind || r.backward
		if behind != r.backward {
			v.fault("region %d is forward, after a backward one", i)
		}
		for j, s := range r.steps {
			if s.backward != r.backward {
				v.fault("region %d: %s is of the other half", i, s.name)
			}
			if j < len(r.steps)-1 && (s.whole || s.finish != nil || s.runInner != nil) {
				v.fault("region %d: units go on after %s, which needs all of them", i, s.name)
			}
		}
	}
}

// sequence: whatever a step reads or needs, all who write or make it come before.
func (v *verifier) sequence() {
	waiting := map[any]int{}
	made := map[any]bool{}
	all := func(s *step) (out []any) {
		for _, w := range s.writes {
			out = append(out, w.root())
		}
		return append(out, s.makes...)
	}
	for _, r := range v.m.regions {
		for _, s := range r.steps {
			for _, x := range all(s) {
				waiting[x]++
				made[x] = true
			}
		}
	}
	for i, r := range v.m.regions {
		for _, s := range r.steps {
			for _, x := range s.reads {
				x = x.root()
				if !made[x] || waiting[x] > 0 {
					v.fault("region %d: %s reads %s before it is complete", i, s.name, x.name)
				}
			}
			for _, x := range s.needs {
				if v.m.g.Mode == graph.Train && (!made[x] && fromStep(v.m, x) || waiting[x] > 0) {
					v.fault("region %d: %s needs %T before it is complete", i, s.name, x)
				}
			}
			for _, x := range all(s) {
				waiting[x]--
			}
		}
	}
	if !made[v.m.logits] {
		v.fault("nobody writes the logits")
	}
}

// fromStep reports whether what a step needs is made by steps: not the map of a bias, or the
// identity.
func fromStep(m *Machine, x any) bool {
	a, ok := x.(*affine)
	return !ok || slices.ContainsFunc(m.norms, func(n *norm) bool { return a == n.apply || a == n.fromG || a == n.fromZ })
}

// gradients: those that are wanted are written once, the others never.
func (v *verifier) gradients() {
	count := map[*graph.Param]int{}
	for _, r := range v.m.regions {
		for _, s := range r.steps {
			for _, p := range s.grads {
				count[p]++
				if !s.backward {
					v.fault("%s writes the gradient of %s and is of the forward half", s.name, p.Name)
				}
			}
		}
	}
	for _, p := range v.m.g.Params {
		want := 0
		if p.Grad != nil {
			want = 1
		}
		if count[p.Param] != want {
			v.fault("the gradient of %s is written %d times, want %d", p.Param.Name, count[p.Param], want)
		}
		delete(count, p.Param)
	}
	if len(count) > 0 {
		v.fault("gradients of %d parameters that the graph does not have", len(count))
	}
}

// life is when a value is in use, in regions, or in steps where one worker alone has it.
type life struct {
	v           *value
	first, last int
	size        int
}

// memory: values in use at the same time do not overlap, and lie within their arena.
func (v *verifier) memory() {
	shared, own := map[*value]*life{}, map[*value]*life{}
	position := 0
	home := map[*value]int{}
	for i, r := range v.m.regions {
		for _, s := range r.steps {
			for _, x := range append(slices.Clone(s.reads), s.writes...) {
				x = x.root()
				lives, at, size := shared, i, v.m.g.N*x.per
				if x.own {
					lives, at, size = own, position, v.m.unitSize*x.per
					if h, ok := home[x]; ok && h != i || s.runInner != nil || s.spans != nil || s.whole {
						v.fault("%s: %s is a worker's own, and others use it", s.name, x.name)
					}
					home[x] = i
				}
				if lives[x] == nil {
					lives[x] = &life{x, at, at, size}
				}
				lives[x].last = at
				if x.keep {
					lives[x].last = math.MaxInt
				}
			}
			position++
		}
	}
	v.apart(shared, len(v.m.arena))
	for _, w := range v.m.workers {
		v.apart(own, len(w.arena))
	}
}

func (v *verifier) apart(lives map[*value]*life, length int) {
	list := make([]*life, 0, len(lives))
	for _, l := range lives {
		list = append(list, l)
	}
	for i, a := range list {
		if a.v.offset < 0 || a.v.offset+a.size > length {
			v.fault("%s is at %d to %d of %d", a.v.name, a.v.offset, a.v.offset+a.size, length)
		}
		for _, b := range list[:i] {
			if a.first <= b.last && b.first <= a.last && a.v.offset < b.v.offset+b.size && b.v.offset < a.v.offset+a.size {
				v.fault("%s and %s are in use at once and share memory", a.v.name, b.v.name)
			}
		}
	}
}

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
			poison(before[v.offset : v.offset+m.g.N*v.per])
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
			from := v.root().offset + i*v.root().per + v.at
			copy(dst[from:from+v.per], src[from:from+v.per])
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

func poison(xs []float32) {
	for i := range xs {
		xs[i] = float32(math.NaN())
	}
}
