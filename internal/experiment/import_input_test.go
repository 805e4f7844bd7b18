package experiment

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/graph/weights"
)

// TestTheMiddleOfALargerMeanImageIsTaken, with its colours turned as the network's are.
func TestTheMiddleOfALargerMeanImageIsTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mean.binaryproto")
	// Three planes of 4x4 pixels: plane·100 + row·10 + column.
	var shape, values, file []byte
	for _, d := range []uint64{3, 4, 4} {
		shape = protowire.AppendVarint(shape, d)
	}
	var want []float32
	for c := range 3 {
		for y := range 4 {
			for x := range 4 {
				v := float64(100*c + 10*y + x)
				values = protowire.AppendFixed64(values, math.Float64bits(v))
			}
		}
	}
	for _, c := range []int{2, 1, 0} {
		for _, y := range []int{1, 2} {
			for _, x := range []int{1, 2} {
				want = append(want, float32(100*c+10*y+x)/255)
			}
		}
	}
	file = protowire.AppendBytes(protowire.AppendTag(file, 7, protowire.BytesType), protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), shape))
	file = protowire.AppendBytes(protowire.AppendTag(file, 8, protowire.BytesType), values)
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	s := blocks.Spec{Name: "net", InputChannels: 3, InputSize: 2}
	n, err := ImportOptions{Mean: path}.normalizer(s, weights.Input{Bytes: true, BGR: true}, orderBGR)
	if err != nil || n.Kind != datasets.PixelMean || !slices.Equal(n.Mean, want) || !slices.Equal(n.Std, []float32{1. / 255, 1. / 255, 1. / 255}) {
		t.Errorf("%+v, %v; want %v", n, err, want)
	}
	s.InputSize = 5
	if _, err := (ImportOptions{Mean: path}).normalizer(s, weights.Input{Bytes: true}, orderBGR); err == nil || !strings.Contains(err.Error(), "takes 3 of 5x5") {
		t.Errorf("a mean image that is too small: %v", err)
	}
}

// TestInputsAreThoseOfTheirPrograms, where no flag says otherwise; and means without deviations are
// of values from 0 to 255 where the network takes those.
func TestInputsAreThoseOfTheirPrograms(t *testing.T) {
	s := blocks.Spec{Name: "net", InputChannels: 3, InputSize: 2}
	b := float32(1. / 255)
	bytes := []float32{b, b, b}
	for what, c := range map[string]struct {
		o    ImportOptions
		in   weights.Input
		want datasets.Normalizer
	}{
		"PyTorch":           {ImportOptions{}, weights.Input{}, datasets.Normalizer{Kind: datasets.NoNormalizing}},
		"Caffe":             {ImportOptions{}, weights.Input{Bytes: true}, datasets.Normalizer{Kind: datasets.ChannelMeanStd, Mean: make([]float32, 3), Std: bytes}},
		"Caffe with means":  {ImportOptions{Mean: "51,102,0"}, weights.Input{Bytes: true}, datasets.Normalizer{Kind: datasets.ChannelMeanStd, Mean: []float32{0.2, 0.4, 0}, Std: bytes}},
		"a known mean":      {ImportOptions{}, weights.Input{Bytes: true, Mean: []float32{51, 102, 255}}, datasets.Normalizer{Kind: datasets.ChannelMeanStd, Mean: []float32{0.2, 0.4, 1}, Std: bytes}},
		"from -1 to 1":      {ImportOptions{}, weights.Input{Half: true}, datasets.Normalizer{Kind: datasets.ChannelMeanStd, Mean: []float32{0.5, 0.5, 0.5}, Std: []float32{0.5, 0.5, 0.5}}},
		"flags come before": {ImportOptions{Mean: "1,2,3", Std: "4,5,6"}, weights.Input{Bytes: true}, datasets.Normalizer{Kind: datasets.ChannelMeanStd, Mean: []float32{1, 2, 3}, Std: []float32{4, 5, 6}}},
	} {
		n, err := c.o.normalizer(s, c.in, orderRGB)
		if err != nil || n.Kind != c.want.Kind || !slices.Equal(n.Mean, c.want.Mean) || !slices.Equal(n.Std, c.want.Std) {
			t.Errorf("%s: %+v, %v; want %+v", what, n, err, c.want)
		}
	}
}

// TestWindowsOfTheFileChooseTheArchitecture among those of the same tensors, and refuse those of
// others.
func TestWindowsOfTheFileChooseTheArchitecture(t *testing.T) {
	s, err := blocks.Lookup("resnet50")
	if err != nil {
		t.Fatal(err)
	}
	sum, err := blocks.Summarize(s)
	if err != nil {
		t.Fatal(err)
	}
	f := weights.Foreign{Program: "Caffe"}
	for _, l := range sum.Layers {
		for part, shape := range l.Shapes {
			f.Tensors = append(f.Tensors, weights.Tensor{Name: l.Name + "." + part, Shape: shape})
		}
	}
	pool := weights.Window{Kernel: 3, Stride: 2, Ceil: true}
	padded := weights.Window{Kernel: 3, Stride: 2, Pad: 1}
	first, second := "layer2.0.conv1", "layer2.0.conv2"
	for what, c := range map[string]struct {
		program string
		windows map[string]weights.Window
		want    string // the architecture, or a part of the error
	}{
		"Caffe says nothing":     {"Caffe", nil, "resnet50-caffe"},
		"Caffe's own":            {"Caffe", map[string]weights.Window{"maxpool": pool, first: {Kernel: 1, Stride: 2}}, "resnet50-caffe"},
		"stride in the 3x3":      {"Caffe", map[string]weights.Window{first: {Kernel: 1, Stride: 1}, second: {Kernel: 3, Stride: 2, Pad: 1}}, first + " has stride 1"},
		"a padded pooling":       {"Caffe", map[string]weights.Window{"maxpool": padded}, "maxpool has stride 2 and padding 1"},
		"PyTorch says nothing":   {"PyTorch", nil, "fit 3 architectures"},
		"PyTorch with a padding": {"PyTorch", map[string]weights.Window{"maxpool": padded, first: {Kernel: 1, Stride: 2}}, "resnet50"},
	} {
		f.Program, f.Windows = c.program, c.windows
		got, err := ImportOptions{}.architecture("x", f)
		if err != nil && !strings.Contains(err.Error(), c.want) || err == nil && got.Name != c.want {
			t.Errorf("%s: %s, %v; want %s", what, got.Name, err, c.want)
		}
	}
}
