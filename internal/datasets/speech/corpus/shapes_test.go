package corpus

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func testLengths(n int) []int {
	r := rand.New(rand.NewPCG(1, 2))
	lengths := make([]int, n)
	for i := range lengths {
		lengths[i] = 20 + int(r.ExpFloat64()*60)
	}
	return lengths
}

func shuffler(seed, epoch uint64) func(int, []int32) {
	return func(part int, p []int32) {
		for i, k := range rand.New(rand.NewPCG(seed, epoch<<8+uint64(part))).Perm(len(p)) {
			p[i] = int32(k)
		}
	}
}

func TestShapesAreQuantilesOfTheLengths(t *testing.T) {
	lengths := make([]int, 100)
	for i := range lengths {
		lengths[i] = 100 - i
	}
	if got := Shapes(lengths, 4, Limits{Utterances: 8}); !slices.Equal(got, []Shape{{8, 25}, {8, 50}, {8, 75}, {8, 100}}) {
		t.Errorf("%v", got)
	}
	if got := Shapes(lengths, 2, Limits{Utterances: 8, Frames: 250}); !slices.Equal(got, []Shape{{5, 50}, {2, 100}}) {
		t.Errorf("by frames: %v", got)
	}
	if got := Shapes([]int{7, 7, 7, 9}, 4, Limits{Utterances: 3, Frames: 5}); !slices.Equal(got, []Shape{{1, 7}, {1, 9}}) {
		t.Errorf("equal quantiles, a limit below one utterance: %v", got)
	}
	if Shapes(nil, 3, Limits{Utterances: 1}) != nil {
		t.Error("shapes of nothing")
	}
}

func TestAnEpochHoldsEveryUtteranceThatFits(t *testing.T) {
	for _, n := range []int{1, 5, 16, 17, 203} {
		for _, frames := range []int{0, 700} {
			lengths := testLengths(n)
			p := newPlanner(lengths, Shapes(lengths, 3, Limits{Utterances: 8, Frames: frames}))
			p.trainable()
			for epoch := range uint64(3) {
				batches := p.epoch(shuffler(9, epoch))
				if len(batches) != p.perEpoch() || len(batches) == 0 {
					t.Fatalf("%d utterances: %d batches in epoch %d, planned %d", n, len(batches), epoch, p.perEpoch())
				}
				seen := map[int32]bool{}
				for _, b := range batches {
					if len(b.items) != b.shape.N {
						t.Errorf("a batch of %d for %v", len(b.items), b.shape)
					}
					for _, u := range b.items {
						if seen[u] || lengths[u] > b.shape.Frames {
							t.Errorf("utterance %d of %d frames: again, or in %v", u, lengths[u], b.shape)
						}
						seen[u] = true
					}
				}
				if left := n - len(seen); left >= p.shapes[len(p.shapes)-1].N {
					t.Errorf("%d of %d utterances are left out", left, n)
				}
			}
		}
	}
}

func TestTheOrderIsAFunctionOfSeedAndEpoch(t *testing.T) {
	lengths := testLengths(90)
	p := newPlanner(lengths, Shapes(lengths, 3, Limits{Utterances: 4}))
	flat := func(seed, epoch uint64) (list []int32) {
		for _, b := range p.epoch(shuffler(seed, epoch)) {
			list = append(list, b.items...)
		}
		return list
	}
	if !slices.Equal(flat(1, 2), flat(1, 2)) {
		t.Error("the same epoch differs")
	}
	if slices.Equal(flat(1, 2), flat(1, 3)) || slices.Equal(flat(1, 2), flat(2, 2)) {
		t.Error("another epoch or seed is the same")
	}
}

func TestOnceIsEveryUtteranceOnce(t *testing.T) {
	lengths := testLengths(53)
	p := newPlanner(lengths, Shapes(lengths, 4, Limits{Utterances: 8}))
	var seen []int32
	for _, b := range p.once() {
		if len(b.items) > b.shape.N {
			t.Errorf("%d in %v", len(b.items), b.shape)
		}
		seen = append(seen, b.items...)
	}
	slices.Sort(seen)
	for i, u := range seen {
		if int(u) != i {
			t.Fatalf("%v", seen)
		}
	}
	if len(seen) != 53 {
		t.Errorf("%d of 53", len(seen))
	}
}

// TestWhatIsLeftOverIsABatchWhereEveryUtteranceCounts: of 9 utterances in batches of 4 one is left.
func TestWhatIsLeftOverIsABatchWhereEveryUtteranceCounts(t *testing.T) {
	for left := range 4 {
		lengths := slices.Repeat([]int{20}, 8+left)
		p := newPlanner(lengths, Shapes(lengths, 1, Limits{Utterances: 4}))
		p.every = true
		var seen []int32
		for _, b := range p.epoch(shuffler(1, 0)) {
			seen = append(seen, b.items...)
		}
		slices.Sort(seen)
		if len(slices.Compact(seen)) != 8+left {
			t.Errorf("%d of %d utterances", len(seen), 8+left)
		}
	}
}

// TestEveryPermutationHasAStreamOfItsOwn: with one stream for two parts the order of the batches
// would follow that of the utterances.
func TestEveryPermutationHasAStreamOfItsOwn(t *testing.T) {
	lengths := testLengths(90)
	p := newPlanner(lengths, Shapes(lengths, 3, Limits{Utterances: 4}))
	var parts []int
	p.epoch(func(part int, list []int32) {
		parts = append(parts, part)
		for i := range list {
			list[i] = int32(i)
		}
	})
	slices.Sort(parts)
	if !slices.Equal(parts, []int{0, 1, 2, 3}) {
		t.Errorf("parts %v of a plan of 3 shapes", parts)
	}
}

func TestABatchHoldsAsManyAsItsLimitsAllow(t *testing.T) {
	for _, c := range []struct {
		l            Limits
		frames, want int
	}{{Limits{8, 0}, 1000, 8}, {Limits{8, 250}, 50, 5}, {Limits{8, 250}, 51, 4}, {Limits{8, 250}, 10, 8}, {Limits{8, 250}, 300, 1}, {Limits{8, 250}, 1, 8}, {Limits{0, 0}, 5, 1}, {Limits{8, 1}, 0, 1}, {Limits{8, 3}, 1, 3}} {
		if got := c.l.fit(c.frames); got != c.want {
			t.Errorf("%+v: %d utterances of %d frames, want %d", c.l, got, c.frames, c.want)
		}
	}
}

func TestTheLimitsOfTheSection(t *testing.T) {
	for path, edit := range map[string]func(*Config){
		"":                   func(c *Config) { c.Frontend.Deltas, c.Buckets, c.BatchFrames, c.MaxFrames = 8, 64, 0, 0 },
		"frontend.deltas":    func(c *Config) { c.Frontend.Deltas = 9 },
		"frontend.normalize": func(c *Config) { c.Frontend.Normalize = "all" },
		"frontend.dither":    func(c *Config) { c.Frontend.Dither = math.Inf(1) },
		"frontend.bins":      func(c *Config) { c.Frontend.Bins = math.MaxInt },
		"frontend.rate":      func(c *Config) { c.Frontend.Rate, c.Frontend.LengthMS, c.Frontend.ShiftMS = math.MaxInt, 1e-12, 1e-12 },
		"frontend.length_ms": func(c *Config) { c.Frontend.LengthMS = math.NaN() },
		"frontend.low":       func(c *Config) { c.Frontend.High = math.NaN() },
		"buckets":            func(c *Config) { c.Buckets = 65 },
		"batch_frames":       func(c *Config) { c.BatchFrames = -1 },
		"max_frames":         func(c *Config) { c.MaxFrames = -1 },
		"labels":             func(c *Config) { c.Labels, c.Alignments = "x", "y" },
	} {
		c := DefaultConfig()
		edit(&c)
		errs := c.Validate()
		if path == "" && len(errs) > 0 || path != "" && (len(errs) != 1 || errs[0].Field() != "speech."+path) {
			t.Errorf("%s: %v", path, errs)
		}
	}
	c := DefaultConfig()
	c.Frontend.Deltas, c.Buckets = -1, 0
	if errs := c.Validate(); len(errs) != 2 {
		t.Errorf("%v, want both", errs)
	}
}

// TestTheLongestShapeIsFilled: with fewer utterances than its batch has places, what is carried to
// it included, it has fewer places, and the others keep theirs.
func TestTheLongestShapeIsFilled(t *testing.T) {
	lengths := slices.Concat(slices.Repeat([]int{20}, 9), slices.Repeat([]int{50}, 2))
	for _, c := range []struct {
		lengths []int
		places  []int // of the shapes up to 20 and up to 50 frames, of 4 and 8 before
		batches int
	}{{lengths, []int{4, 3}, 3}, {lengths[:9], []int{4, 1}, 3}, {lengths[:8], []int{4, 8}, 2}, {slices.Repeat([]int{50}, 20), []int{4, 8}, 2}} {
		p := newPlanner(c.lengths, []Shape{{4, 20}, {8, 50}})
		p.trainable()
		if got := []int{p.shapes[0].N, p.shapes[1].N}; !slices.Equal(got, c.places) || p.perEpoch() != c.batches {
			t.Errorf("%d utterances: places %v and %d batches, want %v and %d", len(c.lengths), got, p.perEpoch(), c.places, c.batches)
		}
	}
}
