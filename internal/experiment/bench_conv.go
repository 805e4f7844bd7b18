package experiment

import (
	"time"

	"resnet/internal/graph/kernel"
	"resnet/internal/graph/kernel/conv"
	"resnet/internal/system"
)

// PeakGFLOPS is what the multiply-add units of so many threads can do, or 0 where that is not
// measured.
func PeakGFLOPS(threads int) float64 { return kernel.Peak(threads) / 1e9 }

// ConvRow is one shape and algorithm of `bench conv`, in GFLOP/s of the direct method on one core.
type ConvRow struct {
	Shape     string         `json:"shape"`
	Algorithm conv.Algorithm `json:"-"`
	Name      string         `json:"algorithm"`
	Chosen    bool           `json:"chosen"`
	Passes    [3]ConvSpeed   `json:"passes"`
}

// ConvSpeed is one pass; Ratio compares with the direct algorithm.
type ConvSpeed struct {
	Pass          string  `json:"pass"`
	GFLOPS        float64 `json:"gflops"`
	Min           float64 `json:"gflops_min"`
	Max           float64 `json:"gflops_max"`
	PercentOfPeak float64 `json:"percent_of_peak"`
	Ratio         float64 `json:"ratio_to_direct"`
}

// ConvReport is `bench conv --json`.
type ConvReport struct {
	Mode       string    `json:"mode"`
	Kernels    string    `json:"kernels"`
	Threads    int       `json:"threads"`
	PeakGFLOPS float64   `json:"peak_gflops"`
	CPU        string    `json:"cpu"`
	Rows       []ConvRow `json:"rows"`
}

// benchShapes are the layers of the CIFAR and ImageNet networks, with the images that go through
// together.
var benchShapes = []struct {
	conv.Shape
	images int
}{
	{square(16, 16, 32, 3, 1), 4},
	{square(32, 32, 16, 3, 1), 8},
	{square(64, 64, 8, 3, 1), 16},
	{square(64, 64, 56, 3, 1), 1},
	{square(128, 128, 28, 3, 1), 2},
	{square(3, 16, 32, 3, 1), 4},
	{square(16, 32, 32, 3, 2), 4},
	{square(32, 64, 16, 3, 2), 8},
	{square(3, 64, 224, 7, 2), 1},
	{square(64, 256, 56, 1, 1), 1},
	{square(256, 64, 56, 1, 1), 1},
	{square(256, 512, 56, 1, 2), 1},
	{inGroups(32, square(128, 128, 56, 3, 1)), 1},
	{inGroups(32, square(256, 256, 56, 3, 2)), 1},
	{inGroups(32, square(256, 256, 28, 3, 1)), 2},
	{inGroups(32, square(512, 512, 14, 3, 1)), 4},
	{inGroups(32, square(1024, 1024, 7, 3, 1)), 8},
}

func inGroups(groups int, s conv.Shape) conv.Shape {
	s.Groups = groups
	return s
}

func square(c, k, size, kernelSize, stride int) conv.Shape {
	return conv.Shape{C: c, K: k, H: size, W: size, R: kernelSize, S: kernelSize, Stride: stride, PadH: kernelSize / 2, PadW: kernelSize / 2}
}

// BenchConv measures each shape and algorithm in seven rounds of this length, on one core.
func BenchConv(round time.Duration) ConvReport {
	r := ConvReport{Mode: "conv", Kernels: kernel.Active(), Threads: 1, CPU: system.Read().CPU}
	for _, s := range benchShapes {
		// Beside each shape: the clock of a busy machine moves.
		r.PeakGFLOPS = max(r.PeakGFLOPS, PeakGFLOPS(1))
		var direct conv.Speeds
		for _, algorithm := range []conv.Algorithm{conv.Direct, conv.Winograd, conv.Grouped} {
			if algorithm == conv.Winograd && !s.CanWinograd() || (algorithm == conv.Grouped) != (s.Groups > 1) {
				continue
			}
			v := conv.Measure(s.Shape, algorithm, s.images, 7, round)
			if algorithm != conv.Winograd { // direct, in groups or not
				direct = v
			}
			row := newConvRow(s.String(), algorithm, v, direct)
			row.Chosen = conv.Choose(s.Shape).Forward == algorithm
			r.Rows = append(r.Rows, row)
		}
	}
	r.comparePeak()
	return r
}

// newConvRow is the row of an algorithm beside the direct one.
func newConvRow(shape string, algorithm conv.Algorithm, v, direct conv.Speeds) ConvRow {
	row := ConvRow{Shape: shape, Algorithm: algorithm, Name: algorithm.String()}
	for i, p := range []struct {
		name      string
		of, first conv.Speed
	}{{"forward", v.Forward, direct.Forward}, {"data gradient", v.DataGrad, direct.DataGrad}, {"weight gradient", v.Weights, direct.Weights}} {
		row.Passes[i] = ConvSpeed{Pass: p.name, GFLOPS: p.of.Median / 1e9, Min: p.of.Min / 1e9, Max: p.of.Max / 1e9, Ratio: p.of.Median / p.first.Median}
	}
	return row
}

// comparePeak fills in the percentages of the peak.
func (r *ConvReport) comparePeak() {
	for i := range r.Rows {
		for j := range r.Rows[i].Passes {
			p := &r.Rows[i].Passes[j]
			p.PercentOfPeak = 100 * p.GFLOPS / r.PeakGFLOPS
		}
	}
}
