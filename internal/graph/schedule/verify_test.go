package schedule

import (
	"fmt"
	"math"
	"slices"

	"resnet/internal/graph"
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
				lives, at, size := shared, i, v.m.g.N*x.floats(x.per)
				if x.own {
					lives, at, size = own, position, v.m.sizes.unit*x.floats(x.per)
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
