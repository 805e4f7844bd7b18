package blocks

import (
	"fmt"
	"strings"

	"resnet/internal/fielderr"
)

// section is the part of the configuration that this package owns.
const section = "model"

// DataInfo is what a net takes from the data set. Zero means that the data set leaves it to the
// model.
type DataInfo struct {
	Channels int
	Size     int // pixels, height and width
	Classes  int
}

// DefaultConfig holds the defaults of the `model` section; it names no architecture.
func DefaultConfig() Config {
	return Config{BatchNorm: true, BNMomentum: DefaultBNMomentum}
}

// Validate reports everything that is wrong with the section by itself, whatever the data set.
func (c Config) Validate() []fielderr.Error {
	l := fielderr.List{Section: section}
	report := l.Add
	s, known := c.architecture(report)
	option := Shortcut(strings.ToUpper(c.Shortcut))
	switch {
	case c.Shortcut == "":
	case option != OptionA && option != OptionB && option != OptionC:
		report("shortcut", "A, B or C; leave it out for the row's own", "unknown option %q", c.Shortcut)
	case known && s.Shortcut == None:
		report("shortcut", "name a residual net, or set residual: true with family", "%s is a plain net", s.Name)
	}
	if c.ShortcutPad != "" && c.ShortcutPad != "sides" && c.ShortcutPad != "end" {
		report("shortcut_pad", "sides or end", "unknown value %q", c.ShortcutPad)
	}
	c.validateVariation(s, known, report)
	switch {
	case !(c.Dropout >= 0 && c.Dropout < 1):
		report("dropout", "0.3 is usual, 0 is none", "%g is not at least 0 and below 1", c.Dropout)
	case c.Dropout > 0 && known && s.Block != PreBasic:
		report("dropout", "it is for wide residual networks such as wrn-28-10", "%s has no dropout in its blocks", s.Name)
	}
	checkRange := func(key string, value, most int) {
		if value < 0 || value > most {
			report(key, fmt.Sprintf("0 (the data set's) to %d", most), "%d is out of range", value)
		}
	}
	c.validateRecipe(s, known, report)
	c.Speech.validate(report)
	checkRange("classes", c.Classes, maxClasses)
	checkRange("input_channels", c.InputChannels, maxWidth)
	checkRange("input_size", c.InputSize, maxSize)
	if !(c.BNEps >= 0 && c.BNEps < 1) {
		report("bn_eps", "1e-5 is usual", "%g is not between 0 and 1", c.BNEps)
	}
	if !(c.BNMomentum >= 0 && c.BNMomentum <= 1) {
		report("bn_momentum", "0.1 is usual", "%g is not between 0 and 1", c.BNMomentum)
	}
	return l.Errors
}

// architecture finds what name, or family and depth, mean, and reports what is wrong with them.
func (c Config) architecture(report func(key, hint, format string, args ...any)) (Spec, bool) {
	switch {
	case c.Name == FromCheckpoint:
		if c.Weights == "" {
			report("name", "name the checkpoint, or an architecture", "%s is the network of model.weights, and that is empty", FromCheckpoint)
		}
		return Spec{}, false
	case c.Name != "" && c.Family != "":
		report("family", "leave one of them out", "both name %q and family %q are set", c.Name, c.Family)
	case c.Name != "":
		s, ok := lookup(c.Name)
		switch {
		case !ok:
			report("name", "", "unknown architecture %q%s", c.Name, suggest(c.Name))
		case c.Depth != 0:
			report("depth", "with family: cifar instead of a name", "%s has a depth already", c.Name)
		case c.Residual && s.Shortcut == None:
			report("residual", "name a residual net", "%s is a plain net", c.Name)
		default:
			return s, true
		}
	case c.Family == "":
		report("name", "such as resnet20; `resnet models list` prints all", "no architecture is named")
	case c.Family != FamilyCIFAR:
		report("family", "cifar is the only family with a free depth", "unknown family %q", c.Family)
	default:
		if wrong := checkDepth(c.Depth); wrong != "" {
			report("depth", "6n+2: 8, 14, 20, ...", "%s", wrong)
			return Spec{}, false
		}
		return cifarFamily(c.Depth, c.Residual), true
	}
	return Spec{}, false
}

// Resolve makes the architecture that a `model` section means for a data set. Values that the
// section leaves out are the data set's, and where that has none, the row's. It fails with every
// fielderr.Error, joined: those of Validate, an input unlike the data set's, or fewer classes than
// it has.
func Resolve(c Config, data DataInfo) (Spec, error) {
	l := fielderr.List{Section: section, Errors: c.Validate()}
	mismatch := func(key string, ours, theirs int) {
		if ours != 0 && theirs != 0 && ours != theirs {
			l.Add(key, "leave it out", "%d, but the data set has %d", ours, theirs)
		}
	}
	mismatch("input_channels", c.InputChannels, data.Channels)
	mismatch("input_size", c.InputSize, data.Size)
	if c.Classes > 0 && c.Classes < data.Classes {
		l.Add("classes", "leave it out", "%d, but the data set has %d", c.Classes, data.Classes)
	}
	if len(l.Errors) > 0 {
		return Spec{}, fielderr.Join(l.Errors)
	}
	s, _ := c.architecture(func(string, string, string, ...any) {})
	if c.Shortcut != "" {
		s = withShortcut(s.vary(variation{}), Shortcut(strings.ToUpper(c.Shortcut))).vary(s.variation())
	}
	s = s.vary(c.variation(s))
	return s.fit(c, data), nil
}

// fit overrides the row's values with the section's and the data set's. The paper's value stays
// only with the paper's net: its input, its classes, its place for the zero channels or our
// default.
func (s Spec) fit(c Config, data DataInfo) Spec {
	first := func(values ...int) int {
		for _, v := range values {
			if v != 0 {
				return v
			}
		}
		return 0
	}
	own := s
	s.InputChannels = first(c.InputChannels, data.Channels, s.InputChannels)
	s.InputSize = first(c.InputSize, data.Size, s.InputSize)
	s.Classes = first(c.Classes, data.Classes, s.Classes)
	if c.ShortcutPad != "" && s.Shortcut == OptionA {
		s.PadEnd = c.ShortcutPad == "end"
	}
	if c.Dropout != 0 {
		s.DropRate = c.Dropout
	}
	if c.BNEps != 0 {
		s.BNEps = c.BNEps
	}
	if c.BNMomentum != 0 {
		s.BNMomentum = c.BNMomentum
	}
	s.StochasticDepth = c.DropPath
	if s.InputChannels != own.InputChannels || s.InputSize != own.InputSize || s.Classes != own.Classes {
		s.PaperError = nil
		s = counted(s)
	}
	return s
}
