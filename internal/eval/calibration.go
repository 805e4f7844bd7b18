package eval

import (
	"fmt"
	"math"
)

// CalibrationBins is the number of bins of a calibration curve (Guo et al. 2017, "On calibration of
// modern neural networks").
const CalibrationBins = 15

// A CalibrationBin is the images whose confidence, the probability of the predicted class, is above
// Low and at most High.
type CalibrationBin struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	N    int     `json:"n"`
	// Means over the images, 0 to 1; 0 without images.
	Confidence float64 `json:"confidence"`
	Accuracy   float64 `json:"accuracy"`
}

// A Calibrated is how probabilities fit what came true.
type Calibrated struct {
	Bins []CalibrationBin `json:"bins"`
	// ECE is the expected calibration error, 0 to 1: the mean distance of confidence and accuracy
	// over the bins, each by its images.
	ECE  float64 `json:"ece"`
	Loss float64 `json:"loss"` // mean cross-entropy, natural logarithm
}

// A Calibration says how far the probabilities of a network can be believed, and by what its logits
// are divided to be believed more.
type Calibration struct {
	Calibrated
	N int `json:"n"` // images
	// Temperature is the number by which logits are divided so that the mean cross-entropy of the
	// Fitted images is least; nil where none is: of images that are all right it would be as small
	// as it can be. Scaled is the calibration of the Fitted images with it.
	Temperature *float64    `json:"temperature"`
	Fitted      int         `json:"fitted"`
	Scaled      *Calibrated `json:"scaled"`
}

// fitValues is how many logits are kept for the temperature, 64 MB of them: of more images, every
// second, third and so on.
const fitValues = 16 << 20

// A Calibrator gathers what a Calibration is made of. It is for one goroutine.
type Calibrator struct {
	classes, every int
	row            []float64
	all            binned
	logits         []float32 // [fitted, K]
	labels         []int
}

// NewCalibrator is for n images of a network of so many classes.
func NewCalibrator(n, classes int) *Calibrator {
	return newCalibrator(n, classes, fitValues)
}

func newCalibrator(n, classes, values int) *Calibrator {
	return &Calibrator{classes: classes, every: max(1, (n*classes+values-1)/values), row: make([]float64, classes)}
}

// Observe takes an image; it is an Observer.
func (c *Calibrator) Observe(im Image) error {
	if len(im.Logits) != c.classes || im.Label < 0 || im.Label >= c.classes {
		return fmt.Errorf("calibration: %d logits and label %d of %d classes", len(im.Logits), im.Label, c.classes)
	}
	c.all.add(c.row, im.Logits, im.Label, 1)
	if im.Index%c.every == 0 {
		c.logits, c.labels = append(c.logits, im.Logits...), append(c.labels, im.Label)
	}
	return nil
}

// Calibration is that of the images so far, of which there must be one.
func (c *Calibrator) Calibration() (Calibration, error) {
	if len(c.labels) == 0 {
		return Calibration{}, fmt.Errorf("calibration: there are no images")
	}
	out := Calibration{Calibrated: c.all.calibrated(), N: c.all.n, Fitted: len(c.labels)}
	beta, ok := c.fit()
	if !ok {
		return out, nil
	}
	var b binned
	for i, label := range c.labels {
		b.add(c.row, c.logits[i*c.classes:(i+1)*c.classes], label, beta)
	}
	t, scaled := 1/beta, b.calibrated()
	out.Temperature, out.Scaled = &t, &scaled
	return out, nil
}

// binned sums images by their confidence.
type binned struct {
	n          int
	loss       float64
	count      [CalibrationBins]int
	right      [CalibrationBins]int
	confidence [CalibrationBins]float64
}

// add counts an image by its logits times beta; row [K] is scratch.
func (b *binned) add(row []float64, logits []float32, label int, beta float64) {
	for c, z := range logits {
		row[c] = beta * float64(z)
	}
	norm, best := logSumExp(row), argmax(row)
	p := math.Exp(row[best] - norm)
	bin := min(max(int(math.Ceil(p*CalibrationBins))-1, 0), CalibrationBins-1)
	b.n++
	b.loss += norm - row[label]
	b.count[bin]++
	b.confidence[bin] += p
	if best == label {
		b.right[bin]++
	}
}

func (b *binned) calibrated() Calibrated {
	c := Calibrated{Loss: b.loss / float64(b.n)}
	for i, n := range b.count {
		bin := CalibrationBin{Low: float64(i) / CalibrationBins, High: float64(i+1) / CalibrationBins, N: n}
		if n > 0 {
			bin.Confidence, bin.Accuracy = b.confidence[i]/float64(n), float64(b.right[i])/float64(n)
			c.ECE += float64(n) / float64(b.n) * math.Abs(bin.Confidence-bin.Accuracy)
		}
		c.Bins = append(c.Bins, bin)
	}
	return c
}

// The inverse temperatures between which the best is looked for.
const (
	leastBeta = 0.01
	mostBeta  = 50
)

// fit finds the inverse temperature β at which the mean cross-entropy of the logits times β is
// least. That is convex in β: its derivative, the mean of Σ p_c z_c − z_label, is found to be 0 by
// Newton's method within a bracket, the second derivative being the mean variance of z under p.
func (c *Calibrator) fit() (beta float64, ok bool) {
	low, high := float64(leastBeta), float64(mostBeta)
	if s, _ := c.slope(high); s <= 0 {
		return 0, false
	}
	if s, _ := c.slope(low); s >= 0 {
		return 0, false
	}
	beta = 1
	for range 100 {
		s, curvature := c.slope(beta)
		if s > 0 {
			high = beta
		} else {
			low = beta
		}
		next := beta - s/curvature
		if !(next > low && next < high) { // also where the curvature is 0
			next = (low + high) / 2
		}
		if math.Abs(next-beta) <= 1e-10*beta {
			return next, true
		}
		beta = next
	}
	return beta, true
}

// slope is the first and the second derivative of the mean cross-entropy by β.
func (c *Calibrator) slope(beta float64) (first, second float64) {
	for i, label := range c.labels {
		logits := c.logits[i*c.classes : (i+1)*c.classes]
		for k, z := range logits {
			c.row[k] = beta * float64(z)
		}
		norm := logSumExp(c.row)
		var mean, square float64
		for k, z := range logits {
			p := math.Exp(c.row[k] - norm)
			d := float64(z) - float64(logits[label]) // squares would cancel
			mean += p * d
			square += p * d * d
		}
		first += mean
		second += square - mean*mean
	}
	n := float64(len(c.labels))
	return first / n, second / n
}
