package schedule

import "testing"

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
