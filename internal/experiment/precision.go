package experiment

import (
	"resnet/internal/config"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/text"
)

// ParsePrecision reads the name of a precision, as train.precision and --precision give it. It
// fails with a *config.UsageError.
func ParsePrecision(name string) (graph.Precision, error) {
	p, err := graph.ParsePrecision(name)
	if err != nil {
		return p, config.Usagef("%w%s", err, text.DidYouMean(name, graph.Precisions()))
	}
	return p, nil
}

// precision is that of the training.
func (x *Experiment) precision() graph.Precision {
	p, _ := graph.ParsePrecision(x.Train.Precision) // the section's Validate has refused others
	return p
}

// Compute takes a precision in the place of that which the network was trained in; "" keeps that.
func (m *Model) Compute(precision string) error {
	if precision == "" {
		return nil
	}
	p, err := ParsePrecision(precision)
	if err == nil {
		m.Precision = p
	}
	return err
}

// device is so many threads, in the network's precision.
func (m *Model) device(threads int) device {
	return device{threads: threads, precision: m.Precision}
}

// factory compiles the network.
func (m *Model) factory(threads int) eval.Factory { return m.env.limited(m.device(threads), 0) }
