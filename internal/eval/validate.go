package eval

import (
	"resnet/internal/fielderr"
	"resnet/internal/graph"
)

// Bounds of the steps and the epochs between evaluations, which are those of a training.
const (
	maxSteps  = 1 << 40
	maxEpochs = 1 << 20
)

// DefaultConfig is what a field left out means.
func DefaultConfig() Config { return Config{EveryEpochs: 1, Batch: 250} }

// Validate returns every error of the section, in the order of its fields; nil when there is none.
func (c Config) Validate() []fielderr.Error {
	l := fielderr.List{Section: "eval"}
	for _, f := range []struct {
		path             string
		value, low, high int
		hint             string
	}{
		{"every", c.Every, 0, maxSteps, "0 means by every_epochs"},
		{"every_epochs", c.EveryEpochs, 0, maxEpochs, "0 means only at the end"},
		{"batch", c.Batch, 1, graph.MaxBatch, "250 is usual; it does not change the figures"},
	} {
		if f.value < f.low {
			l.Add(f.path, f.hint, "%d is below %d", f.value, f.low)
		}
		if f.value > f.high {
			l.Add(f.path, f.hint, "%d, and %d at most are possible", f.value, f.high)
		}
	}
	return l.Errors
}
