package report

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"
	"strconv"

	"resnet/internal/eval"
	"resnet/internal/text"
)

// diagnosisPage is what the template shows of a Diagnosis.
type diagnosisPage struct {
	Measured             string
	Classes, MoreClasses []classLine // by falling error
	Columns              []className // of Matrix
	Matrix               []matrixRow // for few classes
	Map                  template.URL
	Confusion            confusionData // for the script, of Map
	Mixups               []string
	Calibration          string
	Curve                pageFigure
	Bins                 reportTable
	Worst                []worstCard
	WorstNote            string
}

type className struct {
	Class int
	Name  string
}

// classLine is a row of the errors by class; Share is its error in percent, for the bar.
type classLine struct {
	className
	N, Wrong, Error, Taken string
	Share                  float64
}

type matrixRow struct {
	Label string
	Cells []matrixCell
}

// matrixCell is a cell of the confusion matrix; Shade is 0 to 9 by its share of the label's images.
type matrixCell struct {
	N, Shade int
	Diagonal bool
	Title    string
}

// confusionData is the confusion matrix for the script: pairs are label, prediction and images.
type confusionData struct {
	Classes []string `json:"classes"`
	Pairs   [][3]int `json:"pairs"`
	Images  []int    `json:"images"` // of each label
}

// worstCard is one of the worst images.
type worstCard struct {
	Name, Taken, Label string
	View               template.URL
	Small              bool // its pixels are seen
	Maps               []mapCard
}

// mapCard is where the network sees a class, to be laid over the view.
type mapCard struct {
	Class string
	Over  template.URL
}

func newDiagnosisPage(d *Diagnosis) (*diagnosisPage, error) {
	p := &diagnosisPage{Measured: d.measured(), Calibration: d.calibrationText(), Bins: newReportTable(calibrationColumns(d.Calibration))}
	var err error
	if p.Curve, err = newPageFigure(d.calibrationFigure()); err != nil {
		return nil, err
	}
	if c := d.ClassReport(); c != nil {
		if err := p.confusion(c); err != nil {
			return nil, err
		}
	}
	for _, w := range d.Worst {
		card, err := d.card(w)
		if err != nil {
			return nil, err
		}
		p.Worst = append(p.Worst, card)
	}
	p.WorstNote = "Those of the greatest loss: wrong, and sure of it. First what the network sees of the image"
	if d.NoMaps == "" {
		p.WorstNote += ", then where it sees the class that it takes it for, and where that of the label (class activation maps, Zhou et al. 2016): the brighter, the more speaks for the class."
	} else {
		p.WorstNote += ". There are no class activation maps: " + text.Printable(d.NoMaps) + "."
	}
	return p, nil
}

func (d *Diagnosis) measured() string {
	of := text.Grouped(int64(d.Images))
	if d.Images < d.Of {
		of = fmt.Sprintf("%s of the %s, drawn evenly from the classes,", of, text.Grouped(int64(d.Of)))
	}
	split := d.Split
	if split == "val" {
		split = partVal
	}
	s := fmt.Sprintf("The checkpoint of step %s on the %s images of %s: %s are measured. Top-1 error %.2f%%", text.Grouped(d.Step), split, text.Printable(d.Data), of, d.Top1Error)
	if d.Top5Error != nil {
		s += fmt.Sprintf(", top-5 %.2f%%", *d.Top5Error)
	}
	return s + fmt.Sprintf(", loss %.4f.", d.Loss)
}

// shownClasses is how many classes the table of errors shows before it folds.
const shownClasses = eval.MatrixClasses

func (p *diagnosisPage) confusion(c *eval.ClassReport) error {
	lines := classLines(c)
	p.Classes = lines[:min(shownClasses, len(lines))]
	p.MoreClasses = lines[len(p.Classes):]
	if len(c.Classes) <= eval.MatrixClasses {
		for i, cells := range shades(*c) {
			p.Columns = append(p.Columns, className{i, text.Printable(c.Classes[i].Name)})
			p.Matrix = append(p.Matrix, matrixRow{c.Title(i), cells})
		}
		return nil
	}
	for _, m := range c.Mixups(eval.MatrixClasses) {
		p.Mixups = append(p.Mixups, fmt.Sprintf("%s × %s taken for %s", text.Grouped(int64(m.N)), c.Title(m.Label), c.Title(m.Predicted)))
	}
	for i, e := range c.Classes {
		p.Confusion.Classes = append(p.Confusion.Classes, c.Title(i))
		p.Confusion.Images = append(p.Confusion.Images, e.N)
		for k, n := range c.Confusion[i] {
			if n > 0 {
				p.Confusion.Pairs = append(p.Confusion.Pairs, [3]int{i, k, n})
			}
		}
	}
	var err error
	p.Map, err = pngURL(confusionMap(*c))
	return err
}

// classLines are the classes by falling error, of equal ones in their order; those without images
// come last.
func classLines(c *eval.ClassReport) []classLine {
	order := slices.Clone(c.Classes)
	slices.SortStableFunc(order, func(a, b eval.ClassError) int {
		share := func(e eval.ClassError) float64 {
			if e.Error == nil {
				return -1
			}
			return *e.Error
		}
		return cmp.Compare(share(b), share(a))
	})
	lines := make([]classLine, len(order))
	for i, e := range order {
		lines[i] = classLine{
			className: className{e.Class, text.Printable(e.Name)}, N: text.Grouped(int64(e.N)), Wrong: text.Grouped(int64(e.Wrong)), Error: eval.ErrorText(e.Error),
		}
		if e.Error != nil {
			lines[i].Share = *e.Error
		}
		most, taken := 0, 0
		for k, n := range c.Confusion[e.Class] {
			if k != e.Class && n > most {
				most, taken = n, k
			}
		}
		if most > 0 {
			lines[i].Taken = fmt.Sprintf("%s, %s×", text.Printable(c.Classes[taken].Name), text.Grouped(int64(most)))
		}
	}
	return lines
}

// shades prepares the confusion matrix. What is rare but wrong should be seen: any count above 0
// has a shade.
func shades(c eval.ClassReport) [][]matrixCell {
	var rows [][]matrixCell
	for label, counts := range c.Confusion {
		var row []matrixCell
		for p, n := range counts {
			cell := matrixCell{N: n, Diagonal: p == label}
			if n > 0 {
				cell.Shade = min(9, 1+9*n/c.Classes[label].N)
				cell.Title = fmt.Sprintf("%s taken for %s: %s of %s", c.Title(label), c.Title(p), text.Grouped(int64(n)), text.Grouped(int64(c.Classes[label].N)))
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	return rows
}

// The colours of a confusion matrix, which are seen on white and on black.
var (
	rightColor = color.NRGBA{0x2B, 0x8C, 0xC4, 255}
	wrongColor = color.NRGBA{0xE6, 0x72, 0x14, 255}
)

// confusionMap is the confusion matrix with a pixel for each pair, transparent where there are no
// images, and else the denser the larger its share of the label's images. A share that is small is
// seen as well.
func confusionMap(c eval.ClassReport) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, len(c.Classes), len(c.Classes)))
	for label, row := range c.Confusion {
		for p, n := range row {
			if n == 0 {
				continue
			}
			at := rightColor
			if p != label {
				at = wrongColor
			}
			share := float64(n) / float64(c.Classes[label].N)
			at.A = uint8(math.Round(255 * (0.3 + 0.7*math.Sqrt(share))))
			img.SetNRGBA(p, label, at)
		}
	}
	return img
}

func pngURL(img image.Image) (template.URL, error) {
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return dataURL(b.Bytes()), err
}

// dataURL is a PNG or a JPEG as an address that holds it: letters of base64 and a type of our own
// choice.
func dataURL(img []byte) template.URL {
	form := "image/png"
	if bytes.HasPrefix(img, []byte{0xFF, 0xD8}) {
		form = "image/jpeg"
	}
	return template.URL("data:" + form + ";base64," + base64.StdEncoding.EncodeToString(img)) //nolint:gosec // see above
}

// overlaySide is how many pixels an activation map has on a page, where it is stretched.
const overlaySide = 56

func (d *Diagnosis) card(w WorstImage) (worstCard, error) {
	c := worstCard{
		Name:  text.Printable(w.ID),
		Taken: fmt.Sprintf("taken for %s, %s", d.class(w.Top[0].Class), share(w.Top[0].Probability)),
		Label: fmt.Sprintf("is %s, %s", d.class(w.Label), share(w.Probability)),
		View:  dataURL(w.View),
	}
	size, _, err := image.DecodeConfig(bytes.NewReader(w.View))
	if err != nil {
		return c, err
	}
	c.Small = size.Width < largeView
	for _, m := range w.Maps {
		over, err := pngURL(overlay(m.Values, m.Side, overlaySide))
		if err != nil {
			return c, err
		}
		c.Maps = append(c.Maps, mapCard{d.class(m.Class), over})
	}
	return c, nil
}

// class names a class for people.
func (d *Diagnosis) class(k int) string {
	if name := text.Printable(d.Classes[k]); name != "" {
		return name
	}
	return "class " + strconv.Itoa(k)
}

// share is a probability in percent, of small ones as many digits as tell them from nothing.
func share(p float64) string {
	if p > 0 && p < 0.001 {
		return fmt.Sprintf("%.1g%%", 100*p)
	}
	return fmt.Sprintf("%.1f%%", 100*p)
}

func (d *Diagnosis) calibrationText() string {
	c := d.Calibration
	s := fmt.Sprintf("Expected calibration error %.2f%%: so far, in the mean over %d bins, is the confidence from the share that is right.", 100*c.ECE, len(c.Bins))
	switch {
	case c.Temperature == nil:
		return s + " No temperature fits: the loss falls as far as logits are scaled."
	case *c.Temperature > 1.02:
		s += " The network is surer than it is right:"
	case *c.Temperature < 0.98:
		s += " The network is less sure than it is right:"
	default:
		s += " Scaling would change little:"
	}
	s += fmt.Sprintf(" with logits divided by %.3g (the temperature of least loss, fitted to ", *c.Temperature)
	if c.Fitted < c.N {
		s += fmt.Sprintf("%s of the images", text.Grouped(int64(c.Fitted)))
	} else {
		s += "these images"
	}
	return s + fmt.Sprintf(") it would be %.2f%%, and the loss %.4f in place of %.4f.", 100*c.Scaled.ECE, c.Scaled.Loss, c.Loss)
}

func calibrationColumns(c eval.Calibration) []eval.Column {
	cols := []eval.Column{
		{Title: "confidence"},
		{Title: "images", Number: true},
		{Title: "mean confidence %", Number: true},
		{Title: "right %", Number: true},
	}
	for _, b := range c.Bins {
		confidence, accuracy := "", ""
		if b.N > 0 {
			confidence, accuracy = fmt.Sprintf("%.1f", 100*b.Confidence), fmt.Sprintf("%.1f", 100*b.Accuracy)
		}
		for i, cell := range []string{fmt.Sprintf("%.1f to %.1f%%", 100*b.Low, 100*b.High), text.Grouped(int64(b.N)), confidence, accuracy} {
			cols[i].Cells = append(cols[i].Cells, cell)
		}
	}
	return cols
}

// calibrationFigure is how many of the images of a confidence are right, against it.
func (d *Diagnosis) calibrationFigure() Figure {
	f := Figure{
		ID: "calibration", Title: "Calibration", X: "confidence (%)", Y: "right (%)", Unit: "%", Digits: 1, XMax: 100, YMax: 100, Linear: true,
		Note: "A point for each bin that has images, at their mean confidence. On the dashed line, of those that are called 80% sure 80% are right; below it the network is too sure.",
	}
	curve := func(name string, at int, bins []eval.CalibrationBin) Line {
		l := Line{Name: name, Group: name, Color: at, Marker: at, Width: testWidth}
		for _, b := range bins {
			if b.N > 0 {
				l.Points = append(l.Points, [2]float64{100 * b.Confidence, 100 * b.Accuracy})
			}
		}
		return l
	}
	const ideal = "calibrated"
	lines := []Line{
		{Name: ideal, Group: ideal, Color: 6, Marker: 6, Width: trainWidth, Dashed: true, Points: [][2]float64{{0, 0}, {100, 100}}},
		curve("as it is", 0, d.Calibration.Bins),
	}
	if s := d.Calibration.Scaled; s != nil {
		lines = append(lines, curve(fmt.Sprintf("temperature %.3g", *d.Calibration.Temperature), 1, s.Bins))
	}
	f.Panels = []Panel{{Lines: slices.DeleteFunc(lines, func(l Line) bool { return l.Points == nil })}}
	return f
}
