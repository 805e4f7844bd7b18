package eval

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// ClassError is the error on the images of one class.
type ClassError struct {
	Class int      `json:"class"`
	Name  string   `json:"name"`
	N     int      `json:"n"`
	Wrong int      `json:"wrong"`
	Error *float64 `json:"error"` // percent; null for a class without images
}

// Mixup counts the images of one class that were taken for another.
type Mixup struct {
	Label     int `json:"label"`
	Predicted int `json:"predicted"`
	N         int `json:"n"`
}

// ClassReport shows which classes a network confuses.
type ClassReport struct {
	Classes []ClassError `json:"classes"`
	// Confusion [K, K] counts the images with the label of the row and the prediction of the
	// column.
	Confusion [][]int `json:"confusion"`
}

// Classes makes the report of m, without any class where m has no confusion matrix. Missing names
// are the numbers of the classes.
func (m Metrics) Classes(names []string) ClassReport {
	r := ClassReport{Confusion: m.Confusion}
	for label, row := range m.Confusion {
		e := ClassError{Class: label, Name: className(names, label)}
		if e.Name == "" {
			e.Name = strconv.Itoa(label)
		}
		for _, n := range row {
			e.N += n
		}
		e.Wrong = e.N - row[label]
		if e.N > 0 {
			p := percent(e.Wrong, e.N)
			e.Error = &p
		}
		r.Classes = append(r.Classes, e)
	}
	return r
}

// WriteJSON writes one JSON document.
func (r ClassReport) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

// WriteErrors writes a table of the classes for people.
func (r ClassReport) WriteErrors(w io.Writer) error {
	cols := []column{{title: "class", number: true}, {title: "name"}, {title: "images", number: true}, {title: "wrong", number: true}, {title: "error %", number: true}}
	for _, c := range r.Classes {
		for i, cell := range []string{strconv.Itoa(c.Class), Printable(c.Name), grouped(int64(c.N)), grouped(int64(c.Wrong)), errorText(c.Error)} {
			cols[i].cells = append(cols[i].cells, cell)
		}
	}
	return writeColumns(w, cols)
}

// matrixClasses is how many classes fit a line of a terminal; of more, WriteConfusion lists the
// most frequent mix-ups.
const matrixClasses = 20

// WriteConfusion writes the confusion matrix, a row for each label and a column for each predicted
// class, or for more than 20 classes the 20 most frequent mix-ups.
func (r ClassReport) WriteConfusion(w io.Writer) error {
	if len(r.Classes) > matrixClasses {
		return r.writeMixups(w, matrixClasses)
	}
	cols := []column{{title: "label"}, {title: "", number: true}}
	for _, c := range r.Classes {
		cols[0].cells = append(cols[0].cells, Printable(c.Name))
		cols[1].cells = append(cols[1].cells, strconv.Itoa(c.Class))
	}
	for p := range r.Classes {
		col := column{title: strconv.Itoa(p), number: true}
		for label := range r.Classes {
			s := "."
			if n := r.Confusion[label][p]; n > 0 {
				s = strconv.Itoa(n)
			}
			col.cells = append(col.cells, s)
		}
		cols = append(cols, col)
	}
	return writeColumns(w, cols)
}

func (r ClassReport) writeMixups(w io.Writer, most int) error {
	cols := []column{{title: "images", number: true}, {title: "label"}, {title: "taken for"}}
	for _, x := range r.Mixups(most) {
		for i, cell := range []string{grouped(int64(x.N)), r.title(x.Label), r.title(x.Predicted)} {
			cols[i].cells = append(cols[i].cells, cell)
		}
	}
	return writeColumns(w, cols)
}

func (r ClassReport) title(c int) string {
	return fmt.Sprintf("%s (%d)", Printable(r.Classes[c].Name), c)
}

// Mixups lists the most frequent wrong predictions, of equal counts the lower label and class
// first.
func (r ClassReport) Mixups(most int) []Mixup {
	var list []Mixup
	for label, row := range r.Confusion {
		for p, n := range row {
			if n > 0 && p != label {
				list = append(list, Mixup{label, p, n})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Mixup) int { return cmp.Compare(b.N, a.N) })
	return list[:min(most, len(list))]
}
