package main

import "fmt"

// available are the numbers that a kernel may use: all vectors, and of the general registers those
// that neither the linker (16, 17), nor macOS and Windows (18), nor Go (26 to 30) keep for
// themselves.
func available(vec bool) []int {
	var out []int
	for n := range 32 {
		if vec || n < 16 || n > 18 && n < 26 {
			out = append(out, n)
		}
	}
	return out
}

// set is a set of registers.
type set map[*reg]bool

// live finds, for each step, the registers that are read after it before they are written again.
func (f *function) live() []set {
	at := map[string]int{}
	for i, s := range f.steps {
		if s.label != "" {
			if _, twice := at[s.label]; twice {
				panic(fmt.Sprintf("%s: label %s twice", f.name, s.label))
			}
			at[s.label] = i
		}
	}
	before, after := make([]set, len(f.steps)), make([]set, len(f.steps))
	for i := range before {
		before[i], after[i] = set{}, set{}
	}
	for changed := true; changed; {
		changed = false
		for i := len(f.steps) - 1; i >= 0; i-- {
			s := f.steps[i]
			join := func(to int) {
				for r := range before[to] {
					after[i][r] = true
				}
			}
			if s.target != "" {
				to, known := at[s.target]
				if !known {
					panic(fmt.Sprintf("%s: no label %s", f.name, s.target))
				}
				join(to)
			}
			if !s.ends {
				join(i + 1)
			}
			size := len(before[i])
			for r := range after[i] {
				before[i][r] = true
			}
			for _, r := range s.defs {
				delete(before[i], r)
			}
			for _, r := range s.uses {
				before[i][r] = true
			}
			// Sets only grow, and what is deleted above is deleted in every round.
			changed = changed || len(before[i]) != size
		}
	}
	for r := range before[0] {
		panic(fmt.Sprintf("%s: register %d is read before it is written", f.name, r.id))
	}
	return after
}

// assign gives every register its number. Two that are alive together get different ones; a copy
// gets that of its source where it can.
func (f *function) assign() {
	apart := map[*reg]set{}
	for _, r := range f.regs {
		apart[r] = set{}
	}
	meet := func(a, b *reg) {
		if a != b && a.vec == b.vec {
			apart[a][b], apart[b][a] = true, true
		}
	}
	source := map[*reg]*reg{}
	for i, after := range f.live() {
		s := f.steps[i]
		for _, d := range s.defs {
			for r := range after {
				if r != s.from {
					meet(d, r)
				}
			}
			for _, e := range s.defs {
				meet(d, e)
			}
		}
		if s.from != nil {
			source[s.defs[0]] = s.from
		}
	}
	for _, s := range f.steps { // in the order in which they are written first
		for _, r := range s.defs {
			if r.n >= 0 {
				continue
			}
			taken := map[int]bool{}
			for o := range apart[r] {
				taken[o.n] = true
			}
			if from := source[r]; from != nil && from.n >= 0 && !taken[from.n] {
				r.n = from.n
				continue
			}
			for _, n := range available(r.vec) {
				if !taken[n] {
					r.n = n
					break
				}
			}
			if r.n < 0 {
				panic(fmt.Sprintf("%s: out of registers", f.name))
			}
		}
	}
}
