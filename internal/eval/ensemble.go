package eval

import (
	"fmt"
	"slices"
	"strings"
)

// An Ensemble combines the logits of several networks on the same images. Each member is measured
// in its own pass, with its own preprocessing; what is kept between passes is 8·N·K bytes. The
// result depends on the order of the members only in the last bits.
type Ensemble struct {
	combine Combine
	classes int
	members int
	scores  []float64 // [N, K] Σ logits, or log Σ softmax
	labels  []int
	count   []int // members that have measured image i
	row     []float64
}

// NewEnsemble combines networks of that many classes on n images.
func NewEnsemble(n, classes int, combine Combine) (*Ensemble, error) {
	switch {
	case combine != CombineSoftmax && combine != CombineLogits:
		return nil, fmt.Errorf("ensemble: cannot combine by %q: %s or %s", string(combine), CombineSoftmax, CombineLogits)
	case n < 1 || classes < 1:
		return nil, fmt.Errorf("ensemble: %d images of %d classes", n, classes)
	}
	return &Ensemble{
		combine: combine, classes: classes, scores: make([]float64, n*classes), labels: make([]int, n), count: make([]int, n),
		row: make([]float64, classes),
	}, nil
}

// Member begins the next member; its images go to the observer.
func (e *Ensemble) Member() Observer {
	e.members++
	member := e.members
	return func(im Image) error {
		i := im.Index
		switch {
		case i < 0 || i >= len(e.labels) || len(im.Logits) != e.classes:
			return fmt.Errorf("ensemble: image %d with %d classes, in an ensemble of %d images and %d classes", i, len(im.Logits), len(e.labels), e.classes)
		case e.count[i] != member-1:
			return fmt.Errorf("ensemble: image %d was measured by %d members before member %d", i, e.count[i], member)
		case member > 1 && e.labels[i] != im.Label:
			return fmt.Errorf("ensemble: image %d has the label %d, and had %d: the members were measured on different images", i, im.Label, e.labels[i])
		}
		e.count[i]++
		e.labels[i] = im.Label
		addScores(e.scores[i*e.classes:(i+1)*e.classes], e.row, im.Logits, e.combine, member == 1)
		return nil
	}
}

// Metrics measures the ensemble: the mean logits, or the mean probabilities, whose logarithms take
// the logits' place (the loss is minus the logarithm of the label's mean probability). Observers
// see these as float32. It fails unless every member has measured every image.
func (e *Ensemble) Metrics(names func(i int) string, observers ...Observer) (Metrics, error) {
	if e.members == 0 {
		return Metrics{}, fmt.Errorf("ensemble: no members")
	}
	meter, err := NewMeter(len(e.labels), e.classes, names)
	if err != nil {
		return Metrics{}, err
	}
	mean := make([]float64, e.classes)
	logits := make([]float32, e.classes)
	for i, label := range e.labels {
		if e.count[i] != e.members {
			return Metrics{}, fmt.Errorf("ensemble: image %d was measured by %d of %d members", i, e.count[i], e.members)
		}
		for c := range mean {
			mean[c] = meanScore(e.scores[i*e.classes+c], e.members, e.combine)
			logits[c] = float32(mean[c])
		}
		if err := meter.add(i, label, mean); err != nil {
			return Metrics{}, err
		}
		for _, observe := range observers {
			if err := observe(Image{Index: i, Label: label, Logits: logits}); err != nil {
				return Metrics{}, err
			}
		}
	}
	return meter.Metrics()
}

// MeasuredEnsemble makes the row below those of the members. Where members have
// different protocols (their inputs may have different sizes), the row names each once.
func MeasuredEnsemble(members []Measured, combine Combine, m Metrics) Measured {
	r := Row{Model: fmt.Sprintf("ensemble of %d (%s)", len(members), combine), N: m.N, Top1Error: m.Top1Error, Top5Error: m.Top5Error, Loss: m.Loss}
	var paths, protocols []string
	for _, member := range members {
		paths = append(paths, member.Row.Checkpoint)
		r.Params += member.Row.Params
		r.Precision = max(r.Precision, member.Row.Precision)
		if !slices.Contains(protocols, member.Row.Protocol) {
			protocols = append(protocols, member.Row.Protocol)
		}
	}
	r.Checkpoint, r.Protocol = strings.Join(paths, " + "), strings.Join(protocols, " + ")
	out := members[0]
	out.Row, out.Ensemble = r, true
	return out
}
