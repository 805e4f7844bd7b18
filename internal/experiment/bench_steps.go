package experiment

import (
	"cmp"
	"slices"
	"time"

	"resnet/internal/config"
	"resnet/internal/graph/schedule"
	"resnet/internal/system"
)

// BenchStep is a step of the machine, or several of the same kind, algorithm and pass.
type BenchStep struct {
	Kind      string `json:"kind"`
	Shape     string `json:"shape,omitempty"`     // of a convolution
	Algorithm string `json:"algorithm,omitempty"` // of a convolution
	Pass      string `json:"pass"`                // forward or backward
	// Count is how many steps were added up: 1 in a list of all.
	Count int `json:"count"`
	// Bytes are what the step reads and writes, each once; a second behind it, of memory that is
	// not in cache.
	Bytes              int64   `json:"bytes"`
	Milliseconds       float64 `json:"ms"`
	Percent            float64 `json:"percent"` // of the whole
	GigabytesPerSecond float64 `json:"gigabytes_per_second"`
	// GFLOP are the operations of the direct method, of convolutions, fully connected and recurrent
	// layers: two for each multiply-add.
	GFLOP  float64 `json:"gflop,omitempty"`
	GFLOPS float64 `json:"gflops,omitempty"` // a second
	// Bound is the least time of the step: the larger of its arithmetic, at the rate that its
	// kernel has on this shape with data in cache, and of its bytes, at the rate of a long stream.
	Bound float64 `json:"bound_ms"`
}

// BenchSteps is `bench train|infer --steps --json`.
type BenchSteps struct {
	Arch      string `json:"arch"`
	Mode      string `json:"mode"`
	Precision string `json:"precision"`
	Batch     int    `json:"batch"`
	Threads   int    `json:"threads"`
	Runs      int    `json:"runs"`
	// Milliseconds are the median of whole calls, without the update of SGD. The times of steps
	// are medians as well, so that their sum is near to it.
	Milliseconds float64 `json:"ms"`
	// Bound is the sum of the steps' bounds, and PercentOfBound what it is of the time.
	Bound          float64 `json:"bound_ms"`
	PercentOfBound float64 `json:"percent_of_bound"`
	// What the bound is made of: all bytes and operations, and the rates of all threads.
	Bytes     int64       `json:"bytes"`
	GFLOP     float64     `json:"gflop"`
	GFLOPS    float64     `json:"gflops"`
	Peak      float64     `json:"peak_gflops"`
	Bandwidth float64     `json:"stream_gigabytes_per_second"`
	Kernels   string      `json:"kernels"`
	CPU       string      `json:"cpu"`
	Version   string      `json:"version"`
	Kinds     []BenchStep `json:"kinds"` // added up, the longest first
	Steps     []BenchStep `json:"steps"` // in their order
}

// ProfileSteps measures each step of the machine that trains or applies a network.
func ProfileSteps(env *Environment, o BenchOptions) (BenchSteps, error) {
	b, err := newBench(env, o)
	if err != nil {
		return BenchSteps{}, err
	}
	defer b.machine.Close()
	m, ok := b.machine.(*schedule.Machine)
	if !ok {
		return BenchSteps{}, config.Usagef("bench: --steps are those of the schedule: unset RESNET_MACHINE")
	}
	times, whole, err := m.Profile(o.Steps, b.step)
	if err != nil {
		return BenchSteps{}, err
	}
	r := BenchSteps{
		Arch: b.spec.Name, Mode: b.Mode, Precision: b.device().precision.String(), Batch: b.Batch, Threads: b.Threads, Runs: o.Steps, Milliseconds: milliseconds(whole),
		Kernels: Kernels(b.device().precision), CPU: system.Read().CPU, Version: env.Version,
	}
	limits := measureLimits(times, b.Threads)
	r.Peak, r.Bandwidth = limits.peak/1e9, limits.stream/1e9
	for _, t := range times {
		s := newBenchStep(t, whole)
		if t.Time > 0 { // weights that do not change are not packed again
			s.Bound = milliseconds(limits.bound(t))
		}
		r.Bound, r.Bytes, r.GFLOP = r.Bound+s.Bound, r.Bytes+s.Bytes, r.GFLOP+s.GFLOP
		r.Steps = append(r.Steps, s)
	}
	r.PercentOfBound, r.GFLOPS = 100*r.Bound/r.Milliseconds, 1000*r.GFLOP/r.Milliseconds
	r.Kinds = byKind(r.Steps)
	return r, nil
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

func newBenchStep(t schedule.StepTime, whole time.Duration) BenchStep {
	s := BenchStep{
		Kind: t.Kind, Shape: t.Shape, Algorithm: t.Algorithm, Pass: "forward", Count: 1, Bytes: t.Bytes,
		Milliseconds: milliseconds(t.Time), Percent: 100 * t.Time.Seconds() / whole.Seconds(),
	}
	if t.Backward {
		s.Pass = "backward"
	}
	for _, p := range t.Products {
		s.GFLOP += float64(p.Operations()) / 1e9
	}
	s.rate()
	return s
}

// rate makes the bytes and the operations a second; 0 where no time was measured.
func (s *BenchStep) rate() {
	s.GigabytesPerSecond, s.GFLOPS = 0, 0
	if s.Milliseconds > 0 {
		s.GigabytesPerSecond, s.GFLOPS = float64(s.Bytes)/s.Milliseconds/1e6, 1000*s.GFLOP/s.Milliseconds
	}
}

// byKind adds up steps that differ at most in their shapes.
func byKind(steps []BenchStep) []BenchStep {
	var kinds []BenchStep
	for _, s := range steps {
		i := slices.IndexFunc(kinds, func(k BenchStep) bool { return k.Kind == s.Kind && k.Algorithm == s.Algorithm && k.Pass == s.Pass })
		if i < 0 {
			i = len(kinds)
			kinds = append(kinds, BenchStep{Kind: s.Kind, Algorithm: s.Algorithm, Pass: s.Pass})
		}
		k := &kinds[i]
		k.Count, k.Bytes, k.Milliseconds, k.Percent = k.Count+s.Count, k.Bytes+s.Bytes, k.Milliseconds+s.Milliseconds, k.Percent+s.Percent
		k.GFLOP, k.Bound = k.GFLOP+s.GFLOP, k.Bound+s.Bound
	}
	for i := range kinds {
		kinds[i].rate()
	}
	slices.SortStableFunc(kinds, func(a, b BenchStep) int { return cmp.Compare(b.Milliseconds, a.Milliseconds) })
	return kinds
}
