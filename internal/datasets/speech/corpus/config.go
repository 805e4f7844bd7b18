package corpus

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"

	"resnet/internal/datasets/speech"
	"resnet/internal/fielderr"
)

// Config is the `speech` section of an experiment: what a corpus has besides a folder and a name.
type Config struct {
	Frontend   Frontend `mapstructure:"frontend" yaml:"frontend" doc:"from recordings or stored features to the network's input; checkpoints keep it"`
	Alignments string   `mapstructure:"alignments" yaml:"alignments" doc:"files with a class for each frame of an utterance: ali.*.gz, ali.scp, text, label files (.mlf) or .ctm; several by a pattern or commas"`
	States     string   `mapstructure:"states" yaml:"states" doc:"table of the names in .mlf and .ctm: lines NAME NUMBER, or NAME, counted from 0"`
	// One number of an alignment stands for so many frames.
	AlignmentSubsampling int    `mapstructure:"alignment_subsampling" yaml:"alignment_subsampling" doc:"frames for which a number of an alignment stands: 3 for those of Kaldi's chain models"`
	Labels               string `mapstructure:"labels" yaml:"labels" doc:"text file with a line UTTERANCE CLASS for each utterance, instead of alignments"`
	ValDir               string `mapstructure:"val_dir" yaml:"val_dir" doc:"folder of the validation utterances, like data.dir"`
	TestDir              string `mapstructure:"test_dir" yaml:"test_dir" doc:"folder of the test utterances, like data.dir"`
	ValSpeakers          string `mapstructure:"val_speakers" yaml:"val_speakers" doc:"speakers of data.dir, by commas, whose utterances are held out for validation"`
	TestSpeakers         string `mapstructure:"test_speakers" yaml:"test_speakers" doc:"speakers of data.dir, by commas, whose utterances are held out for the test"`
	Buckets              int    `mapstructure:"buckets" yaml:"buckets" doc:"lengths that utterances are padded to: quantiles of the corpus"`
	BatchFrames          int    `mapstructure:"batch_frames" yaml:"batch_frames" doc:"frames of a batch at most, padding included; 0 means train.batch alone decides"`
	MaxFrames            int    `mapstructure:"max_frames" yaml:"max_frames" doc:"training utterances that are longer are left out; 0 means none are"`
}

// Frontend says how the input of a network is made. What is in it has to be the same when the
// network is used.
type Frontend struct {
	Rate      int     `mapstructure:"rate" yaml:"rate" json:"rate" doc:"recordings: samples a second; others are refused, or resampled"`
	Resample  bool    `mapstructure:"resample" yaml:"resample" json:"resample,omitempty" doc:"recordings: make those of other rates ones of this rate"`
	Bins      int     `mapstructure:"bins" yaml:"bins" json:"bins" doc:"recordings: mel filter banks"`
	Low       float64 `mapstructure:"low" yaml:"low" json:"low" doc:"recordings: lower edge of the first bank, Hz"`
	High      float64 `mapstructure:"high" yaml:"high" json:"high" doc:"recordings: upper edge of the last bank, Hz; 0 or less means so much below half the rate"`
	LengthMS  float64 `mapstructure:"length_ms" yaml:"length_ms" json:"length_ms" doc:"recordings: length of a window, milliseconds"`
	ShiftMS   float64 `mapstructure:"shift_ms" yaml:"shift_ms" json:"shift_ms" doc:"recordings: milliseconds between windows"`
	Dither    float64 `mapstructure:"dither" yaml:"dither" json:"dither" doc:"recordings: standard deviation of noise added to the samples"`
	Deltas    int     `mapstructure:"deltas" yaml:"deltas" json:"deltas" doc:"orders of differences over time appended to each frame; 0 where stored features have them"`
	Normalize string  `mapstructure:"normalize" yaml:"normalize" json:"normalize" doc:"utterance | speaker | none: over what the mean is taken and subtracted"`
	Variance  bool    `mapstructure:"variance" yaml:"variance" json:"variance" doc:"divide by the standard deviation as well"`
}

// What normalisation is over.
const (
	ByUtterance = "utterance"
	BySpeaker   = "speaker"
	NoNorm      = "none"
)

// deltaWindow is the reach of the differences to each side in frames: Kaldi's default, and what the
// WRBN's authors use.
const deltaWindow = 2

// DefaultConfig is the front end of the WRBN's authors (80 log-mel filter banks of 25 ms every 10
// ms at 16 kHz with first and second differences, the mean of each utterance subtracted), without
// dither. The number of buckets is ours.
func DefaultConfig() Config {
	return Config{Frontend: Frontend{Rate: 16000, Bins: 80, Low: 20, LengthMS: 25, ShiftMS: 10, Deltas: 2, Normalize: ByUtterance}, Buckets: 4, AlignmentSubsampling: 1}
}

// Fbank are the options of the filter banks.
func (f Frontend) Fbank() speech.FbankOptions {
	o := speech.DefaultFbank(f.Rate, f.Bins)
	o.Low, o.High, o.LengthMS, o.ShiftMS, o.Dither = f.Low, f.High, f.LengthMS, f.ShiftMS, f.Dither
	return o
}

// Finish makes the network's input of static features, which it may change: speaker statistics
// (nil: those of the utterance itself), differences, utterance statistics.
func (f Frontend) Finish(static speech.Features, speaker *speech.CMVN) (speech.Features, error) {
	if f.Normalize == BySpeaker {
		if speaker == nil {
			speaker = speech.NewCMVN(static.Dim)
			if err := speaker.Add(static); err != nil {
				return static, err
			}
		}
		if err := speaker.Apply(static, f.Variance); err != nil {
			return static, err
		}
	}
	out := static
	if f.Deltas > 0 {
		var err error
		if out, err = static.Deltas(f.Deltas, deltaWindow); err != nil {
			return static, err
		}
	}
	if f.Normalize == ByUtterance {
		if err := speech.NormalizeUtterance(out, f.Variance); err != nil {
			return static, err
		}
	}
	return out, nil
}

// Encode is the front end as a checkpoint keeps it; DecodeFrontend reads it.
func (f Frontend) Encode() string {
	text, _ := json.Marshal(f) // numbers and words always encode
	return string(text)
}

// Plain is what Encode writes, a value for each key behind a prefix, with what no configuration
// changes: window, pre-emphasis and the reach of the differences in frames.
func (f Frontend) Plain(prefix string) map[string]string {
	var values map[string]json.RawMessage
	_ = json.Unmarshal([]byte(f.Encode()), &values) // which is an object
	bank := f.Fbank()
	out := map[string]string{
		prefix + "window": bank.Window, prefix + "preemphasis": strconv.FormatFloat(bank.Preemph, 'g', -1, 64), prefix + "delta_window": strconv.Itoa(deltaWindow),
	}
	for key, v := range values {
		out[prefix+key] = strings.Trim(string(v), `"`)
	}
	return out
}

// DecodeFrontend is the inverse of Encode and refuses what Validate refuses.
func DecodeFrontend(text string) (Frontend, error) {
	var f Frontend
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return f, err
	}
	if errs := f.validate(); len(errs) > 0 {
		return f, fielderr.Join(errs)
	}
	return f, nil
}

// Validate returns every error of the section; nil when there is none. It looks at no file.
func (c Config) Validate() []fielderr.Error {
	l := fielderr.List{Section: "speech", Errors: c.Frontend.validate()}
	for _, x := range []struct {
		path           string
		v, least, most int
		hint           string
	}{
		{"buckets", c.Buckets, 1, MaxBuckets, "1 pads every utterance to the longest, and each has a machine of its own"},
		{"alignment_subsampling", c.AlignmentSubsampling, 0, maxSubsampling, "0 and 1 mean that every frame has its number"},
		{"batch_frames", c.BatchFrames, 0, math.MaxInt32, "0 means no limit"},
		{"max_frames", c.MaxFrames, 0, math.MaxInt32, "0 means no limit"},
	} {
		if x.v < x.least {
			l.Add(x.path, x.hint, "%d is below %d", x.v, x.least)
		}
		if x.v > x.most {
			l.Add(x.path, x.hint, "%d, and %d at most are possible", x.v, x.most)
		}
	}
	if c.Alignments != "" && c.Labels != "" {
		l.Add("labels", "keep one: classes of frames or of utterances", "alignments are set as well")
	}
	return l.Errors
}

// MaxBuckets bounds the machines of a training.
const MaxBuckets = 64

func (f Frontend) validate() []fielderr.Error {
	l := fielderr.List{Section: "speech"}
	if err := f.Fbank().Check(); err != nil {
		path := "frontend"
		if option := new(speech.OptionError); errors.As(err, &option) {
			path += "." + option.Field
		}
		l.Add(path, "", "%v", err)
	}
	if f.Deltas < 0 || f.Deltas > 8 {
		l.Add("frontend.deltas", "the WRBN has 2", "%d is not between 0 and 8", f.Deltas)
	}
	switch f.Normalize {
	case ByUtterance, BySpeaker, NoNorm:
	default:
		l.Add("frontend.normalize", "utterance, speaker or none", "unknown word %q", f.Normalize)
	}
	return l.Errors
}
