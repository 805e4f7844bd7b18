package schedule

import (
	"testing"

	"resnet/internal/graph/kernel/conv"
)

func TestSizesFollowFromImagesAndThreads(t *testing.T) {
	for _, c := range []struct {
		images, threads int
		want            sizes // unit, whole, sum
	}{
		{128, 1, sizes{8, 8, 2}},
		{128, 16, sizes{8, 8, 2}},
		{128, 17, sizes{4, 8, 2}},
		{128, 33, sizes{2, 8, 2}},
		{128, 1000, sizes{2, 8, 2}},
		{256, 16, sizes{8, 8, 4}},
		{256, 64, sizes{4, 8, 4}},
		{1024, 64, sizes{8, 8, 8}},
		{100, 16, sizes{6, 6, 1}}, // 17 units
		{100, 64, sizes{1, 6, 1}},
		{100, 20, sizes{3, 6, 1}},
		{16, 64, sizes{1, 1, 1}},
		{3, 64, sizes{1, 1, 1}},
	} {
		if got := sizesOf(c.images, c.threads); got != c.want {
			t.Errorf("%d images, %d threads: %+v, want %+v", c.images, c.threads, got, c.want)
		}
	}
}

// TestAccumulatorsFollowFromTheBatchAlone: 64 or 32 small ones, 16 of whole units, four of large
// weights.
func TestAccumulatorsFollowFromTheBatchAlone(t *testing.T) {
	for _, c := range []struct{ images, accumulator, parts, first int }{
		{128, 9216, 64, 2}, {128, 18432, 32, 4}, {128, 36864, 16, 8}, {128, 147456, 4, 32}, {16, 9216, 16, 1}, {24, 9216, 24, 1}, {1024, 100, 128, 8},
	} {
		s := sizesOf(c.images, 1)
		parts, at := partsFor(c.images, s, c.accumulator), 0
		for _, p := range parts {
			if p.first != at || p.first%s.sum != 0 {
				t.Errorf("%+v: %+v", c, parts)
			}
			at += p.n
		}
		if len(parts) != c.parts || parts[0].n != c.first || at != c.images {
			t.Errorf("%+v: %d parts, %+v", c, len(parts), parts)
		}
	}
}

// TestSharesCoverEveryWeightOnce.
func TestSharesCoverEveryWeightOnce(t *testing.T) {
	for _, s := range []conv.Shape{
		{C: 64, K: 64, H: 8, W: 8, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1},
		{C: 40, K: 100, H: 9, W: 8, R: 3, S: 3, Stride: 2, PadH: 1, PadW: 1},
		{C: 3, K: 16, H: 8, W: 8, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1},
	} {
		plan := conv.NewPlan(s, conv.Choose(s), false)
		for _, threads := range []int{4, 5, 16, 64, 1000} {
			c := &compiler{m: &Machine{plan: plan0(threads)}}
			shares := c.shares(plan, 4)
			if threads == 4 {
				if shares != nil {
					t.Errorf("%v: four parts are divided for four threads", s)
				}
				continue
			}
			owner := map[[3]int]int{}
			for _, sh := range shares {
				for i := sh.in.From; i < sh.in.To; i++ {
					for o := sh.out.From; o < sh.out.To; o++ {
						owner[[3]int{sh.part, i, o}]++
					}
				}
			}
			if len(owner) != 4*plan.X.CB*plan.DY.CB {
				t.Errorf("%v, %d threads: %d pairs of blocks are covered", s, threads, len(owner))
			}
			for pair, n := range owner {
				if n != 1 {
					t.Errorf("%v: %v has %d owners", s, pair, n)
				}
			}
			if s.C == 64 && threads == 64 && len(shares) != 4*4*4 {
				t.Errorf("%d shares", len(shares))
			}
		}
	}
}

func plan0(threads int) plan { return plan{threads: threads} }
