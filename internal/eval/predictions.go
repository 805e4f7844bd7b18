package eval

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"resnet/internal/atomicfile"
	"resnet/internal/text"
)

// ErrIO marks a file that could not be written.
var ErrIO = atomicfile.ErrIO

// Guess is one of the classes that a network finds most likely.
type Guess struct {
	Class       int     `json:"class"`
	Name        string  `json:"name,omitempty"`
	Probability float64 `json:"probability"` // softmax
}

// Shown is the class for people: its name, if it has one, and its number.
func (g Guess) Shown() string {
	if g.Name == "" {
		return fmt.Sprintf("class %d", g.Class)
	}
	return fmt.Sprintf("%s (%d)", g.Name, g.Class)
}

// Top returns the k classes of the greatest logits, greatest first, of equal ones the lower class
// first, with their softmax probabilities. names may be nil. Of fewer than k classes it returns
// all.
func Top(logits []float32, k int, names []string) []Guess {
	scores := make([]float64, len(logits))
	order := make([]int, len(logits))
	for c, z := range logits {
		scores[c], order[c] = float64(z), c
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case scores[a] > scores[b]:
			return -1
		case scores[a] < scores[b]:
			return 1
		}
		return 0
	})
	if len(order) == 0 {
		return nil
	}
	sum := logSumExp(scores)
	guesses := make([]Guess, 0, min(k, len(order)))
	for _, c := range order[:min(k, len(order))] {
		guesses = append(guesses, Guess{Class: c, Name: className(names, c), Probability: math.Exp(scores[c] - sum)})
	}
	return guesses
}

func className(names []string, c int) string {
	if c < len(names) {
		return names[c]
	}
	return ""
}

// A Prediction is the record of one image. Its JSON is a line of a .jsonl file.
type Prediction struct {
	Index     int       `json:"index"` // in the split
	ID        string    `json:"id"`    // file name, or file and record
	Label     int       `json:"label"`
	LabelName string    `json:"label_name,omitempty"`
	Top5      []Guess   `json:"top5"` // most likely first; fewer for fewer classes
	Logits    []float32 `json:"logits"`
}

// Predictions writes a Prediction for every image, as JSON lines or as CSV. The file appears when
// Close has succeeded, complete.
type Predictions struct {
	file    *atomicfile.File
	table   *csv.Writer // nil for JSON lines
	header  bool        // is written
	classes []string
	id      func(i int) string
}

// CreatePredictions starts a file of predictions; the name's ending chooses its form, .jsonl or
// .csv. classes are the names of the classes (nil: none), id names image i. In CSV, names that a
// spreadsheet would take for formulas get an apostrophe before them, and control characters are
// escaped; in JSON lines they are what they are, in JSON's escapes.
func CreatePredictions(path string, classes []string, id func(i int) string) (*Predictions, error) {
	return createPredictions(atomicfile.OS, path, classes, id)
}

func createPredictions(fsys atomicfile.FS, path string, classes []string, id func(i int) string) (*Predictions, error) {
	ext := strings.ToLower(filepath.Ext(path))
	if ext != ".jsonl" && ext != ".csv" {
		return nil, fmt.Errorf("predictions file %s: the name ends in %q: it must end in .jsonl (JSON lines) or .csv", text.Printable(path), ext)
	}
	f, err := atomicfile.Create(fsys, path, "predictions")
	if err != nil {
		return nil, err
	}
	p := &Predictions{file: f, classes: classes, id: id}
	if ext == ".csv" {
		p.table = csv.NewWriter(f)
	}
	return p, nil
}

// Observe writes the record of an image; it is an Observer.
func (p *Predictions) Observe(im Image) error {
	r := Prediction{Index: im.Index, Label: im.Label, LabelName: className(p.classes, im.Label), Top5: Top(im.Logits, 5, p.classes), Logits: im.Logits}
	if p.id != nil {
		r.ID = p.id(im.Index)
	}
	err := p.write(r)
	if err != nil {
		return atomicfile.Error(fmt.Errorf("predictions: %w", err))
	}
	return nil
}

func (p *Predictions) write(r Prediction) error {
	if p.table != nil {
		if !p.header {
			p.header = true
			if err := p.table.Write(csvHeader(len(r.Top5), len(r.Logits))); err != nil {
				return err
			}
		}
		return p.table.Write(r.csvRecord())
	}
	line, err := JSONLine(r)
	if err != nil {
		return err
	}
	_, err = p.file.Write(line)
	return err
}

// JSONLine is v as a line of JSON, with control characters and the like escaped, so that a terminal
// can show it.
func JSONLine(v any) ([]byte, error) {
	line, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return append(text.EscapeJSON(line), '\n'), nil
}

// WriteJSON writes v as one JSON document, indented, escaped as JSONLine does.
func WriteJSON(w io.Writer, v any) error {
	document, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(text.EscapeJSON(document), '\n'))
	return err
}

func csvHeader(top, classes int) []string {
	h := []string{"index", "id", "label", "label_name"}
	for i := 1; i <= top; i++ {
		h = append(h, fmt.Sprintf("top%d", i), fmt.Sprintf("top%d_name", i), fmt.Sprintf("top%d_probability", i))
	}
	for c := range classes {
		h = append(h, fmt.Sprintf("logit_%d", c))
	}
	return h
}

func (r Prediction) csvRecord() []string {
	rec := []string{strconv.Itoa(r.Index), text.CSVCell(r.ID), strconv.Itoa(r.Label), text.CSVCell(r.LabelName)}
	for _, g := range r.Top5 {
		rec = append(rec, strconv.Itoa(g.Class), text.CSVCell(g.Name), strconv.FormatFloat(g.Probability, 'g', -1, 64))
	}
	for _, z := range r.Logits {
		rec = append(rec, strconv.FormatFloat(float64(z), 'g', -1, 32))
	}
	return rec
}

// Close makes the file appear under its name. Until then, and after an error, what was there before
// is untouched.
func (p *Predictions) Close() error {
	if p.table != nil {
		p.table.Flush()
		if err := p.table.Error(); err != nil {
			p.file.Discard()
			return atomicfile.Error(fmt.Errorf("predictions: %w", err))
		}
	}
	return p.file.Commit()
}

// Discard removes what was written. After Close it does nothing, so it can be deferred.
func (p *Predictions) Discard() { p.file.Discard() }
