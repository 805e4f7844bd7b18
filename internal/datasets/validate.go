package datasets

import (
	"fmt"
	"strings"
)

// DefaultConfig is what a field left out means: the paper's CIFAR-10 (He et al. 2016, section 4.2).
func DefaultConfig() Config {
	return Config{Name: "cifar10", Normalize: PixelMean, Downsample: 1, Augment: Augment{Pad: 4, Flip: true}}
}

// A FieldError says what is wrong with one field. Path is relative to the section ("augment.pad"), Msg says what is
// wrong, Hint what would be right (it may be empty).
type FieldError struct {
	Path, Msg, Hint string
}

// Error joins path, message and hint in a line.
func (e FieldError) Error() string {
	s := "data." + e.Path + ": " + e.Msg
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Is makes every FieldError an ErrConfig.
func (e FieldError) Is(target error) bool { return target == ErrConfig }

// Validate returns every error of the section, in the order of its fields; nil when there is none. It looks at no file.
func (c Config) Validate() []FieldError {
	var errs []FieldError
	report := func(path, hint, format string, args ...any) {
		errs = append(errs, FieldError{path, fmt.Sprintf(format, args...), hint})
	}
	atLeastZero := func(path string, v int, hint string) {
		if v < 0 {
			report(path, hint, "%d is negative", v)
		}
	}
	if _, ok := registry()[c.Name]; !ok {
		report("name", suggest(c.Name), "unknown data set %q", c.Name)
	}
	if c.Name == "folder" && c.Dir == "" {
		report("dir", "the folder that holds train/CLASS/*.png and test/CLASS/*.png", "a folder of images needs one")
	}
	atLeastZero("validation", c.Validation, "0 holds out none")
	switch c.Normalize {
	case PixelMean, ChannelMeanStd, NoNormalizing, "":
	default:
		report("normalize", strings.Join([]string{PixelMean, ChannelMeanStd, NoNormalizing}, ", "), "unknown kind %q", c.Normalize)
	}
	atLeastZero("augment.pad", c.Augment.Pad, "the paper pads 4 pixels")
	atLeastZero("size", c.Size, "0 means the model's input size")
	if c.Size > maxSize {
		report("size", "", "%d pixels, and %d at most are possible", c.Size, maxSize)
	}
	atLeastZero("downsample", c.Downsample, "1 means none")
	if c.Downsample > maxSize {
		report("downsample", "", "%d pixels, and %d at most are possible", c.Downsample, maxSize)
	}
	atLeastZero("limit", c.Limit, "0 means all")
	atLeastZero("workers", c.Workers, "0 means one")
	return errs
}

// maxSize bounds Config.Size: 4096 pixels squared are 50 MB an image as bytes, 200 MB as floats.
const maxSize = 4096
