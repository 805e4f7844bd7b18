package blocks_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
	"resnet/internal/graph/weights"
)

// hashed are n values of [-1, 1), exact in float32: those of
// testdata/parity/torchvision/generate.py.
func hashed(name string, n int) []float64 {
	seed := uint32(2166136261)
	for _, b := range []byte(name) {
		seed = (seed ^ uint32(b)) * 16777619
	}
	list := make([]float64, n)
	for i := range list {
		x := uint32(i)*0x9E3779B9 + seed
		x ^= x >> 16
		x *= 0x7FEB352D
		x ^= x >> 15
		x *= 0x846CA68B
		x ^= x >> 16
		list[i] = float64(x>>8)/(1<<23) - 1
	}
	return list
}

// centreWidth are where the values of a parameter lie.
func centreWidth(params *graph.ParamSet, p *graph.Param) (centre, width float64) {
	block, part := "", ""
	if i := strings.LastIndex(p.Name, ".bn"); i >= 0 {
		block, part = p.Name[:i], p.Name[i+3:]
	}
	last := strings.HasPrefix(part, "3.") || strings.HasPrefix(part, "2.") && params.Get(block+".conv3.weight") == nil
	switch {
	case len(p.Shape) == 4:
		return 0, math.Sqrt(6 / float64(p.Shape[1]*p.Shape[2]*p.Shape[3]))
	case len(p.Shape) == 2:
		return 0, math.Sqrt(3 / float64(p.Shape[1]))
	case p.Kind == graph.KindRunningVar:
		return 1, 0.25
	case strings.HasSuffix(p.Name, "weight") && last:
		return 0.25, 0.1
	case strings.HasSuffix(p.Name, "weight"):
		return 1, 0.1
	}
	return 0, 0.1
}

// TestTorchvisionGivesTheSameLogits compares with logits that torchvision computed from the same
// hashed weights and images. The tolerance is that of float32 sums in another order: 1e-4 of the
// largest logit, where 1e-6 is usual.
func TestTorchvisionGivesTheSameLogits(t *testing.T) {
	for _, c := range []struct{ ours, theirs string }{
		{"resnet18", "resnet18"},
		{"resnet34", "resnet34"},
		{"resnet50v1.5", "resnet50"},
		{"resnet101v1.5", "resnet101"},
		{"resnet152v1.5", "resnet152"},
		{"googlenet-bn", "googlenet"},
		{"vgg16", "vgg16"},
		{"vgg16bn", "vgg16_bn"},
		{"resnext50_32x4d", "resnext50_32x4d"},
		{"wide_resnet50_2", "wide_resnet50_2"},
		{"resnet50d", "resnet50d"},   // timm's
		{"seresnet50", "seresnet50"}, // timm's
	} {
		t.Run(c.ours, func(t *testing.T) {
			if testing.Short() && c.ours != "resnet18" && c.ours != "resnet50v1.5" && c.ours != "googlenet-bn" && c.ours != "resnext50_32x4d" {
				t.Skip("the larger networks run without -short")
			}
			s, err := blocks.Lookup(c.ours)
			if err != nil {
				t.Fatal(err)
			}
			params := graph.NewParamSet(0)
			if _, err := blocks.Build(s, 1, graph.Eval, params); err != nil {
				t.Fatal(err)
			}
			for _, p := range params.All() {
				centre, width := centreWidth(params, p)
				for i, u := range hashed(p.Name, len(p.Data)) {
					p.Data[i] = float32(centre + float64(width*u))
				}
			}
			f, err := weights.Open("../../testdata/parity/torchvision/" + c.theirs + ".safetensors")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			shapes := []struct{ n, size int }{{1, 224}, {7, 224}, {1, 320}}
			if strings.HasPrefix(c.ours, "vgg") {
				shapes = []struct{ n, size int }{{1, 224}, {2, 224}}
			}
			for _, shape := range shapes {
				if testing.Short() && c.ours != "resnet18" && shape.n == 7 {
					continue
				}
				compareLogits(t, s, params, f, shape.n, shape.size)
			}
		})
	}
}

func compareLogits(t *testing.T, s blocks.Spec, params *graph.ParamSet, f *weights.File, n, size int) {
	t.Helper()
	g, err := blocks.BuildSized(s, n, size, size, graph.Eval, params)
	if err != nil {
		t.Fatal(err)
	}
	m, err := schedule.Compile(g, schedule.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	x := make([]float32, n*3*size*size)
	for i, u := range hashed("image", len(x)) {
		x[i] = float32(2 * u)
	}
	got, err := m.Infer(x, n)
	if err != nil {
		t.Fatal(err)
	}
	want, err := f.Float32(fmt.Sprintf("%dx%d", n, size))
	if err != nil {
		t.Fatal(err)
	}
	var largest, difference float64
	for i, w := range want {
		largest = max(largest, math.Abs(float64(w)))
		if d := math.Abs(float64(got[i]) - float64(w)); !(d <= difference) {
			difference = d
		}
	}
	t.Logf("batch %d, %dx%d: largest difference %.1e of the largest logit", n, size, size, difference/largest)
	if !(difference <= 1e-4*largest) || len(got) < len(want) {
		t.Errorf("batch %d, %dx%d: largest difference %v of the largest logit", n, size, size, difference/largest)
	}
}
