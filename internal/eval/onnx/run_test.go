package onnx

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/graph"
)

// dims writes the shape of an input or output: numbers, and names of free dimensions.
func dims(t *testing.T, info []byte) string {
	f := fields(t, info)
	tensor := fields(t, fields(t, f[2][0])[1][0])
	if number(tensor[1][0]) != 1 {
		t.Errorf("%s has values of type %d, want floats", f[1][0], number(tensor[1][0]))
	}
	out := string(f[1][0])
	for _, d := range fields(t, tensor[2][0])[1] {
		dim := fields(t, d)
		if dim[2] != nil {
			out += " " + string(dim[2][0])
		} else {
			out += fmt.Sprint(" ", number(dim[1][0]))
		}
	}
	return out
}

// TestBytesAreNormalisedInTheGraph gives a model bytes, and the network what training makes of them
// written out: with means of channels, with a mean image, and without.
func TestBytesAreNormalisedInTheGraph(t *testing.T) {
	s, err := blocks.Lookup("tiny-a")
	if err != nil {
		t.Fatal(err)
	}
	params := graph.NewParamSet(3)
	g, err := blocks.Build(s, 2, graph.Eval, params)
	if err != nil {
		t.Fatal(err)
	}
	tape, err := graph.NewTape(g, params)
	if err != nil {
		t.Fatal(err)
	}
	defer tape.Close()
	area := s.InputSize * s.InputSize
	r := rand.New(rand.NewPCG(4, 5))
	image := make([]float32, 3*area)
	for i := range image {
		image[i] = r.Float32()
	}
	for name, n := range map[string]Normalize{
		"channels": {Mean: []float32{0.5, 0.4, 0.3}, Std: []float32{0.2, 0.25, 0.3}}, "image": {Mean: image}, "image and deviations": {Mean: image, Std: []float32{0.2, 0.25, 0.3}}, "none": {},
	} {
		x := make([]float32, 2*3*area)
		input := zeros(2, 3, s.InputSize, s.InputSize)
		for i := range x {
			b := r.IntN(256)
			input.data[i] = float64(b)
			v, c := float64(b)/255, i/area%3
			if len(n.Mean) == 3 {
				v -= float64(n.Mean[c])
			} else if n.Mean != nil {
				v -= float64(n.Mean[i%(3*area)])
			}
			if n.Std != nil {
				v /= float64(n.Std[c])
			}
			x[i] = float32(v)
		}
		want, err := tape.Infer(x, 2)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := Write(&b, s, params, nil, Options{Normalize: &n, Softmax: true}); err != nil {
			t.Fatal(err)
		}
		f := fields(t, fields(t, b.Bytes())[7][0])
		run := &interpreter{t, map[string]array{"input": input}}
		for _, tensor := range f[5] {
			run.initializer(tensor)
		}
		for _, node := range f[1] {
			run.node(node)
		}
		for i, v := range run.values["logits"].data {
			if math.Abs(v-float64(want[i])) > 1e-5*(1+math.Abs(v)) {
				t.Fatalf("%s: logit %d is %v, want %v", name, i, v, want[i])
			}
		}
		sum := 0.0
		for _, z := range want[:s.Classes] {
			sum += math.Exp(float64(z))
		}
		for k, p := range run.values["probabilities"].data[:s.Classes] {
			if want := math.Exp(float64(want[k])) / sum; math.Abs(p-want) > 1e-5 {
				t.Errorf("%s: probability %d is %v, want %v", name, k, p, want)
			}
		}
		if kind := number(fields(t, fields(t, fields(t, f[11][0])[2][0])[1][0])[1][0]); kind != 2 || len(f[12]) != 2 {
			t.Errorf("%s: input of type %d, %d outputs", name, kind, len(f[12]))
		}
	}
	if err := Write(&bytes.Buffer{}, s, params, nil, Options{Normalize: &Normalize{Mean: []float32{1, 2}}}); !errors.Is(err, ErrUnsupported) {
		t.Errorf("two means: %v", err)
	}
}

// TestModelsComputeTheNetworksLogits runs what is written by the definitions of ONNX's operators
// and compares with the tape.
func TestModelsComputeTheNetworksLogits(t *testing.T) {
	for _, name := range []string{
		"tiny-plain", "tiny-a", "tiny-a-end", "tiny-b", "tiny-c", "tiny-bottleneck", "tiny-bottleneck-v1.5", "tiny-imagenet-stem",
		"tiny-bottleneck-a", "tiny-caffe", "tiny-vgg", "tiny-vggbn", "tiny-googlenet", "tiny-googlenet-bn", "tiny-bn-inception", "tiny-slim", "tiny-prelu-net",
		"tiny-a-sigmoid-stem5", "tiny-b-elu", "tiny-c-nobn-stem7", "tiny-bottleneck-elu-nobn",
		"tiny-groups", "tiny-groups-odd", "tiny-widened", "tiny-d", "tiny-d-basic", "tiny-se", "tiny-preact", "tiny-preact-bottleneck", "tiny-wrn",
	} {
		s, err := blocks.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		params := graph.NewParamSet(3)
		g, err := blocks.Build(s, 2, graph.Eval, params)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(4, 5))
		for _, p := range params.All() { // nothing is 0 or 1, so that nothing can be left out
			for i := range p.Data {
				switch {
				case strings.HasSuffix(p.Name, "running_var"), len(p.Shape) == 1 && strings.HasSuffix(p.Name, "weight"):
					p.Data[i] = 0.5 + r.Float32()
				case strings.HasSuffix(p.Name, "bias"): // above 0, so that no ReLU is dead
					p.Data[i] = float32(1 + 0.3*r.NormFloat64())
				case len(p.Shape) == 1:
					p.Data[i] = float32(0.3 * r.NormFloat64())
				}
			}
		}
		x := make([]float32, 2*s.InputChannels*s.InputSize*s.InputSize)
		input := zeros(2, s.InputChannels, s.InputSize, s.InputSize)
		for i := range x {
			x[i] = float32(r.NormFloat64())
			input.data[i] = float64(x[i])
		}
		tape, err := graph.NewTape(g, params)
		if err != nil {
			t.Fatal(err)
		}
		want, err := tape.Infer(x, 2)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := Write(&b, s, params, map[string]string{"key": "value"}, Options{}); err != nil {
			t.Fatal(err)
		}
		model := fields(t, b.Bytes())
		entry, set := fields(t, model[14][0]), fields(t, model[8][0])
		if number(model[1][0]) != 8 || number(set[2][0]) != 17 || string(entry[1][0]) != "key" || string(entry[2][0]) != "value" {
			t.Errorf("%s: IR version %d, operator set %d, metadata %s: %s", name, number(model[1][0]), number(set[2][0]), entry[1][0], entry[2][0])
		}
		f := fields(t, model[7][0])
		run := &interpreter{t, map[string]array{"input": input}}
		for _, tensor := range f[5] {
			run.initializer(tensor)
		}
		for _, node := range f[1] {
			run.node(node)
		}
		got := run.values["logits"]
		if len(got.data) != len(want) {
			t.Fatalf("%s: %d logits, want %d", name, len(got.data), len(want))
		}
		top := 0.0
		for _, v := range want {
			top = max(top, math.Abs(float64(v)))
		}
		for i, v := range want {
			if math.Abs(got.data[i]-float64(v)) > 1e-5*top {
				t.Errorf("%s: logit %d is %v, want %v", name, i, got.data[i], v)
				break
			}
		}
		shape := "input N 3 height width"
		// Fully connected layers take maps of one size.
		if slices.Contains([]string{"tiny-vgg", "tiny-vggbn", "tiny-prelu-net"}, name) {
			shape = fmt.Sprintf("input N 3 %d %d", s.InputSize, s.InputSize)
		}
		if got := dims(t, f[11][0]); got != shape {
			t.Errorf("%s: %s, want %s", name, got, shape)
		}
		if got, want := dims(t, f[12][0]), fmt.Sprintf("logits N %d", s.Classes); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		tape.Close()
	}
}
