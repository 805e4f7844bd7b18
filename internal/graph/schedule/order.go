package schedule

import (
	"container/heap"
	"fmt"
	"sort"

	"resnet/internal/graph"
)

// step is one entry of the schedule.
type step struct {
	name   string
	reads  []*value
	writes []*value
	needs  []any // maps and sums that another step's finish provides
	makes  []any
	// run does unit u: images [first, first+n). A whole step has one unit, of all images.
	run func(w *worker, u, first, n int)
	// finish runs after all units and inner units, on one goroutine.
	finish func()
	whole  bool
	// spans overrides the machine's units.
	spans []span
	// inner is a region of its own after the units, for work that is split otherwise: units and
	// their function.
	inner    int
	runInner func(w *worker, u int)
	backward bool // not run where only the forward half is wanted
	// grads are the parameters whose gradients are complete after the step.
	grads []*graph.Param
}

// need adds maps that must be known first.
func (s *step) need(maps ...*affine) {
	for _, a := range maps {
		if a != nil {
			s.needs = append(s.needs, a)
		}
	}
}

// writesGrad adds parameters to grads; those that are nil are not wanted.
func (s *step) writesGrad(params ...*graph.Param) {
	for _, p := range params {
		if p != nil {
			s.grads = append(s.grads, p)
		}
	}
}

// local reports whether a unit of the step depends on the same images of earlier steps only.
func (s *step) local() bool { return !s.whole && s.finish == nil && s.runInner == nil }

type ready []int

func (r ready) Len() int           { return len(r) }
func (r ready) Less(i, j int) bool { return r[i] < r[j] }
func (r ready) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }
func (r *ready) Push(x any)        { *r = append(*r, x.(int)) }
func (r *ready) Pop() any {
	old := *r
	x := old[len(old)-1]
	*r = old[:len(old)-1]
	return x
}

// order sorts steps so that everything is made before it is read, otherwise as they were added.
func order(steps []*step) ([]*step, error) {
	makers := map[any][]int{} // several where each writes a part
	for i, s := range steps {
		for _, v := range s.writes {
			makers[v] = append(makers[v], i)
		}
		for _, v := range s.makes {
			makers[v] = append(makers[v], i)
		}
	}
	waits, users := make([]int, len(steps)), make([][]int, len(steps))
	for i, s := range steps {
		from := map[int]bool{}
		depend := func(v any) {
			for _, m := range makers[v] {
				if m != i && !from[m] {
					from[m] = true
					users[m] = append(users[m], i)
					waits[i]++
				}
			}
		}
		for _, v := range s.reads {
			depend(v)
		}
		for _, v := range s.needs {
			depend(v)
		}
	}
	var r ready
	for i, n := range waits {
		if n == 0 {
			heap.Push(&r, i)
		}
	}
	out := make([]*step, 0, len(steps))
	for r.Len() > 0 {
		i := heap.Pop(&r).(int)
		out = append(out, steps[i])
		for _, u := range users[i] {
			if waits[u]--; waits[u] == 0 {
				heap.Push(&r, u)
			}
		}
	}
	if len(out) != len(steps) {
		return nil, fmt.Errorf("schedule: %d of %d steps wait for each other", len(steps)-len(out), len(steps))
	}
	return out, nil
}

// place gives every value an offset in an arena, reusing space where lives do not overlap, and
// returns the arena's length. Each value takes size(v) float32 values, rounded up to a cache line.
// Time is counted by when: in steps where the units of a worker follow each other, in regions where
// other workers' units are at other steps of the same region.
func place(steps []*step, when []int, values []*value, size func(*value) int) int {
	for _, v := range values {
		v.first = -1
	}
	for k, s := range steps {
		i := when[k]
		for _, v := range s.writes {
			if v.first < 0 {
				v.first, v.last = i, i
			}
			v.last = max(v.last, i)
		}
		for _, v := range s.reads {
			v.last = max(v.last, i)
		}
	}
	var live []*value
	for _, v := range values {
		if v.first >= 0 {
			if v.keep {
				v.last = len(steps)
			}
			live = append(live, v)
		}
	}
	// Long lives first, then large ones: the activations that wait for the backward pass stack up
	// without holes, and what is short-lived fits in between.
	sort.SliceStable(live, func(i, j int) bool {
		a, b := live[i], live[j]
		if a.last-a.first != b.last-b.first {
			return a.last-a.first > b.last-b.first
		}
		return size(a) > size(b)
	})
	total := 0
	var placed []*value
	for _, v := range live {
		n := (size(v) + block - 1) &^ (block - 1)
		at := 0
		for _, p := range placed { // sorted by offset
			if p.first > v.last || p.last < v.first {
				continue
			}
			if at+n <= p.offset {
				break
			}
			at = max(at, p.offset+(size(p)+block-1)&^(block-1))
		}
		v.offset = at
		total = max(total, at+n)
		i := sort.Search(len(placed), func(i int) bool { return placed[i].offset > at })
		placed = append(placed, nil)
		copy(placed[i+1:], placed[i:])
		placed[i] = v
	}
	return total
}
