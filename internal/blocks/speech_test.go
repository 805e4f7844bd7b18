package blocks

import (
	"errors"
	"reflect"
	"testing"

	"resnet/internal/graph"
)

func TestWRBNHasThePublishedParameters(t *testing.T) {
	for name, want := range map[string]int64{"wrbn": 17_470_229} {
		s, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		params := graph.NewParamSet(1)
		if _, err := BuildSequence(s, 1, 4, graph.Eval, params); err != nil {
			t.Fatal(err)
		}
		var n int64
		for _, p := range params.All() {
			n += int64(len(p.Data))
		}
		if n != want || s.Params != want {
			t.Errorf("%s: %d parameters drawn, %d in the table, want %d", name, n, s.Params, want)
		}
	}
}

func TestSpeechLayersAreThoseThatAreDrawn(t *testing.T) {
	for _, s := range speechRows {
		small := smallSpeech(s)
		params := graph.NewParamSet(1)
		if _, err := BuildSequence(small, 2, 5, graph.Train, params); err != nil {
			t.Fatal(err)
		}
		var drawn int64
		for _, p := range params.All() {
			drawn += int64(len(p.Data))
		}
		if c := counted(small); c.Params != drawn {
			t.Errorf("%s: %d parameters counted, %d drawn", s.Name, c.Params, drawn)
		}
		if c := counted(s); c.Params != s.Params || c.MACs != s.MACs {
			t.Errorf("%s: counted %d parameters and %d multiply-adds, in the table %d and %d", s.Name, c.Params, c.MACs, s.Params, s.MACs)
		}
	}
}

// The listing has each parameter of the graph by its name and shape, and as inputs of each layer
// what the graph has: every layer but the input is somebody's, but for the last.
func TestTheListingOfASpeechNetworkIsItsGraph(t *testing.T) {
	for _, row := range speechRows {
		s := smallSpeech(row)
		s.Speech.Dropout = 0.1
		params := graph.NewParamSet(1)
		g, err := BuildSequence(s, 2, 5, graph.Train, params)
		if err != nil {
			t.Fatal(err)
		}
		drawn := map[string][]int{}
		for _, p := range params.All() {
			drawn[p.Name] = p.Shape
		}
		listed, used, kinds := map[string][]int{}, map[string]bool{"input": true}, map[string]int{}
		for _, l := range trace(s) {
			kinds[l.Type]++
			for name, shape := range l.tensors() {
				listed[name] = shape
			}
			for _, in := range l.Inputs {
				used[in] = true
			}
		}
		if !reflect.DeepEqual(drawn, listed) {
			t.Errorf("%s: listed %v, drawn %v", s.Name, listed, drawn)
		}
		for _, l := range trace(s) {
			if used[l.Name] == (l.Name == s.Head()) {
				t.Errorf("%s: %s is read by a layer: %v", s.Name, l.Name, used[l.Name])
			}
		}
		nodes := map[string]int{}
		for _, n := range g.G.AllNodes() {
			switch graph.OpOf(n).(type) {
			case *graph.Conv:
				nodes["conv"]++
			case *graph.ELU:
				nodes["elu"]++
			case *graph.UtteranceNorm:
				nodes["utterance-norm"]++
			case *graph.Add:
				nodes["add"]++
			case *graph.Concat:
				nodes["concat"]++
			case *graph.Dropout:
				nodes["dropout"]++
			case *graph.LSTM:
				nodes["lstm"]++
			case *graph.FrequencyLinear:
				nodes["frequency-linear"]++
			}
		}
		nodes["conv"]-- // the classifier, a convolution with a bias, is listed as a linear layer
		nodes["linear"] = 1
		if !reflect.DeepEqual(nodes, kinds) {
			t.Errorf("%s: listed %v, drawn %v", s.Name, kinds, nodes)
		}
	}
}

// smallSpeech is a network with every part of s.
func smallSpeech(s Spec) Spec {
	s = s.clone()
	s.Depths, s.Widths, s.Classes = []int{2, 1}, []int{5, 7}, 6
	s.Speech.Features, s.Speech.StemWidth, s.Speech.Units, s.Speech.Dense = 9, 4, 3, 8
	return s
}

func TestSpeechSpecsOutOfRangeAreRefused(t *testing.T) {
	for name, edit := range map[string]func(*Spec){
		"features": func(s *Spec) { s.Speech.Features = 0 }, "units": func(s *Spec) { s.Speech.Units = 1 << 20 }, "directions": func(s *Spec) { s.Speech.Directions = []string{"both"} },
		"output": func(s *Spec) { s.Speech.Output = "" }, "dropout": func(s *Spec) { s.Speech.Dropout = 1 }, "section": func(s *Spec) { s.Speech = nil },
		"block": func(s *Spec) { s.Block = Basic }, "shortcut": func(s *Spec) { s.Shortcut = OptionA }, "dense": func(s *Spec) { s.Speech.Dense = -1 },
	} {
		s, _ := Lookup("wrbn")
		edit(&s)
		if _, err := BuildSequence(s, 1, 4, graph.Eval, graph.NewParamSet(1)); !errors.Is(err, ErrSpec) {
			t.Errorf("%s: got %v, want ErrSpec", name, err)
		}
	}
	images, _ := Lookup("resnet20")
	if _, err := BuildSequence(images, 1, 4, graph.Eval, graph.NewParamSet(1)); !errors.Is(err, ErrSpec) {
		t.Errorf("a network of images: %v", err)
	}
	speech, _ := Lookup("wrbn")
	if _, err := Build(speech, 1, graph.Eval, graph.NewParamSet(1)); !errors.Is(err, ErrSpec) {
		t.Errorf("a network of sequences as one of images: %v", err)
	}
}
