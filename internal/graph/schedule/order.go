package schedule

import (
	"container/heap"
	"fmt"
)

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
			makers[v.root()] = append(makers[v.root()], i)
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
			depend(v.root())
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
