package blocks

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"resnet/internal/fielderr"
)

func TestResolveSequenceTakesTheCorpusAndOverridesTheRow(t *testing.T) {
	row, err := Lookup("wrbn")
	if err != nil {
		t.Fatal(err)
	}
	corpus := SequenceInfo{Dim: 120, Maps: 3, Classes: 40}
	for name, c := range map[string]struct {
		config Config
		data   SequenceInfo
		want   func(*Spec)
	}{
		"the corpus alone": {Config{}, corpus, func(s *Spec) { s.Speech.Features, s.InputSize, s.Classes = 40, 40, 40 }},
		"one map of all values": {Config{Speech: SpeechConfig{InputMaps: 1}}, corpus, func(s *Spec) {
			s.InputChannels, s.Speech.Features, s.InputSize, s.Classes = 1, 120, 120, 40
		}},
		"more classes than the corpus": {Config{Classes: 50}, corpus, func(s *Spec) { s.Speech.Features, s.InputSize, s.Classes = 40, 40, 50 }},
		"every size": {
			Config{BNEps: 1e-3, Speech: SpeechConfig{StemWidth: 8, Widths: []int{9, 10}, Depths: []int{2, 1}, Units: 11, Dense: 12, Dropout: 0.25, Output: OutputUtterance}},
			SequenceInfo{Dim: 26, Maps: 2, Classes: 5},
			func(s *Spec) {
				s.BNEps, s.Widths, s.Depths, s.Classes = 1e-3, []int{9, 10}, []int{2, 1}, 5
				s.InputChannels, s.InputSize = 2, 13
				s.Speech = &Speech{Features: 13, StemWidth: 8, Units: 11, Directions: row.Speech.Directions, Dense: 12, Dropout: 0.25, Output: OutputUtterance}
			},
		},
	} {
		c.config.Name, c.config.BatchNorm = "wrbn", true
		got, err := ResolveSequence(c.config, c.data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := row.clone()
		c.want(&want)
		params, macs := int64(0), int64(0)
		for _, l := range trace(want) {
			params, macs = params+l.Params, macs+l.MACs
		}
		want.Params, want.MACs = params, macs
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v %+v\nwant %+v %+v", name, got, got.Speech, want, want.Speech)
		}
	}
	if again, _ := Lookup("wrbn"); !reflect.DeepEqual(again, row) {
		t.Errorf("the table changed: %+v", again)
	}
}

func TestResolveSequenceNamesTheFieldThatIsWrong(t *testing.T) {
	corpus := SequenceInfo{Dim: 120, Maps: 3, Classes: 40}
	for name, c := range map[string]struct {
		config Config
		path   string
	}{
		"images":             {Config{Name: "resnet20"}, "model.name"},
		"unknown":            {Config{Name: "wrbm"}, "model.name"},
		"negative maps":      {Config{Name: "wrbn", Speech: SpeechConfig{InputMaps: -1}}, "model.speech.maps"},
		"many units":         {Config{Name: "wrbn", Speech: SpeechConfig{Units: 1 << 40}}, "model.speech.units"},
		"a width of 0":       {Config{Name: "wrbn", Speech: SpeechConfig{Widths: []int{4, 0, 4}}}, "model.speech.widths"},
		"many stages":        {Config{Name: "wrbn", Speech: SpeechConfig{Depths: make([]int, 65)}}, "model.speech.depths"},
		"maps":               {Config{Name: "wrbn", Speech: SpeechConfig{InputMaps: 7}}, "model.speech.maps"},
		"fewer classes":      {Config{Name: "wrbn", Classes: 39}, "model.classes"},
		"dropout":            {Config{Name: "wrbn", Speech: SpeechConfig{Dropout: 1}}, "model.speech.dropout"},
		"widths and depths":  {Config{Name: "wrbn", Speech: SpeechConfig{Widths: []int{4}}}, "model.speech"},
		"what is classified": {Config{Name: "wrbn", Speech: SpeechConfig{Output: "word"}}, "model.speech"},
	} {
		c.config.BatchNorm = true
		_, err := ResolveSequence(c.config, corpus)
		var paths []string
		var field fielderr.Error
		if errors.As(err, &field) {
			paths = append(paths, field.Field())
		}
		if !slices.Contains(paths, c.path) || strings.Contains(err.Error(), "%!") {
			t.Errorf("%s: %v; want an error at %s", name, err, c.path)
		}
	}
	// As many classes as the corpus has are no fewer.
	if s, err := ResolveSequence(Config{Name: "wrbn", Classes: 40, BatchNorm: true}, corpus); err != nil || s.Classes != 40 {
		t.Errorf("%d classes, %v", s.Classes, err)
	}
}

func TestWithOutputChangesNothingElse(t *testing.T) {
	s, _ := Lookup("wrbn")
	u := s.WithOutput(OutputUtterance)
	if u.Speech.Output != OutputUtterance || s.Speech.Output != OutputFrame {
		t.Errorf("outputs %q and %q", u.Speech.Output, s.Speech.Output)
	}
	if u.Speech.Output = OutputFrame; !reflect.DeepEqual(u, s) {
		t.Errorf("%+v, want %+v", u, s)
	}
}
