package eval

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"

	"resnet/internal/text"
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
func (r ClassReport) WriteJSON(w io.Writer) error { return WriteJSON(w, r) }

// WriteErrors writes a table of the classes as text.
func (r ClassReport) WriteErrors(w io.Writer) error {
	cols := []Column{{Title: "class", Number: true}, {Title: "name"}, {Title: "images", Number: true}, {Title: "wrong", Number: true}, {Title: "error %", Number: true}}
	for _, c := range r.Classes {
		for i, cell := range []string{strconv.Itoa(c.Class), text.Printable(c.Name), text.Grouped(int64(c.N)), text.Grouped(int64(c.Wrong)), ErrorText(c.Error)} {
			cols[i].Cells = append(cols[i].Cells, cell)
		}
	}
	return WriteColumns(w, cols)
}

// MatrixClasses is how many classes fit a line of a terminal; of more, WriteConfusion lists the
// most frequent mix-ups.
const MatrixClasses = 20

// WriteConfusion writes the confusion matrix, a row for each label and a column for each predicted
// class, or for more than 20 classes the 20 most frequent mix-ups.
func (r ClassReport) WriteConfusion(w io.Writer) error {
	if len(r.Classes) > MatrixClasses {
		return r.writeMixups(w, MatrixClasses)
	}
	cols := []Column{{Title: "label"}, {Title: "", Number: true}}
	for _, c := range r.Classes {
		cols[0].Cells = append(cols[0].Cells, text.Printable(c.Name))
		cols[1].Cells = append(cols[1].Cells, strconv.Itoa(c.Class))
	}
	for p := range r.Classes {
		col := Column{Title: strconv.Itoa(p), Number: true}
		for label := range r.Classes {
			s := "."
			if n := r.Confusion[label][p]; n > 0 {
				s = strconv.Itoa(n)
			}
			col.Cells = append(col.Cells, s)
		}
		cols = append(cols, col)
	}
	return WriteColumns(w, cols)
}

func (r ClassReport) writeMixups(w io.Writer, most int) error {
	cols := []Column{{Title: "images", Number: true}, {Title: "label"}, {Title: "taken for"}}
	for _, x := range r.Mixups(most) {
		for i, cell := range []string{text.Grouped(int64(x.N)), r.Title(x.Label), r.Title(x.Predicted)} {
			cols[i].Cells = append(cols[i].Cells, cell)
		}
	}
	return WriteColumns(w, cols)
}

// Title names a class, with its number.
func (r ClassReport) Title(c int) string {
	return fmt.Sprintf("%s (%d)", text.Printable(r.Classes[c].Name), c)
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
