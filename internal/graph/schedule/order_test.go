package schedule

import (
	"slices"
	"testing"
)

func TestOrderPutsMakersFirst(t *testing.T) {
	v, w, a := &value{}, &value{}, newAffine(1)
	last := &step{name: "last", reads: []*value{w}}
	apply := &step{name: "apply", reads: []*value{v}, writes: []*value{w}}
	apply.need(a, nil)
	sums := &step{name: "sums", reads: []*value{v}, makes: []any{a}}
	first := &step{name: "first", writes: []*value{v}}
	got, err := order([]*step{last, apply, sums, first})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []*step{first, sums, apply, last} {
		if got[i] != want {
			t.Errorf("step %d is %s, want %s", i, got[i].name, want.name)
		}
	}
	first.reads = []*value{w}
	if _, err := order([]*step{last, apply, sums, first}); err == nil {
		t.Error("steps that wait for each other were ordered")
	}
}

// TestRegionsEndWhereOtherUnitsAreNeeded: a region goes on while each unit needs nothing of the
// others, is divided alike, and belongs to one half.
func TestRegionsEndWhereOtherUnitsAreNeeded(t *testing.T) {
	units := []span{{0, 2}, {2, 2}}
	steps := []*step{
		{name: "a"},
		{name: "b"},
		{name: "sums", finish: []func(){func() {}}}, // a region with a merge at its end
		{name: "c"},
		{name: "rounds", runInner: func(*worker, int) {}},
		{name: "whole", whole: true},
		{name: "d"},
		{name: "other units", spans: []span{{0, 4}}},
		{name: "alike", spans: []span{{0, 2}, {2, 2}}},
		{name: "e"},
		{name: "f", backward: true},
		{name: "g", backward: true},
	}
	want := [][]string{{"a", "b", "sums"}, {"c", "rounds"}, {"whole"}, {"d"}, {"other units"}, {"alike", "e"}, {"f", "g"}}
	regions := cut(steps, units, 4)
	var got [][]string
	for _, r := range regions {
		var names []string
		for _, s := range r.steps {
			names = append(names, s.name)
		}
		got = append(got, names)
	}
	if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("regions %q, want %q", got, want)
	}
	if w := regions[2].spans; !slices.Equal(w, []span{{0, 4}}) {
		t.Errorf("a whole step has units %v", w)
	}
	if !regions[6].backward || regions[5].backward {
		t.Error("the backward half does not begin with f")
	}
}

// TestPlaceKeepsLivingValuesApart checks each pair of values, in sizes that are no multiple of a
// cache line.
func TestPlaceKeepsLivingValuesApart(t *testing.T) {
	var steps []*step
	var values []*value
	var when []int
	for i := range 40 {
		v := &value{per: 1 + i*37%50, first: -1, keep: i == 5}
		s := &step{writes: []*value{v}}
		for back := 1; back <= 1+i%9; back += 2 {
			if i-back >= 0 {
				s.reads = append(s.reads, values[i-back])
			}
		}
		steps, values, when = append(steps, s), append(values, v), append(when, i/3)
	}
	total := place(steps, when, values, func(v *value) int { return v.per })
	for i, a := range values {
		if a.offset%block != 0 || a.offset+a.per > total {
			t.Errorf("value %d is at %d, %d long, of %d", i, a.offset, a.per, total)
		}
		for j, b := range values[:i] {
			lives := a.first <= b.last && b.first <= a.last
			if lives && a.offset < b.offset+b.per && b.offset < a.offset+a.per {
				t.Errorf("values %d and %d live at once and share memory", j, i)
			}
		}
	}
	for i, s := range steps {
		for _, v := range append(s.reads, s.writes...) {
			if v.first > when[i] || v.last < when[i] {
				t.Errorf("a value of step %d lives from %d to %d only", i, v.first, v.last)
			}
		}
	}
	if values[5].last < when[39] {
		t.Error("a value that is kept does not live to the end")
	}
}
