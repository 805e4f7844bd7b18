package blocks

import "resnet/internal/fielderr"

// SpeechConfig is the `speech` part of the `model` section: it overrides the row's own values where
// it is not empty.
type SpeechConfig struct {
	StemWidth int     `mapstructure:"stem_width" yaml:"stem_width" doc:"channels of the first convolution"`
	Widths    []int   `mapstructure:"widths" yaml:"widths" doc:"channels of each stage"`
	Depths    []int   `mapstructure:"depths" yaml:"depths" doc:"blocks of each stage"`
	Units     int     `mapstructure:"units" yaml:"units" doc:"units of each direction of a recurrent layer"`
	Dense     int     `mapstructure:"dense" yaml:"dense" doc:"units of the hidden layer before the classes"`
	Dropout   float64 `mapstructure:"dropout" yaml:"dropout" doc:"probability, in blocks and before recurrent layers"`
	Output    string  `mapstructure:"output" yaml:"output" doc:"frame | utterance: what the network classifies; the logits of an utterance are the mean over its frames"`
	InputMaps int     `mapstructure:"maps" yaml:"maps" doc:"maps that the values of a frame are divided into; 0 means one for the static features and one for each order of differences that the front end makes"`
}

// validate reports values that no network of speech can have.
func (c SpeechConfig) validate(report func(key, hint, format string, args ...any)) {
	const own = "leave it out for the row's own"
	single := func(key string, value, most int) {
		if value < 0 || value > most {
			report("speech."+key, own, "%d is not between 0 and %d", value, most)
		}
	}
	list := func(key string, values []int, most int) {
		if len(values) > maxStages {
			report("speech."+key, own, "%d stages, and %d at most are possible", len(values), maxStages)
			return
		}
		for _, v := range values {
			if v < 1 || v > most {
				report("speech."+key, own, "%d is not between 1 and %d", v, most)
				return
			}
		}
	}
	single("stem_width", c.StemWidth, maxWidth)
	list("widths", c.Widths, maxWidth)
	list("depths", c.Depths, maxBlocks)
	single("units", c.Units, maxWidth/8)
	single("dense", c.Dense, maxWidth)
	if !(c.Dropout >= 0 && c.Dropout < 1) {
		report("speech.dropout", own, "%g is not at least 0 and below 1", c.Dropout)
	}
	single("maps", c.InputMaps, maxWidth)
}

// maxStages bounds the stages of a network of speech, each of which halves the frequencies.
const maxStages = 64

// SequenceInfo is what a network of sequences takes from the corpus.
type SequenceInfo struct {
	Dim     int // values of a frame
	Maps    int // static features and their differences
	Classes int
}

// ResolveSequence is Resolve for a speech corpus.
func ResolveSequence(c Config, data SequenceInfo) (Spec, error) {
	l := fielderr.List{Section: section, Errors: c.Validate()}
	s, known := c.architecture(func(string, string, string, ...any) {})
	if !known {
		return Spec{}, fielderr.Join(l.Errors)
	}
	if s.Family != FamilySpeech {
		l.Add("name", "wrbn or wrbn-plain", "%s takes images, and the data are speech", s.Name)
		return Spec{}, fielderr.Join(l.Errors)
	}
	o := c.Speech
	s = s.clone()
	s.overrideSpeech(o)
	if s.InputChannels = data.Maps; o.InputMaps > 0 {
		s.InputChannels = o.InputMaps
	}
	if data.Dim%s.InputChannels != 0 {
		l.Add("speech.maps", "3 for stored features with differences of order 2", "frames of %d values are not %d maps of one size", data.Dim, s.InputChannels)
		return Spec{}, fielderr.Join(l.Errors)
	}
	s.Speech.Features = data.Dim / s.InputChannels
	s.InputSize = s.Speech.Features
	switch s.Classes = data.Classes; {
	case c.Classes == 0:
	case c.Classes < data.Classes:
		l.Add("classes", "leave it out", "%d, but the corpus has %d", c.Classes, data.Classes)
	default:
		s.Classes = c.Classes
	}
	if c.BNEps != 0 {
		s.BNEps = c.BNEps
	}
	if err := s.Validate(); err != nil && len(l.Errors) == 0 {
		l.Add("speech", "", "%v", err)
	}
	if len(l.Errors) > 0 {
		return Spec{}, fielderr.Join(l.Errors)
	}
	return counted(s), nil
}

// overrideSpeech takes the section's values where they are not empty.
func (s *Spec) overrideSpeech(o SpeechConfig) {
	p := s.Speech
	for _, x := range []struct {
		to   *int
		from int
	}{{&p.StemWidth, o.StemWidth}, {&p.Units, o.Units}, {&p.Dense, o.Dense}} {
		if x.from != 0 {
			*x.to = x.from
		}
	}
	if len(o.Widths) > 0 {
		s.Widths = o.Widths
	}
	if len(o.Depths) > 0 {
		s.Depths = o.Depths
	}
	if o.Dropout != 0 {
		p.Dropout = o.Dropout
	}
	if o.Output != "" {
		p.Output = o.Output
	}
}

// WithOutput is the network that classifies frames, or utterances, with the same parameters.
func (s Spec) WithOutput(output string) Spec {
	s = s.clone()
	s.Speech.Output = output
	return s
}
