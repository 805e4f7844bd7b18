package train

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func scheduler(t *testing.T, s Schedule, p Plan) *Scheduler {
	t.Helper()
	p.Config.Schedule = s
	if p.Config.Batch == 0 {
		p.Config.Batch, p.Config.Accumulate = 128, 1
	}
	if p.BatchesPerEpoch == 0 {
		p.BatchesPerEpoch = 390
	}
	return NewScheduler(p)
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-12*math.Abs(b) }

func TestTheRateDropsWithTheUpdateAfterTheMilestone(t *testing.T) {
	for _, c := range []struct {
		drop   Drop
		epochs int // batches in one
		want   map[int]float64
	}{
		{
			Drop{Factor: 0.1, At: []int{32000, 48000}},
			390,
			map[int]float64{0: 0.1, 31999: 0.1, 32000: 0.01, 47999: 0.01, 48000: 0.001, 63999: 0.001},
		},
		// Past the end is legal.
		{Drop{Factor: 0.1, At: []int{32000, 1 << 40}}, 390, map[int]float64{63999: 0.01}},
		{
			Drop{Factor: 0.5, AtEpochs: []int{4, 7}},
			390,
			map[int]float64{4*390 - 1: 0.1, 4 * 390: 0.05, 7*390 - 1: 0.05, 7 * 390: 0.025},
		},
	} {
		s := scheduler(t, Schedule{Rate: 0.1, Drop: c.drop}, Plan{BatchesPerEpoch: c.epochs})
		for step, want := range c.want {
			if got := s.Rate(step, ScheduleState{}); !near(got, want) {
				t.Errorf("%+v: rate after %d updates is %v, want %v", c.drop, step, got, want)
			}
		}
	}
}

func TestCosineGoesFromRateToMin(t *testing.T) {
	s := scheduler(t, Schedule{Rate: 0.1, Cosine: Cosine{Enabled: true, Min: 0.02}}, Plan{Iterations: 100})
	for step, want := range map[int]float64{0: 0.1, 50: 0.06, 100: 0.02, 25: 0.02 + 0.08*(1+math.Sqrt2/2)/2} {
		if got := s.Rate(step, ScheduleState{}); !near(got, want) {
			t.Errorf("rate after %d of 100 updates is %v, want %v", step, got, want)
		}
	}
}

// TestTheWarmupOfResNet110ReturnsToTheRateAndStays follows section 4.2 of the paper: 0.01 until the
// training error is below 80 %, then 0.1 - and whatever the error does afterwards.
func TestTheWarmupOfResNet110ReturnsToTheRateAndStays(t *testing.T) {
	s := scheduler(t, Schedule{
		Rate: 0.1, Drop: Drop{Factor: 0.1, At: []int{32000, 48000}},
		Warmup: Warmup{Rate: 0.01, Until: Until{TrainErrorBelow: 80, Window: 100}},
	}, Plan{})
	var st ScheduleState
	wrong := func(step int) int { // of 128: 90 % at first, then falling, at the end bad again
		switch {
		case step < 300:
			return 115
		case step < 1000:
			return 90
		default:
			return 128
		}
	}
	endedAt := 0
	for step := range 60000 {
		rate := s.Rate(step, st)
		if endedAt == 0 && !near(rate, 0.01) {
			endedAt = step
		}
		want := 0.1
		switch {
		case endedAt == 0 || step >= 32000 && step < 48000:
			want = 0.01
		case step >= 48000:
			want = 0.001
		}
		if !near(rate, want) {
			t.Fatalf("rate after %d updates is %v, want %v (the warm-up ended at %d)", step, rate, want, endedAt)
		}
		s.AfterUpdate(&st, step+1, wrong(step))
	}
	// With k of the last 100 updates at 90 wrong and the others at 115, the mean is below 102.4 (80
	// %) from k = 51 on.
	if endedAt != 351 || st.Warmup.EndedAt != 351 {
		t.Errorf("the warm-up ended after %d updates (recorded %d), want 351", endedAt, st.Warmup.EndedAt)
	}
}

func TestOneLuckyBatchDoesNotEndTheWarmup(t *testing.T) {
	s := scheduler(t, Schedule{Rate: 0.1, Warmup: Warmup{Rate: 0.01, Until: Until{TrainErrorBelow: 80}}}, Plan{})
	var st ScheduleState
	for step := 1; step < DefaultWindow; step++ {
		s.AfterUpdate(&st, step, 0)
	}
	if st.Warmup.Ended {
		t.Fatalf("ended at %d, before the window of %d was full", st.Warmup.EndedAt, DefaultWindow)
	}
	s.AfterUpdate(&st, DefaultWindow, 0)
	if !st.Warmup.Ended {
		t.Error("did not end with a full window without errors")
	}
}

func TestTheWarmupMayEndByIterations(t *testing.T) {
	s := scheduler(t, Schedule{Rate: 0.1, Warmup: Warmup{Rate: 0.01, Iterations: 5, Until: Until{TrainErrorBelow: 80}}}, Plan{})
	var st ScheduleState
	for step := range 9 {
		want := 0.01
		if step >= 5 {
			want = 0.1
		}
		if got := s.Rate(step, st); !near(got, want) {
			t.Errorf("rate after %d updates is %v, want %v", step, got, want)
		}
		s.AfterUpdate(&st, step+1, 128)
	}
}

func TestAWarmupNeverRaisesTheRate(t *testing.T) {
	s := scheduler(t, Schedule{
		Rate: 0.1, Drop: Drop{Factor: 0.1, At: []int{10, 20}},
		Warmup: Warmup{Rate: 0.01, Until: Until{TrainErrorBelow: 80}},
	}, Plan{})
	if got := s.Rate(25, ScheduleState{}); !near(got, 0.001) {
		t.Errorf("rate after both drops, still warming up, is %v, want 0.001", got)
	}
}

func TestAPlateauDropsTheRateAfterPatience(t *testing.T) {
	s := scheduler(t, Schedule{Rate: 0.1, Plateau: Plateau{Factor: 0.1, Patience: 2, Threshold: 0.5, MinRate: 0.002}}, Plan{})
	var st ScheduleState
	for i, e := range []struct{ err, rate float64 }{
		// Improvements below the threshold do not count.
		{50, 0.1},
		{40, 0.1},
		{39.8, 0.1},
		{39.7, 0.01},
		{39, 0.01},
		{39, 0.01},
		{39, 0.002},
		{39, 0.002},
		{38, 0.002},
		{60, 0.002},
		{60, 0.002},
	} {
		s.AfterEval(&st, i+1, e.err)
		if got := s.Rate(i+1, st); !near(got, e.rate) {
			t.Errorf("after evaluation %d (%v %%) the rate is %v, want %v", i, e.err, got, e.rate)
		}
	}
}

func TestAPlateauDuringTheWarmupDoesNotCount(t *testing.T) {
	s := scheduler(t, Schedule{
		Rate: 0.1, Plateau: Plateau{Factor: 0.1, Patience: 1},
		Warmup: Warmup{Rate: 0.01, Iterations: 10},
	}, Plan{})
	var st ScheduleState
	for step := 1; step < 10; step++ {
		s.AfterEval(&st, step, 90)
	}
	if st.Plateau != (PlateauState{}) {
		t.Errorf("%+v", st.Plateau)
	}
}

func TestEveryRollbackHalvesTheRate(t *testing.T) {
	s := scheduler(t, Schedule{Rate: 0.1, Warmup: Warmup{Rate: 0.01, Iterations: 5}}, Plan{})
	if got := s.Rate(7, ScheduleState{Halvings: 2}); !near(got, 0.025) {
		t.Errorf("rate %v, want 0.025", got)
	}
	if got := s.Rate(0, ScheduleState{Halvings: 1}); !near(got, 0.005) {
		t.Errorf("rate in the warm-up %v, want 0.005", got)
	}
}

func TestAScheduleStateSurvivesJSON(t *testing.T) {
	want := ScheduleState{
		Warmup:  WarmupState{Wrong: []int32{3, 1, 2}, Next: 1},
		Plateau: PlateauState{Seen: true, Best: 100.0 / 3, Bad: 2, Drops: 1}, Halvings: 1,
	}
	b, err := json.Marshal(want)
	must(t, err)
	var got ScheduleState
	must(t, json.Unmarshal(b, &got))
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestTheRateFollowsTheSizeOfAnUpdate computes the recipe of Goyal et al. 2017 by hand: 0.1 for 256
// images, so 0.4 for 1,024 and 3.2 for 8,192, reached evenly from 0.1 in five epochs.
func TestTheRateFollowsTheSizeOfAnUpdate(t *testing.T) {
	recipe := Schedule{
		Rate: 0.1, RateFor: 256, Drop: Drop{Factor: 0.1, AtEpochs: []int{30, 60, 80}},
		Warmup: Warmup{Linear: true, Rate: 0.1, Epochs: 5},
	}
	for _, c := range []struct {
		accumulate int
		peak       float64
	}{{8, 0.1}, {32, 0.4}, {256, 3.2}, {1, 0.0125}} {
		p := Plan{TrainImages: 8192 * 10, BatchesPerEpoch: 2560, Config: Config{Batch: 32, Accumulate: c.accumulate}}
		s := scheduler(t, recipe, p)
		epoch := 2560 / c.accumulate
		for step, want := range map[int]float64{
			0: 0.1, 5 * epoch / 2: (0.1 + c.peak) / 2, 5 * epoch: c.peak, 30*epoch - 1: c.peak,
			30 * epoch: c.peak / 10, 60 * epoch: c.peak / 100, 80 * epoch: c.peak / 1000,
		} {
			if got := s.Rate(step, ScheduleState{}); math.Abs(got-want) > 1e-9 {
				t.Errorf("%d images an update: rate after %d updates is %v, want %v", 32*c.accumulate, step, got, want)
			}
		}
	}
}

// TestAWarmupAboveTheScaledRateIsRefused: 0.1 for 256 images is 0.0125 for 32, below the warm-up's.
func TestAWarmupAboveTheScaledRateIsRefused(t *testing.T) {
	c := DefaultConfig()
	c.Batch, c.Accumulate = 32, 1
	c.Schedule = Schedule{Rate: 0.1, RateFor: 256, Warmup: Warmup{Rate: 0.05, Iterations: 10}}
	found := ""
	for _, e := range c.Validate() {
		found += e.Path + ": " + e.Msg + "\n"
	}
	if want := "schedule.warmup.rate: 0.05 is not below the rate 0.0125 that train.schedule.rate_for_batch, 256, makes of it\n"; found != want {
		t.Errorf("found %q, want %q", found, want)
	}
	c.Schedule.RateFor = 0
	if e := c.Validate(); len(e) != 0 {
		t.Errorf("without rate_for_batch: %v", e)
	}
}
