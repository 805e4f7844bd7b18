package eval

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// calibratedCase is what testdata/eval/calibration.py has of logits.
type calibratedCase struct {
	Bins [][3]float64 `json:"bins"` // images, confidence, accuracy
	ECE  float64      `json:"ece"`
	Loss float64      `json:"loss"`
}

func (want calibratedCase) compare(t *testing.T, got Calibrated) {
	t.Helper()
	// Logits of the script are three decimals, which float32 holds to 1e-7 of themselves.
	const close = 1e-6
	if math.Abs(got.ECE-want.ECE) > close || math.Abs(got.Loss-want.Loss) > close {
		t.Errorf("expected calibration error %v, loss %v; want %v, %v", got.ECE, got.Loss, want.ECE, want.Loss)
	}
	for i, b := range got.Bins {
		w := want.Bins[i]
		if b.N != int(w[0]) || math.Abs(b.Confidence-w[1]) > close || math.Abs(b.Accuracy-w[2]) > close {
			t.Errorf("bin %d: %+v, want %v", i, b, w)
		}
		if math.Abs(b.Low-float64(i)/15) > 1e-15 || math.Abs(b.High-float64(i+1)/15) > 1e-15 {
			t.Errorf("bin %d is from %v to %v", i, b.Low, b.High)
		}
	}
}

func calibrationOf(t *testing.T, c *Calibrator, logits []float32, labels []int) Calibration {
	t.Helper()
	k := c.classes
	for i, label := range labels {
		if err := c.Observe(Image{Index: i, Label: label, Logits: logits[i*k : (i+1)*k]}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := c.Calibration()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestCalibrationIsThatOfPyTorchAndNumpy(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "testdata", "eval", "calibration.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Cases []struct {
			calibratedCase
			Name        string         `json:"name"`
			Classes     int            `json:"classes"`
			Logits      []float32      `json:"logits"`
			Labels      []int          `json:"labels"`
			Temperature float64        `json:"temperature"`
			Scaled      calibratedCase `json:"scaled"`
		} `json:"cases"`
	}
	if err := json.Unmarshal(b, &doc); err != nil || len(doc.Cases) < 3 {
		t.Fatalf("%d cases (%v)", len(doc.Cases), err)
	}
	for _, c := range doc.Cases {
		t.Run(c.Name, func(t *testing.T) {
			got := calibrationOf(t, NewCalibrator(len(c.Labels), c.Classes), c.Logits, c.Labels)
			c.compare(t, got.Calibrated)
			if got.N != len(c.Labels) || got.Fitted != len(c.Labels) {
				t.Errorf("%d images, %d fitted, of %d", got.N, got.Fitted, len(c.Labels))
			}
			if got.Temperature == nil || math.Abs(*got.Temperature-c.Temperature) > 1e-6*c.Temperature {
				t.Fatalf("temperature %v, want %v", got.Temperature, c.Temperature)
			}
			c.Scaled.compare(t, *got.Scaled)
		})
	}
}

func TestATemperatureIsTheLeastOfTheCrossEntropyAroundIt(t *testing.T) {
	logits := []float32{4, 0, 0, 5, 1, 0, 0, 3, 2, 6, 0, 1}
	labels := []int{0, 1, 1, 0}
	got := calibrationOf(t, NewCalibrator(4, 3), logits, labels)
	loss := func(temperature float64) float64 { // as in a textbook
		var sum float64
		for i, label := range labels {
			var z float64
			for k := range 3 {
				z += math.Exp(float64(logits[3*i+k]) / temperature)
			}
			sum -= math.Log(math.Exp(float64(logits[3*i+label])/temperature) / z)
		}
		return sum / 4
	}
	best := loss(*got.Temperature)
	if math.Abs(best-got.Scaled.Loss) > 1e-12 {
		t.Errorf("loss %v, and it says %v", best, got.Scaled.Loss)
	}
	for d := 0.5; d > 1e-3; d /= 2 {
		if loss(*got.Temperature+d) < best || loss(*got.Temperature-d) < best {
			t.Errorf("the loss is less at a distance of %v of %v", d, *got.Temperature)
		}
	}
}

func TestWithoutAMistakeThereIsNoTemperature(t *testing.T) {
	got := calibrationOf(t, NewCalibrator(2, 2), []float32{3, 0, 0, 2}, []int{0, 1})
	if got.Temperature != nil || got.Scaled != nil {
		t.Errorf("temperature %v of images that are all right", *got.Temperature)
	}
	// The other way round the probabilities mean nothing at any temperature.
	got = calibrationOf(t, NewCalibrator(2, 2), []float32{3, 0, 0, 2}, []int{1, 0})
	if got.Temperature != nil {
		t.Errorf("temperature %v of images that are all wrong", *got.Temperature)
	}
}

func TestATemperatureIsFittedToAsManyImagesAsFit(t *testing.T) {
	var logits []float32
	var labels []int
	for i := range 10 {
		logits, labels = append(logits, float32(i%3), 1), append(labels, i%2)
	}
	got := calibrationOf(t, newCalibrator(10, 2, 8), logits, labels) // 20 values: every third image
	if got.N != 10 || got.Fitted != 4 {
		t.Errorf("%d images, %d fitted: want 10 and 4", got.N, got.Fitted)
	}
	c := NewCalibrator(1, 2)
	if _, err := c.Calibration(); err == nil {
		t.Error("a calibration of no image")
	}
	for _, im := range []Image{{Logits: []float32{1}}, {Logits: []float32{1, 2}, Label: 2}, {Logits: []float32{1, 2}, Label: -1}} {
		if err := c.Observe(im); err == nil {
			t.Errorf("%+v: no error", im)
		}
	}
}
