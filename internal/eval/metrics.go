package eval

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"resnet/internal/text"
)

// Errors of measuring.
var (
	// ErrNonFinite marks a logit that is NaN or infinite.
	ErrNonFinite = errors.New("the network's output is not finite")
	// ErrLabel marks a label for which the network has no class.
	ErrLabel = errors.New("the network has no class for the label")
)

// Metrics are the figures of one network on a set of images. Errors are percentages.
type Metrics struct {
	N         int      `json:"n"` // images, each counted once
	Top1Error float64  `json:"top1_error"`
	Top5Error *float64 `json:"top5_error"` // nil for fewer than 5 classes
	Loss      float64  `json:"loss"`       // mean cross-entropy, natural logarithm
	// Confusion [K, K] counts the images with the label of the row and the prediction of the
	// column. It is nil for more than 4096 classes, where it would take more memory than a network.
	Confusion [][]int `json:"confusion"`
}

// ConfusionClasses is the most that a confusion matrix is kept for: 128 MB.
const ConfusionClasses = 4096

// A Meter measures logits of a known number of images that arrive in any order and any batches. It
// is for one goroutine.
type Meter struct {
	classes   int
	losses    []float64 // by image, so that they are summed in one order
	seen      []bool
	ranks     []uint8 // by image: classes before the right one, at most 5
	left      int
	confusion [][]int
	row       []float64
	names     func(i int) string
}

// NewMeter measures n images of a network with that many classes. Errors call image i names(i); nil
// means its number alone.
func NewMeter(n, classes int, names func(i int) string) (*Meter, error) {
	if n < 1 || classes < 1 {
		return nil, fmt.Errorf("evaluation of %d images in %d classes: there is nothing to measure", n, classes)
	}
	m := &Meter{classes: classes, losses: make([]float64, n), seen: make([]bool, n), ranks: make([]uint8, n), left: n, row: make([]float64, classes), names: names}
	if classes <= ConfusionClasses {
		m.confusion = make([][]int, classes)
		for label := range m.confusion {
			m.confusion[label] = make([]int, classes)
		}
	}
	return m, nil
}

// Add counts the images index[j] with the logits [len(index), K] and labels[j]. It fails with
// ErrNonFinite or ErrLabel, naming the image, and for an image that has been counted already; the
// Meter is of no use then.
func (m *Meter) Add(logits []float32, labels []int32, index []int) error {
	if len(labels) != len(index) || len(logits) != len(index)*m.classes {
		return fmt.Errorf("evaluation: %d logits and %d labels for %d images of %d classes", len(logits), len(labels), len(index), m.classes)
	}
	for j, i := range index {
		for c, z := range logits[j*m.classes : (j+1)*m.classes] {
			m.row[c] = float64(z)
		}
		if err := m.add(i, int(labels[j]), m.row); err != nil {
			return err
		}
	}
	return nil
}

// add counts image i with scores [K], logits or logarithms of probabilities.
func (m *Meter) add(i, label int, scores []float64) error {
	if err := m.fresh(i); err != nil {
		return err
	}
	if label < 0 || label >= m.classes {
		return fmt.Errorf("%s: %w: label %d, classes 0 to %d: evaluate on the data set that the network was trained for", m.name(i), ErrLabel, label, m.classes-1)
	}
	for c, z := range scores {
		if math.IsNaN(z) || math.IsInf(z, 0) {
			return fmt.Errorf("%s: %w: the logit of class %d is %v", m.name(i), ErrNonFinite, c, z)
		}
	}
	m.losses[i] = logSumExp(scores) - scores[label]
	m.count(i, uint8(min(rank(scores, label), 5)))
	if m.confusion != nil {
		m.confusion[label][argmax(scores)]++
	}
	return nil
}

// count takes note that image i has been measured, with so many classes before the right one.
func (m *Meter) count(i int, before uint8) {
	m.seen[i], m.ranks[i] = true, before
	m.left--
}

// record is the length of an image's figures between processes: its number, loss and rank.
const record = 4 + 8 + 1

// merge counts the images that other processes have measured.
func (m *Meter) merge(p Part, err error) error {
	var own []byte
	if err == nil {
		for i, seen := range m.seen {
			if seen {
				own = binary.LittleEndian.AppendUint32(own, uint32(i))
				own = binary.LittleEndian.AppendUint64(own, math.Float64bits(m.losses[i]))
				own = append(own, m.ranks[i])
			}
		}
	}
	all, err := p.Gather(own, err)
	if err != nil {
		return err
	}
	for at, b := range all {
		if at == p.At {
			continue
		}
		for ; len(b) >= record; b = b[record:] {
			i := int(binary.LittleEndian.Uint32(b))
			if err := m.fresh(i); err != nil {
				return err
			}
			m.losses[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[4:]))
			m.count(i, b[12])
		}
	}
	return nil
}

// fresh fails unless image i is one of those that are measured and has not been counted yet.
func (m *Meter) fresh(i int) error {
	switch {
	case i < 0 || i >= len(m.seen):
		return fmt.Errorf("evaluation: image %d of %d", i, len(m.seen))
	case m.seen[i]:
		return fmt.Errorf("evaluation: %s is counted twice", m.name(i))
	}
	return nil
}

func (m *Meter) name(i int) string {
	if m.names == nil {
		return fmt.Sprintf("image %d", i)
	}
	return fmt.Sprintf("image %d (%s)", i, text.Printable(m.names(i)))
}

// Metrics returns the figures. It fails unless every image was counted.
func (m *Meter) Metrics() (Metrics, error) {
	n := len(m.seen)
	if m.left > 0 {
		return Metrics{}, fmt.Errorf("evaluation: %d of %d images were not measured", m.left, n)
	}
	var sum float64
	for _, l := range m.losses {
		sum += l
	}
	wrong1, wrong5 := 0, 0
	for _, before := range m.ranks {
		if before >= 1 {
			wrong1++
		}
		if before >= 5 {
			wrong5++
		}
	}
	r := Metrics{N: n, Top1Error: percent(wrong1, n), Loss: sum / float64(n), Confusion: m.confusion}
	if m.classes >= 5 {
		top5 := percent(wrong5, n)
		r.Top5Error = &top5
	}
	return r, nil
}

// CrossEntropy is the loss of an image: log Σ exp(z) − z_label, natural logarithm.
func CrossEntropy(logits []float32, label int) float64 {
	scores := make([]float64, len(logits))
	for c, z := range logits {
		scores[c] = float64(z)
	}
	return logSumExp(scores) - scores[label]
}

func percent(part, whole int) float64 { return 100 * float64(part) / float64(whole) }

// rank counts the classes that come before c: those with a greater score, and those of a lower
// index with an equal one.
func rank(scores []float64, c int) int {
	r := 0
	for j, z := range scores {
		if z > scores[c] || z == scores[c] && j < c {
			r++
		}
	}
	return r
}

// argmax is the class of rank 0.
func argmax(scores []float64) int {
	best := 0
	for j, z := range scores {
		if z > scores[best] {
			best = j
		}
	}
	return best
}

// logSumExp is log Σ exp(z), shifted by the greatest z so that nothing overflows.
func logSumExp(z []float64) float64 {
	top := z[argmax(z)]
	var sum float64
	for _, v := range z {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
}
