package conv

import (
	"slices"
	"time"

	"resnet/internal/graph/kernel"
)

// Speed is what one pass of a convolution does on one core, in operations a second of the direct
// method: the median of several rounds, and the slowest and fastest.
type Speed struct{ Median, Min, Max float64 }

// PassName says which of the three passes.
type PassName uint8

// The passes.
const (
	ForwardPass PassName = iota
	DataGradPass
	WeightGradPass
)

// Of returns the speed of a pass.
func (s Speeds) Of(p PassName) Speed { return [...]Speed{s.Forward, s.DataGrad, s.Weights}[p] }

// Speeds are the speeds of the three passes on data in cache: padding, which the schedule does
// while it normalises, is not counted.
type Speeds struct{ Forward, DataGrad, Weights Speed }

// Measure times the passes of a shape on n images a call, each for several rounds of about the
// given time.
func Measure(s Shape, a Algorithm, n, rounds int, round time.Duration) Speeds {
	p := NewPlan(s, Choices{a, a, a}, true)
	k := NewWork(p.Forward.Need(n).Max(p.DataGrad.Need(n)).Max(p.Weights.Need(n)))
	x, xg, dy := sampleData(n*p.Forward.Input().Len()), sampleData(n*p.X.Len()), sampleData(n*p.DY.Len())
	y := kernel.Alloc(n * max(s.OutLen(), s.InLen()))
	w, acc := sampleData(max(p.Forward.PackedLen(), p.DataGrad.PackedLen())), kernel.Alloc(p.Weights.Len())
	flops := float64(s.Operations(n))
	return Speeds{
		Forward:  timed(flops, rounds, round, func() { p.Forward.Run(k, y, x, n, w) }),
		DataGrad: timed(flops, rounds, round, func() { p.DataGrad.Run(k, y, dy, n, w) }),
		Weights:  timed(flops, rounds, round, func() { clear(acc); p.Weights.Add(k, acc, xg, dy, n) }),
	}
}

// sampleData is data that is neither zero nor denormal.
func sampleData(n int) []float32 {
	x := kernel.Alloc(n)
	for i := range x {
		x[i] = float32(i%7-3) / 8
	}
	return x
}

func timed(flops float64, rounds int, round time.Duration, f func()) Speed {
	f()
	speeds := make([]float64, rounds)
	for i := range speeds {
		start, calls := time.Now(), 0
		for time.Since(start) < round {
			f()
			calls++
		}
		speeds[i] = flops * float64(calls) / time.Since(start).Seconds()
	}
	slices.Sort(speeds)
	return Speed{speeds[rounds/2], speeds[0], speeds[rounds-1]}
}
