package blocks

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"resnet/internal/graph"
)

// infer runs a graph on the oracle.
func infer(t *testing.T, g *graph.Graph, params *graph.ParamSet, x []float32) []float32 {
	t.Helper()
	m, err := graph.NewTape(g, params)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	logits, err := m.Infer(x, g.N)
	if err != nil {
		t.Fatal(err)
	}
	return append([]float32(nil), logits...)
}

func noise(n int) []float32 {
	r := rand.New(rand.NewPCG(31, 32))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func TestAtItsOwnSizeTheDenseFormIsTheNetwork(t *testing.T) {
	for _, s := range testRows {
		params := graph.NewParamSet(1)
		plain, err := Build(s, 2, graph.Eval, params)
		if err != nil {
			t.Fatal(err)
		}
		dense, err := BuildDense(s, 2, s.InputSize, s.InputSize, params)
		if err != nil {
			t.Fatal(err)
		}
		sized, err := BuildSized(s, 2, s.InputSize, s.InputSize, graph.Eval, params)
		if err != nil {
			t.Fatal(err)
		}
		x := noise(2 * 3 * s.InputSize * s.InputSize)
		want := infer(t, plain, params, x)
		for what, got := range map[string][]float32{"dense": infer(t, dense, params, x), "sized": infer(t, sized, params, x)} {
			for i, v := range want {
				if !(math.Abs(float64(got[i]-v)) <= 1e-6*(1+math.Abs(float64(v)))) {
					t.Errorf("%s, %s: logit %d is %v, want %v", s.Name, what, i, got[i], v)
				}
			}
		}
	}
}

// TestTheDenseFormIsTheMeanOverPositions takes the last map out of the graph and classifies every
// window of it by hand.
func TestTheDenseFormIsTheMeanOverPositions(t *testing.T) {
	for _, name := range []string{"tiny-imagenet-stem", "tiny-bottleneck", "tiny-a"} {
		s, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		params := graph.NewParamSet(2)
		g, err := BuildDense(s, 1, s.InputSize+9, s.InputSize+22, params)
		if err != nil {
			t.Fatal(err)
		}
		got := infer(t, g, params, noise(3*(s.InputSize+9)*(s.InputSize+22)))
		var shape []int
		var last []float32
		for _, n := range g.G.AllNodes() {
			if _, ok := graph.OpOf(n).(*graph.AvgPool); ok {
				in := graph.Children(n)[0]
				shape, last = in.Shape(), in.Value().Data().([]float32)
			}
		}
		k := map[string]int{"tiny-imagenet-stem": 3, "tiny-bottleneck": 5, "tiny-a": 3}[name]
		c, h, w := shape[1], shape[2], shape[3]
		if h <= k || w <= k || h == w {
			t.Fatalf("%s: a map of %dx%d tells nothing about windows of %d", name, h, w, k)
		}
		weight, bias := params.Get("fc.weight").Data, params.Get("fc.bias").Data
		for class, v := range got {
			var want float64
			for y := range h - k + 1 {
				for x := range w - k + 1 {
					logit := float64(bias[class])
					for ch := range c {
						var mean float64
						for i := range k * k {
							mean += float64(last[(ch*h+y+i/k)*w+x+i%k])
						}
						logit += float64(weight[class*c+ch]) * mean / float64(k*k)
					}
					want += logit / float64((h-k+1)*(w-k+1))
				}
			}
			if !(math.Abs(float64(v)-want) <= 1e-5*(1+math.Abs(want))) {
				t.Errorf("%s: class %d: %v, want %v", name, class, v, want)
			}
		}
	}
}

func TestImagesTooSmallOrTooLargeAreRefused(t *testing.T) {
	s, err := Lookup("tiny-a")
	if err != nil {
		t.Fatal(err)
	}
	params := graph.NewParamSet(1)
	if _, err := BuildDense(s, 1, s.InputSize-1, 20, params); !errors.Is(err, ErrSpec) {
		t.Errorf("smaller than the input: %v, want ErrSpec", err)
	}
	for _, size := range [][2]int{{0, 9}, {9, maxSize + 1}} {
		if _, err := BuildSized(s, 1, size[0], size[1], graph.Eval, params); !errors.Is(err, ErrSpec) {
			t.Errorf("%v: %v, want ErrSpec", size, err)
		}
	}
}

// TestTheDenseFormOfFullyConnectedLayersIsTheMeanOverPositions takes the map before them out of the
// graph and classifies every window of it by hand.
func TestTheDenseFormOfFullyConnectedLayersIsTheMeanOverPositions(t *testing.T) {
	for _, name := range []string{"tiny-vgg", "tiny-prelu-net"} {
		s, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		params := graph.NewParamSet(3)
		g, err := BuildDense(s, 1, s.InputSize+9, s.InputSize+16, params)
		if err != nil {
			t.Fatal(err)
		}
		got := infer(t, g, params, noise(3*(s.InputSize+9)*(s.InputSize+16)))
		var shape []int
		var last []float32
		for _, n := range g.G.AllNodes() {
			conv, fc := graph.OpOf(n).(*graph.Conv)
			if _, pyramid := graph.OpOf(n).(*graph.PyramidWindows); pyramid || fc && last == nil && conv.K == 11 {
				in := graph.Children(n)[0]
				shape, last = in.Shape(), in.Value().Data().([]float32)
			}
		}
		window := lastMap(s)
		c, h, w := shape[1], shape[2], shape[3]
		if h <= window || w <= window || h == w {
			t.Fatalf("%s: a map of %dx%d tells nothing about windows of %d", name, h, w, window)
		}
		want := make([]float64, s.Classes)
		for y := range h - window + 1 {
			for x := range w - window + 1 {
				row := featuresOf(s, func(ch, i, j int) float64 { return float64(last[(ch*h+y+i)*w+x+j]) }, c, window)
				for k, v := range classify(params, row) {
					want[k] += v / float64((h-window+1)*(w-window+1))
				}
			}
		}
		for k, v := range got {
			if !(math.Abs(float64(v)-want[k]) <= 1e-5*(1+math.Abs(want[k]))) {
				t.Errorf("%s: class %d: %v, want %v", name, k, v, want[k])
			}
		}
	}
}

// featuresOf are the inputs of the first fully connected layer for one window: its pixels, or the
// bins of its pyramid.
func featuresOf(s Spec, at func(ch, i, j int) float64, channels, window int) []float64 {
	levels := []int{window}
	for _, p := range s.Body {
		if p.Kind == PartPyramid {
			levels = p.Levels
		}
	}
	var row []float64
	for _, n := range levels {
		size, step := (window+n-1)/n, window/n
		for ch := range channels {
			for bin := range n * n {
				largest := math.Inf(-1)
				for i := range size * size {
					largest = max(largest, at(ch, bin/n*step+i/size, bin%n*step+i%size))
				}
				row = append(row, largest)
			}
		}
	}
	return row
}

// classify is the three fully connected layers, with slopes where the net has them.
func classify(params *graph.ParamSet, x []float64) []float64 {
	for _, layer := range []string{"0", "3", "6"} {
		weight, bias := params.Get("classifier."+layer+".weight"), params.Get("classifier."+layer+".bias")
		slope := params.Get("classifier." + map[string]string{"0": "1", "3": "4"}[layer] + ".weight")
		y := make([]float64, len(bias.Data))
		for k := range y {
			y[k] = float64(bias.Data[k])
			for i, v := range x {
				y[k] += v * float64(weight.Data[k*len(x)+i])
			}
			switch {
			case layer == "6" || y[k] > 0:
			case slope != nil:
				y[k] *= float64(slope.Data[k])
			default:
				y[k] = 0
			}
		}
		x = y
	}
	return x
}

func TestFullyConnectedLayersFixTheSizeOfImages(t *testing.T) {
	s, err := Lookup("tiny-vgg")
	if err != nil {
		t.Fatal(err)
	}
	_, err = BuildSized(s, 1, s.InputSize+2, s.InputSize, graph.Eval, graph.NewParamSet(1))
	if !errors.Is(err, ErrSpec) || !strings.Contains(err.Error(), "--crops full") {
		t.Errorf("%v, want ErrSpec and the remedy", err)
	}
}
