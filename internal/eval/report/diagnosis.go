package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"math"
	"path/filepath"

	"resnet/internal/atomicfile"
	"resnet/internal/eval"
	"resnet/internal/input"
)

// DiagnosticsFile is the file of a run folder that keeps a Diagnosis.
const DiagnosticsFile = "diagnostics.json"

// ErrDiagnostics marks a diagnostics.json that is none.
var ErrDiagnostics = errors.New("no diagnostics of a run")

// diagnosisFormat is the version of diagnostics.json.
const diagnosisFormat = 1

// A Diagnosis is what a trained network gets wrong, measured image by image.
type Diagnosis struct {
	Format     int    `json:"format"`
	Checkpoint string `json:"checkpoint"` // of the weights: a file's name
	SHA256     string `json:"sha256"`     // of that file
	Step       int64  `json:"step"`
	Data       string `json:"data"`
	Split      string `json:"split"`
	Images     int    `json:"images"` // measured
	Of         int    `json:"of"`     // images of the split
	Limit      int    `json:"limit"`  // as many were measured at most; 0 means all
	// Errors are percentages.
	Top1Error float64  `json:"top1_error"`
	Top5Error *float64 `json:"top5_error"`
	Loss      float64  `json:"loss"`
	Classes   []string `json:"classes"` // names by class; "" for one without
	// Confusion counts the images by label and prediction, the right ones as well; pairs without
	// images are left out. It is nil for more classes than a confusion matrix is kept for.
	Confusion   []eval.Mixup     `json:"confusion"`
	Calibration eval.Calibration `json:"calibration"`
	// Worst are the images of the greatest loss, the greatest first.
	Worst []WorstImage `json:"worst"`
	// NoMaps is why there are no activation maps; "" where there are.
	NoMaps string `json:"no_maps,omitempty"`
}

// A WorstImage is one of those that a network gets most wrong.
type WorstImage struct {
	Index       int          `json:"index"` // in the split
	ID          string       `json:"id"`
	Label       int          `json:"label"`
	Probability float64      `json:"probability"` // of the label
	Loss        float64      `json:"loss"`
	Top         []eval.Guess `json:"top"`  // the likeliest classes
	View        []byte       `json:"view"` // what the network sees: a PNG or JPEG
	// Maps are the activation maps of the likeliest class and of the label.
	Maps []ActivationMap `json:"maps,omitempty"`
}

// An ActivationMap [Side, Side] is where a network sees a class: see eval.Model.ActivationMap.
type ActivationMap struct {
	Class  int       `json:"class"`
	Side   int       `json:"side"`
	Values []float32 `json:"values"`
}

// largeView is the side, in pixels, from which a view is kept as JPEG: a photograph is then a tenth
// of its PNG.
const largeView = 96

// Encode is the view as a PNG, or from 96 pixels on as a JPEG.
func (v View) Encode() ([]byte, error) {
	var b bytes.Buffer
	var err error
	if img := v.times(1); v.Side < largeView {
		err = png.Encode(&b, img)
	} else {
		err = jpeg.Encode(&b, img, &jpeg.Options{Quality: 88})
	}
	return b.Bytes(), err
}

// ClassReport is the errors by class with the confusion matrix; nil where there is none.
func (d *Diagnosis) ClassReport() *eval.ClassReport {
	if d.Confusion == nil {
		return nil
	}
	m := eval.Metrics{Confusion: make([][]int, len(d.Classes))}
	for label := range m.Confusion {
		m.Confusion[label] = make([]int, len(d.Classes))
	}
	for _, c := range d.Confusion {
		m.Confusion[c.Label][c.Predicted] = c.N
	}
	r := m.Classes(d.Classes)
	return &r
}

// WriteDiagnosis writes diagnostics.json into a run folder, complete or not at all.
func WriteDiagnosis(dir string, d *Diagnosis) error {
	return folder{atomicfile.OS, dir}.diagnosis(d)
}

func (dir folder) diagnosis(d *Diagnosis) error {
	d.Format = diagnosisFormat
	return dir.write(DiagnosticsFile, func(w io.Writer) error { return eval.WriteJSON(w, d) })
}

// maxDiagnosis is far above the size of a diagnostics.json, in bytes.
const maxDiagnosis = 64 << 20

// ReadDiagnosis reads diagnostics.json of a run folder; nil where there is none. It fails with
// ErrDiagnostics for a file that is none.
func ReadDiagnosis(dir string) (*Diagnosis, error) {
	path := filepath.Join(dir, DiagnosticsFile)
	b, err := input.Read(path, maxDiagnosis)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d, err := parseDiagnosis(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, ErrDiagnostics, err)
	}
	return d, nil
}

func parseDiagnosis(b []byte) (*Diagnosis, error) {
	d := new(Diagnosis)
	if err := json.Unmarshal(b, d); err != nil {
		return nil, err
	}
	if d.Format != diagnosisFormat {
		return nil, fmt.Errorf("its format is %d, and this version reads %d", d.Format, diagnosisFormat)
	}
	return d, d.check()
}

// Bounds of what a page shows.
const (
	maxWorst    = 1000
	maxMapSide  = 512
	maxViewSide = 4096
)

// check fails for what a page could not be made of.
func (d *Diagnosis) check() error {
	k := len(d.Classes)
	switch {
	case d.Images < 1 || d.Of < d.Images:
		return fmt.Errorf("%d images of %d", d.Images, d.Of)
	case d.Confusion != nil && k > eval.ConfusionClasses:
		return fmt.Errorf("a confusion matrix of %d classes", k)
	case len(d.Calibration.Bins) > 1000 || d.Calibration.Scaled != nil && len(d.Calibration.Scaled.Bins) > 1000:
		return errors.New("a calibration curve of more than 1000 bins")
	case (d.Calibration.Temperature == nil) != (d.Calibration.Scaled == nil):
		return errors.New("a temperature without its calibration")
	case len(d.Worst) > maxWorst:
		return fmt.Errorf("%d worst images", len(d.Worst))
	}
	known := func(class int) bool { return class >= 0 && class < k }
	for _, c := range d.Confusion {
		if !known(c.Label) || !known(c.Predicted) || c.N < 0 || c.N > math.MaxInt32 {
			return fmt.Errorf("%d images of class %d taken for %d, of %d classes", c.N, c.Label, c.Predicted, k)
		}
	}
	for _, w := range d.Worst {
		if err := w.check(known); err != nil {
			return fmt.Errorf("worst image %d: %w", w.Index, err)
		}
	}
	return nil
}

func (w WorstImage) check(known func(int) bool) error {
	if !known(w.Label) || len(w.Top) == 0 {
		return fmt.Errorf("label %d, %d guesses", w.Label, len(w.Top))
	}
	for _, g := range w.Top {
		if !known(g.Class) {
			return fmt.Errorf("a guess of class %d", g.Class)
		}
	}
	size, form, err := image.DecodeConfig(bytes.NewReader(w.View))
	if err != nil {
		return fmt.Errorf("its view: %w", err)
	}
	if form != "png" && form != "jpeg" || size.Width != size.Height || size.Width < 1 || size.Width > maxViewSide {
		return fmt.Errorf("its view is a %s of %dx%d", form, size.Width, size.Height)
	}
	for _, m := range w.Maps {
		if !known(m.Class) || m.Side < 1 || m.Side > maxMapSide || len(m.Values) != m.Side*m.Side {
			return fmt.Errorf("an activation map of class %d, %d values for %dx%d", m.Class, len(m.Values), m.Side, m.Side)
		}
	}
	return nil
}
