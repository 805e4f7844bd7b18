package weights

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
)

// MetaFormat is the version of the metadata that this program writes, and the latest that it reads.
const MetaFormat = 1

// The keys of our metadata. "format" is the convention of the safetensors ecosystem for PyTorch's
// layouts.
const (
	keyTorch         = "format"
	keyFormat        = "resnet.format"
	keyArch          = "resnet.arch"
	keyPreprocessing = "resnet.preprocessing"
	keyClasses       = "resnet.classes"
	keyShortcutPad   = "resnet.shortcut_pad"
	keyStep          = "resnet.step"
	keyDataset       = "resnet.dataset"
	keyFrontend      = "resnet.frontend"
	keyClassCounts   = "resnet.class_counts"
	keyClassifier    = "resnet.classifier"
	keyWeights       = "resnet.weights"
	keyPrecision     = "resnet.precision"
)

// noClassifier is the value of keyClassifier of a file that has none; with one the key is left out.
const noClassifier = "none"

var (
	// ErrNoMeta marks a file without our metadata: a bare state dict, which does not say how to
	// build or feed its model.
	ErrNoMeta = errors.New("the file does not carry resnet's metadata")
	// ErrVersion marks metadata of a format later than MetaFormat.
	ErrVersion = errors.New("format of a newer resnet")
)

// Meta is what evaluation needs besides the tensors. It depends on seed, configuration and data
// alone: no paths, no times, no thread counts, so that the same training gives the same bytes.
type Meta struct {
	Arch          string   // the architecture, JSON of the caller's
	Preprocessing string   // JSON of datasets.Preprocessing: how images become the input
	Classes       []string // names, by index
	ShortcutPad   string   // option A's zero channels: sides | end; "" without it
	Step          int64    // updates made
	Dataset       string   // name of the training set
	Frontend      string   // JSON of how a speech network's input is made, or ""
	ClassCounts   []int64  // training frames of each class, for priors; nil for images
	// Headless says that the file has no classifier, though Arch has classes: a backbone, from
	// which a fine-tuning starts.
	Headless bool
	// Weights says which set the tensors are where they are not what was trained: "moving average
	// of decay 0.999"; or "".
	Weights string
	// Precision is that of the training, a name of graph.Precisions; "" means float32. The tensors
	// are float32 in any.
	Precision string
}

// Encode returns the metadata as the strings of a safetensors header.
func (m Meta) Encode() map[string]string {
	s := map[string]string{
		keyTorch:         "pt",
		keyFormat:        strconv.Itoa(MetaFormat),
		keyArch:          m.Arch,
		keyPreprocessing: m.Preprocessing,
		keyStep:          strconv.FormatInt(m.Step, 10),
	}
	if m.Classes != nil {
		classes, _ := json.Marshal(m.Classes)
		s[keyClasses] = string(classes)
	}
	if m.ShortcutPad != "" {
		s[keyShortcutPad] = m.ShortcutPad
	}
	if m.Dataset != "" {
		s[keyDataset] = m.Dataset
	}
	if m.Frontend != "" {
		s[keyFrontend] = m.Frontend
	}
	if m.Weights != "" {
		s[keyWeights] = m.Weights
	}
	if m.Precision != "" {
		s[keyPrecision] = m.Precision
	}
	if m.ClassCounts != nil {
		counts, _ := json.Marshal(m.ClassCounts)
		s[keyClassCounts] = string(counts)
	}
	if m.Headless {
		s[keyClassifier] = noClassifier
	}
	return s
}

// WithPreprocessing is metadata of a file with another record of the preprocessing.
func WithPreprocessing(meta map[string]string, record string) map[string]string {
	out := maps.Clone(meta)
	out[keyPreprocessing] = record
	return out
}

// DecodeMeta is the inverse of Encode. It fails with ErrNoMeta when the strings are not ours, with
// ErrVersion when a later format wrote them, and with ErrFormat when they do not parse. name stands
// in errors.
func DecodeMeta(name string, s map[string]string) (Meta, error) {
	var m Meta
	text, ok := s[keyFormat]
	if !ok {
		return m, fmt.Errorf("%s: %w", name, ErrNoMeta)
	}
	bad := func(key string, err error) (Meta, error) {
		return Meta{}, fmt.Errorf("%s: %w: metadata %s: %w", name, ErrFormat, key, err)
	}
	format, err := strconv.Atoi(text)
	if err != nil {
		return bad(keyFormat, err)
	}
	if format > MetaFormat {
		return m, fmt.Errorf("%s: %w: metadata format %d, this resnet reads up to %d: use a newer resnet", name, ErrVersion, format, MetaFormat)
	}
	if format < 1 {
		return bad(keyFormat, fmt.Errorf("%d", format))
	}
	if text, ok := s[keyClasses]; ok {
		if err := json.Unmarshal([]byte(text), &m.Classes); err != nil {
			return bad(keyClasses, err)
		}
	}
	if text, ok := s[keyClassCounts]; ok {
		if err := json.Unmarshal([]byte(text), &m.ClassCounts); err != nil {
			return bad(keyClassCounts, err)
		}
	}
	switch text, ok := s[keyClassifier]; {
	case ok && text != noClassifier:
		return bad(keyClassifier, fmt.Errorf("%q, and only %q is known", text, noClassifier))
	case ok:
		m.Headless = true
	}
	if m.Step, err = strconv.ParseInt(s[keyStep], 10, 64); err != nil {
		return bad(keyStep, err)
	}
	m.Arch, m.Preprocessing, m.ShortcutPad = s[keyArch], s[keyPreprocessing], s[keyShortcutPad]
	m.Dataset, m.Frontend, m.Weights, m.Precision = s[keyDataset], s[keyFrontend], s[keyWeights], s[keyPrecision]
	return m, nil
}
