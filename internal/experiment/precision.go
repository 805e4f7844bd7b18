package experiment

import (
	"resnet/internal/config"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
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

// Kernels names the kernels that compute in a precision, on which the last bits of results depend.
// Without instructions for bfloat16, values are rounded in memory alone.
func Kernels(p graph.Precision) string {
	if p == graph.BFloat16 && kernel.BF16() {
		return kernel.Active() + "+" + kernel.ActiveBF16()
	}
	return kernel.Active()
}

// Precision is that of the training.
func (x *Experiment) Precision() graph.Precision {
	p, _ := graph.ParsePrecision(x.Train.Precision) // the section's Validate has refused others
	return p
}

// precisionNotes say in which precision runs were trained, where that is one and not float32. Where
// they differ it is one of their settings.
func precisionNotes(runs []*config.Loaded) []string {
	one := ""
	for _, l := range runs {
		if l == nil || one != "" && one != l.Train.Precision {
			return nil
		}
		one = l.Train.Precision
	}
	if one == "" || one == graph.Float32.String() {
		return nil
	}
	return []string{"All runs were trained and measured in " + one + "."}
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
