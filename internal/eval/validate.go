package eval

import "fmt"

// DefaultConfig is what a field left out means.
func DefaultConfig() Config { return Config{EveryEpochs: 1, Batch: 250} }

// A FieldError says what is wrong with one field. Path is relative to the section ("batch"), Msg
// says what is wrong, Hint what would be right (it may be empty).
type FieldError struct {
	Path, Msg, Hint string
}

// Error joins path, message and hint in a line.
func (e FieldError) Error() string {
	s := "eval." + e.Path + ": " + e.Msg
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Validate returns every error of the section, in the order of its fields; nil when there is none.
func (c Config) Validate() []FieldError {
	var errs []FieldError
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
			errs = append(errs, FieldError{f.path, fmt.Sprintf("%d is below %d", f.value, f.low), f.whenTooLow})
		}
	}
	return errs
}
