package experiment

import (
	"math"
	"strings"
	"testing"
	"time"

	"resnet/internal/blocks"
	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
)

// TestARingIsTheSumOfItsRounds: every machine passes on one n-th of the vector, n-1 times to add
// and n-1 times to share.
func TestARingIsTheSumOfItsRounds(t *testing.T) {
	for _, w := range []Network{{Gigabits: 10, Latency: 30e-6}, {Gigabits: 100}} {
		for _, n := range []int{2, 3, 64} {
			const bytes = 102.2e6
			want := 0.
			for range 2 {
				for range n - 1 {
					want += bytes / float64(n) * 1538 / 1460 * 8 / (w.Gigabits * 1e9)
					want += w.Latency
				}
			}
			if got := w.ringSeconds(n, bytes); math.Abs(got/want-1) > 1e-12 {
				t.Errorf("%+v, %d machines: %v s, want %v", w, n, got, want)
			}
		}
	}
}

// TestEfficiencyOfClusters is worked out on paper, with a line on which a megabyte of data takes a
// millisecond and no latency: two machines send the vector once, four 1.5 times.
func TestEfficiencyOfClusters(t *testing.T) {
	w := Network{Gigabits: 8 * 1538 / 1460.}
	const mb = 8 << 20 // so that a bucket takes 8.388608 ms of two machines
	ms := float64(mb) / 1e6 / 1000
	for _, c := range []struct {
		n                        int
		seconds, backward, bytes float64
		after, beside            float64
	}{
		{1, 1, 0.5, mb, 1, 1},
		{2, 12 * ms, 8 * ms, 8 * mb, 12. / 20, 12. / 13}, // the last bucket is waited for
		{2, 12 * ms, 2 * ms, 8 * mb, 12. / 20, 12. / 18}, // 8 buckets less 2
		{4, 12 * ms, 2 * ms, 8 * mb, 12. / 24, 12. / 22}, // 12 buckets' time, less 2
		// Eight buckets of an eighth, and what is not worth dividing.
		{2, 12 * ms, 12 * ms, mb / 2, 12. / 12.5, 12. / 12.0625},
		{2, 12 * ms, 12 * ms, mb / 64, 12. / 12.015625, 12. / 12.015625},
	} {
		after, beside := w.Efficiency(c.n, c.seconds, c.backward, c.bytes)
		if math.Abs(after-c.after) > 1e-9 || math.Abs(beside-c.beside) > 1e-9 {
			t.Errorf("%+v: %v and %v", c, after, beside)
		}
	}
}

func TestRowsFollowFromATrace(t *testing.T) {
	ms := time.Millisecond
	trace := &schedule.Trace{Rest: 2 * ms, Regions: []schedule.RegionTrace{
		{Units: []time.Duration{4 * ms, 4 * ms, 4 * ms, 4 * ms}, Bytes: 800e6},
		{Units: []time.Duration{6 * ms, 6 * ms}, Finish: []time.Duration{2 * ms}, Backward: true},
	}}
	m := newScaleModel(trace, 10e6, ScaleOptions{Bandwidth: 200})
	m.bandwidthOne, m.bandwidth = 10e9, 400e9
	m.costs.Barrier = ms
	near := func(got, want float64, what string) {
		t.Helper()
		if math.Abs(got-want) > 1e-6 {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	// 32 ms on one core, and on four 2 + 4+1 + 6+1 + 2.
	r := m.row(4, 1, 128)
	near(r.MsPerUpdate, 16, "ms on four cores")
	near(r.Speedup, 2, "speed-up")
	near(r.EfficiencyPercent, 50, "efficiency")
	near(r.ImagesPerSecond, 8000, "images/s")
	near(r.backward, 0.009, "backward")
	near(r.MemoryBoundPercent, 0, "bound")
	// Two workers of two: 2 + 8+1 + 6+1 + 2, and 3 · 10 MB at 20 GB/s; half the memory is enough.
	r = m.row(4, 2, 128)
	near(r.MsPerUpdate, 21.5, "ms of two workers")
	near(r.ImagesPerSecond, 256/0.0215, "images/s of two workers")
	near(r.Speedup, 64/21.5, "speed-up of two workers")
	// Four workers of one: 2 + 16 + 14; the first region takes 800 MB at 50 GB/s, as long; and
	// 5 · 10 MB at 40 GB/s.
	r = m.row(4, 4, 128)
	near(r.MsPerUpdate, 33.25, "ms of four workers")
	if best := m.best(4, 128); best.Workers != 4 {
		t.Errorf("best %+v", best)
	}
	// Eight of one: the memory gives each 25 GB/s, 32 ms; 9 · 10 MB at 80 GB/s.
	r = m.row(8, 8, 128)
	near(r.MsPerUpdate, 2+32+14+1.125, "ms of eight workers")
	near(r.MemoryBoundPercent, 3200/49.125, "bound of eight workers")

	// Cores that are further from each other: four transfers and 4 ms instead of 1 ms, twice. The
	// first region's four threads, of one team, wait for four more.
	m.transfer = time.Millisecond
	near(m.row(4, 1, 128).MsPerUpdate, 16+2*4+4, "ms with slow transfers")
	m.transfer = 0

	got := m.measured(2, 1, 128, []float64{0.021, 0.040, 0.020}, []float64{0.030, 0.033, 0.036})
	near(got.MsPerStep, 21, "measured ms")
	near(got.PredictedMs, 2+9+9, "predicted ms")
	near(got.ErrorPercent, 100*(20./21-1), "error")
	near(got.Speedup, 33./21, "measured speed-up")
	near(got.EfficiencyPercent, 50*33./21, "measured efficiency")

	// Two workers of one: 2 + 16 + 14, and 3 · 10 MB at 20 GB/s; twice the images.
	got = m.measured(2, 2, 128, []float64{0.040, 0.050}, []float64{0.030})
	near(got.PredictedMs, 33.5, "predicted ms of two workers")
	near(got.ImagesPerSecond, 256/0.05, "images/s of two workers")
	near(got.Speedup, 2*30./50, "speed-up of two workers")

	rows := m.machines(128, 8)
	if len(rows) != 2*3*6 {
		t.Fatalf("%d rows", len(rows))
	}
	after, beside := scaleNetworks[1].Efficiency(4, m.row(8, 1, 128).MsPerUpdate/1000, 0.009, 10e6)
	c := rows[6+1]
	near(c.EfficiencyPercent, 100*after, "efficiency of four machines")
	near(c.OverlappedPercent, 100*beside, "the same beside")
	near(c.ImagesPerSecond, 4*after*8000, "images/s of four machines")
	if c.Machines != 4 || c.Gigabits != 25 || c.ImagesPerMachine != 128 || rows[18].ImagesPerMachine != 1024 {
		t.Errorf("%+v", c)
	}
}

func TestDoublingsEndWithAll(t *testing.T) {
	for n, want := range map[int]int{1: 1, 2: 2, 3: 3, 6: 4, 8: 4} {
		list := doublings(n)
		if len(list) != want || list[0] != 1 || list[len(list)-1] != n {
			t.Errorf("%d: %v", n, list)
		}
	}
}

// TestABenchOfScaleMeasuresAndPredicts a small network.
func TestABenchOfScaleMeasuresAndPredicts(t *testing.T) {
	env := &Environment{Version: "v"}
	r, err := BenchScale(env, ScaleOptions{Arch: "resnet20", Batch: 4, Steps: 3, Threads: 2, Cores: 4, Bandwidth: 200})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Measured) != 3 || r.Measured[1].Threads != 2 || r.Measured[2].Workers != 2 || r.Measured[0].Speedup != 1 {
		t.Fatalf("%+v", r.Measured)
	}
	for _, m := range r.Measured {
		if !(m.MsMin > 0 && m.MsMin <= m.MsPerStep && m.MsPerStep <= m.MsMax) || math.Abs(m.ImagesPerSecond*m.MsPerStep/4000-float64(m.Workers)) > 1e-9 {
			t.Errorf("%+v", m)
		}
	}
	// How near predictions come is measured on a quiet machine: here others may have the cores.
	if p := r.Measured[0]; !(p.PredictedMs > 0) {
		t.Errorf("one thread: %+v", p)
	}
	if p := r.Predicted[0]; p.Cores != 1 || !(p.MsPerUpdate > 0) {
		t.Errorf("%+v", p)
	}
	// ResNet-20 has 269,722 parameters; four images are four units.
	if m := r.Model; m.GradientBytes != 4*269_722 || m.Units < 4 || m.BytesPerStep < 1<<20 || !(m.AloneMs > 0) || !(m.GigabytesPerSecond > 0) {
		t.Errorf("%+v", m)
	}
	if _, err := BenchScale(&Environment{Machine: "tape"}, ScaleOptions{Arch: "resnet20"}); err == nil {
		t.Error("the tape has no units")
	}
}

// scaleBenchOfTest trains ResNet-20 on so many threads; its work is divided for others where divide
// is not 0.
func scaleBenchOfTest(t *testing.T, threads, divide int) *scaleBench {
	t.Helper()
	b := &scaleBench{params: graph.NewParamSet(1), arena: new(schedule.Arena), bench: bench{BenchOptions: BenchOptions{Mode: "train", Arch: "resnet20", Batch: 128, Threads: threads}}}
	var err error
	if b.spec, err = blocks.Lookup(b.Arch); err != nil {
		t.Fatal(err)
	}
	if err := b.compile(&Environment{Version: "v"}, divide); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.machine.Close)
	return b
}

// TestSixtyFourThreadsHaveUnits: of ResNet-20 at batch 128, images and accumulators are divided for
// all of them, and the bits are those of one.
func TestSixtyFourThreadsHaveUnits(t *testing.T) {
	var want []float32
	for _, threads := range []int{1, 64} {
		b := scaleBenchOfTest(t, threads, 0)
		for range 2 {
			if err := b.step(); err != nil {
				t.Fatal(err)
			}
		}
		var got []float32
		for _, p := range b.params.All() {
			got = append(append(got, p.Data...), p.Grad...)
		}
		if want == nil {
			want = got
		}
		for i := range want {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
				t.Fatalf("%d threads: value %d is %v, of one thread %v", threads, i, got[i], want[i])
			}
		}
	}
	trace, err := scaleBenchOfTest(t, 1, 64).divided(1)
	if err != nil {
		t.Fatal(err)
	}
	convolutions := 0
	for i, r := range trace.Regions[1:] {
		if !strings.HasPrefix(r.Name, "conv") {
			continue
		}
		convolutions++
		if len(r.Units) < 64 {
			t.Errorf("region %d, %s: %d units", i, r.Name, len(r.Units))
		}
		// The accumulators of a pair of blocks have 16 channels to divide.
		if strings.HasPrefix(r.Name, "conv gradients") && len(r.Inner) < 16 {
			t.Errorf("region %d, %s: %d units merge", i, r.Name, len(r.Inner))
		}
	}
	if convolutions != 2*19 {
		t.Errorf("%d regions of convolutions", convolutions)
	}
}
