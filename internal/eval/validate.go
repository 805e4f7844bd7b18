package eval

import "resnet/internal/fielderr"

// DefaultConfig is what a field left out means.
func DefaultConfig() Config { return Config{EveryEpochs: 1, Batch: 250} }

// Validate returns every error of the section, in the order of its fields; nil when there is none.
func (c Config) Validate() []fielderr.Error {
	l := fielderr.List{Section: "eval"}
	for _, f := range []struct {
		path       string
		value, low int
		whenTooLow string
	}{
		{"every", c.Every, 0, "0 means by every_epochs"},
		{"every_epochs", c.EveryEpochs, 0, "0 means only at the end"},
		{"batch", c.Batch, 1, "250 is usual; it does not change the figures"},
	} {
		if f.value < f.low {
			l.Add(f.path, f.whenTooLow, "%d is below %d", f.value, f.low)
		}
	}
	return l.Errors
}
