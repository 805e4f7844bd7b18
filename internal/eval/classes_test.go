package eval

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClassErrorsAndConfusion(t *testing.T) {
	m := Metrics{N: 7, Confusion: [][]int{{2, 1, 1}, {0, 3, 0}, {0, 0, 0}}}
	r := m.Classes([]string{"shirt", "coat\x1b"})
	want := []ClassError{
		{Class: 0, Name: "shirt", N: 4, Wrong: 2, Error: ptr(50)},
		{Class: 1, Name: "coat\x1b", N: 3, Wrong: 0, Error: ptr(0)},
		{Class: 2, Name: "2"},
	}
	if d := cmp.Diff(want, r.Classes); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	var b strings.Builder
	if err := r.WriteErrors(&b); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteConfusion(&b); err != nil {
		t.Fatal(err)
	}
	text := `class  name      images  wrong  error %
    0  shirt          4      2    50.00
    1  coat\x1b       3      0     0.00
    2  2              0      0        -
label        0  1  2
shirt     0  2  1  1
coat\x1b  1  .  3  .
2         2  .  .  .
`
	if d := cmp.Diff(text, b.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	b.Reset()
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var back ClassReport
	if err := json.Unmarshal([]byte(b.String()), &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r, back); d != "" {
		t.Errorf("JSON (-want +got):\n%s", d)
	}
}

func TestManyClassesAreShownByTheirMixups(t *testing.T) {
	m := Metrics{}
	for label := range 100 {
		row := make([]int, 100)
		row[label] = 10
		m.Confusion = append(m.Confusion, row)
	}
	m.Confusion[3][5], m.Confusion[98][99] = 7, 9
	var b strings.Builder
	if err := m.Classes(nil).WriteConfusion(&b); err != nil {
		t.Fatal(err)
	}
	want := `images  label    taken for
     9  98 (98)  99 (99)
     7  3 (3)    5 (5)
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
