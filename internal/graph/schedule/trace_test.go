package schedule

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"resnet/internal/graph"
)

// TestPredictionsOfSmallSchedules are worked out on paper.
func TestPredictionsOfSmallSchedules(t *testing.T) {
	ms := func(n ...int) (ds []time.Duration) {
		for _, x := range n {
			ds = append(ds, time.Duration(x)*time.Millisecond)
		}
		return ds
	}
	trace := &Trace{Rest: 2 * time.Millisecond, Regions: []RegionTrace{
		// Two threads: 3 and 3, then 1 and 4, then 2: 1+3+2 and 3+4, so 7. Three: 3+2, 3, 1+4: 5.
		{Units: ms(3, 3, 1, 4, 2), Finish: ms(1), Bytes: 40e6},
		// Two threads: 5 | 1+1+1; inner 2+2 | 2.
		{Units: ms(5, 1, 1, 1), Inner: ms(2, 2, 2), Backward: true, Bytes: 1e6},
		{Units: ms(6), Backward: true}, // a whole step: no other thread is called
	}}
	none := Costs{}
	for _, c := range []struct {
		threads        int
		costs          Costs
		whole, back, m int
	}{
		{1, none, 2 + 13 + 1 + 8 + 6 + 6, 20, 0},
		{2, none, 2 + 7 + 1 + 5 + 4 + 6, 15, 0},
		{3, none, 2 + 5 + 1 + 5 + 2 + 6, 13, 0},
		{64, none, 2 + 4 + 1 + 5 + 2 + 6, 13, 0},
		// Three of the stages have a barrier, and 5, 4 and 3 units are taken in 3, 2 and 2 turns.
		{2, Costs{Barrier: 10 * time.Millisecond, Transfer: time.Millisecond}, 25 + 30 + 4, 15 + 20 + 2, 0},
		{5, Costs{Barrier: 10 * time.Millisecond, Transfer: time.Millisecond}, 20 + 16 + 14 + 12, 13 + 14 + 12, 0},
		{1, Costs{Barrier: 10 * time.Millisecond, Transfer: time.Millisecond}, 36, 20, 0},
		// 4 GB/s: 10 ms for the first region, a quarter for the second.
		{2, Costs{Bandwidth: 4e9}, 25 - 7 + 10, 15, 10},
		{1, Costs{Bandwidth: 4e9}, 36, 20, 0},
	} {
		p := trace.Predict(c.threads, c.costs)
		want := Prediction{ms(c.whole)[0], ms(c.back)[0], ms(c.m)[0]}
		if p != want {
			t.Errorf("%d threads, %+v: %v, want %v", c.threads, c.costs, p, want)
		}
	}
	// Two threads that have 5 GB/s each move 40 MB in 4 ms, and in 5 with 8 GB/s for both; with 10
	// GB/s they do not wait for each other.
	moving := &Trace{Regions: []RegionTrace{{Units: ms(6, 6), Bytes: 40e6}}}
	for bandwidth, want := range map[float64]int{8e9: 7, 10e9: 6, 20e9: 6} {
		if p := moving.Predict(2, Costs{Bandwidth: bandwidth, Each: 5e9}); p.Time != ms(want)[0] || p.MemoryBound != 0 {
			t.Errorf("%v bytes/s: %+v, want %d ms", bandwidth, p, want)
		}
	}
	if trace.Alone() != 9*time.Millisecond || trace.Bytes() != 41e6 {
		t.Errorf("alone %v, %d bytes", trace.Alone(), trace.Bytes())
	}
}

// TestBarriersFollowFromTeams: what is transferred one after another for more than two threads.
func TestBarriersFollowFromTeams(t *testing.T) {
	c := Costs{Barrier: 1000, Transfer: 1}
	for _, b := range []struct{ units, threads, transfers int }{
		{2, 2, 0}, {3, 2, 1}, {8, 8, 12}, {9, 9, 14}, {64, 64, 12 + 14}, {65, 64, 12 + 14 + 1}, {128, 64, 12 + 14 + 1}, {64, 1000, 12 + 14},
	} {
		if got := barrier(b.units, b.threads, c); got != time.Duration(1000+b.transfers) {
			t.Errorf("%d units, %d threads: %d", b.units, b.threads, got)
		}
	}
	if barrier(1, 64, c) != 0 || barrier(64, 1, c) != 0 {
		t.Error("one thread waits for none")
	}
}

// TestATraceOfSharesHasEveryUnit of work that is divided, once, and then the machine computes what
// it did before.
func TestATraceOfSharesHasEveryUnit(t *testing.T) {
	g, err := buildWide(graph.NewParamSet(1))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Compile(g, Options{Threads: 1, Divide: 5})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	x, labels := make([]float32, g.N*g.ImageLen()), make([]int32, g.N)
	for i := range x {
		x[i] = float32(i%17) - 8
	}
	calls := 0
	call := func() error {
		calls++
		_, err := m.Train(x, labels, graph.StepOptions{})
		return err
	}
	if err := call(); err != nil {
		t.Fatal(err)
	}
	loss := m.loss
	calls = 0
	trace, err := m.Trace(call)
	if err != nil {
		t.Fatal(err)
	}
	if calls != 5 {
		t.Errorf("%d calls for five shares", calls)
	}
	for i, r := range trace.Regions {
		for k, units := range r.stages() {
			for u, d := range units {
				if d <= 0 {
					t.Errorf("region %d, stage %d, unit %d: %v", i, k, u, d)
				}
			}
		}
	}
	if err := call(); err != nil || m.loss != loss {
		t.Errorf("%v, loss %v, and %v before", err, m.loss, loss)
	}
}

// TestATraceAddsUpTheRoundsOfARecurrence: of two units that take a millisecond at each of five
// frames.
func TestATraceAddsUpTheRoundsOfARecurrence(t *testing.T) {
	const frames = 5
	rounds := []int{}
	m := &Machine{memory: memory{pool: newPool(1, nil), workers: []*worker{{}}}, call: call{count: 1}}
	m.g = &graph.Graph{N: 1}
	m.regions = []region{{steps: []*step{{
		name: "recurrence", inner: 2, rounds: func(int) int { return frames },
		runInner: func(*worker, int) {
			rounds = append(rounds, m.round)
			time.Sleep(time.Millisecond)
		},
	}}}}
	m.do, m.doInner, m.doFinish = m.runUnit, m.runInner, m.runFinish
	trace, err := m.Trace(func() error { m.run(true); return nil })
	if err != nil {
		t.Fatal(err)
	}
	r := trace.Regions[1]
	if r.Rounds != frames || len(r.Inner) != 2 || min(r.Inner[0], r.Inner[1]) < frames*time.Millisecond {
		t.Errorf("%d rounds of %v", r.Rounds, r.Inner)
	}
	if !slices.Equal(rounds, []int{0, 0, 1, 1, 2, 2, 3, 3, 4, 4}) {
		t.Errorf("rounds %v", rounds)
	}
}

// TestLossesSumUpToThePrediction: where the time of two threads goes, worked out on paper.
func TestLossesSumUpToThePrediction(t *testing.T) {
	const ms = time.Millisecond
	trace := &Trace{Rest: 2 * ms, Regions: []RegionTrace{
		// 7, where an even share is 6.5, a barrier, and 1 alone; memory takes 10 for the first 8.
		{Name: "a", Units: []time.Duration{3 * ms, 3 * ms, 1 * ms, 4 * ms, 2 * ms}, Finish: []time.Duration{ms}, Bytes: 40e6},
		// 5 of an even 4, then 4 of an even 3, and two barriers.
		{Name: "b", Units: []time.Duration{5 * ms, ms, ms, ms}, Inner: []time.Duration{2 * ms, 2 * ms, 2 * ms}},
		{Name: "a", Units: []time.Duration{6 * ms}},
		// A recurrence of 7 frames: two units, and a barrier behind each frame.
		{Name: "c", Inner: []time.Duration{8 * ms, 8 * ms}, Rounds: 7},
	}}
	c := Costs{Barrier: ms, Bandwidth: 4e9}
	want := []Loss{
		{Name: "a", Regions: 2, Units: 5, Work: 20 * ms, Time: 17 * ms, Uneven: ms / 2, Barriers: ms, Alone: 7 * ms / 2, Memory: 2 * ms},
		{Name: "c", Regions: 1, Units: 2, Work: 16 * ms, Time: 15 * ms, Barriers: 7 * ms},
		{Name: "b", Regions: 1, Units: 4, Work: 14 * ms, Time: 11 * ms, Uneven: 2 * ms, Barriers: 2 * ms},
		{Name: "the rest", Work: 2 * ms, Time: 2 * ms, Alone: ms},
	}
	got := trace.Losses(2, c)
	total := time.Duration(0)
	for i := range got {
		total += got[i].Time
		if l := got[i]; l.Time != l.Work/2+l.Lost() {
			t.Errorf("%+v does not add up", l)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	if p := trace.Predict(2, c); p.Time != total || p.MemoryBound != 10*ms {
		t.Errorf("%+v, and all losses have %v", p, total)
	}
}

// TestListSchedulingIsWithinItsBounds: neither below the longest unit and the even share, nor above
// Graham's bound of their sum.
func TestListSchedulingIsWithinItsBounds(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		units := make([]time.Duration, 1+rng.IntN(40))
		sum := time.Duration(0)
		for i := range units {
			units[i] = time.Duration(1 + rng.IntN(1000))
			sum += units[i]
		}
		threads := 1 + rng.IntN(20)
		got, longest, share := makespan(units, threads), slices.Max(units), sum/time.Duration(threads)
		if got < max(longest, share) || got > share+1+longest {
			t.Fatalf("%v on %d threads: %v", units, threads, got)
		}
	}
}

// TestATraceIsTheWholeCall, unit by unit, and leaves the machine as it was.
func TestATraceIsTheWholeCall(t *testing.T) {
	g, err := buildWide(graph.NewParamSet(1))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Compile(g, Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	x, labels := make([]float32, g.N*g.ImageLen()), make([]int32, g.N)
	var traces []*Trace
	most := 0. // of a call; one may be interrupted between the two clocks
	for range 3 {
		start := time.Now()
		trace, err := m.Trace(func() error {
			time.Sleep(3 * time.Millisecond)
			_, err := m.Train(x, labels, graph.StepOptions{})
			return err
		})
		whole := time.Since(start)
		if err != nil {
			t.Fatal(err)
		}
		p := trace.Predict(1, Costs{}).Time
		if p > whole {
			t.Errorf("%v of a call of %v", p, whole)
		}
		most = max(most, p.Seconds()/whole.Seconds())
		if trace.Rest < 3*time.Millisecond {
			t.Errorf("rest %v", trace.Rest)
		}
		if len(trace.Regions) != 1+len(m.regions) {
			t.Fatalf("%d regions of %d", len(trace.Regions), len(m.regions))
		}
		for i, r := range trace.Regions[1:] {
			if len(m.regions[i].steps) > 1 && len(r.Units) != len(m.regions[i].spans) || r.Backward != m.regions[i].backward {
				t.Errorf("region %d: %d units of %d", i, len(r.Units), len(m.regions[i].spans))
			}
			for u, d := range append(slices.Clone(r.Units), r.Inner...) {
				if d <= 0 {
					t.Errorf("region %d, unit %d: %v", i, u, d)
				}
			}
		}
		traces = append(traces, trace)
	}
	if most < 0.9 {
		t.Errorf("at most %v of a call", most)
	}
	traces[0].Rest, traces[1].Rest, traces[2].Rest = 5, 1, 2
	traces[0].Regions[1].Units[1], traces[1].Regions[1].Units[1], traces[2].Regions[1].Units[1] = 7, 9, 1
	if m := MedianTrace(traces); m.Rest != 2 || m.Regions[1].Units[1] != 7 || m.Bytes() != traces[0].Bytes() {
		t.Errorf("rest %v, unit %v", m.Rest, m.Regions[1].Units[1])
	}
}
