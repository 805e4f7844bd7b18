package schedule

import (
	"math"
	"testing"

	"resnet/internal/graph"
)

// TestStatisticsDoNotCancel takes the variance of values whose mean is thousands of their
// deviations, in units of different lengths.
func TestStatisticsDoNotCancel(t *testing.T) {
	const c, hw, mean = 17, 9, 1 << 12
	n := newNorm("n", c, hw, 0)
	n.gamma, n.beta = &graph.Param{Data: make([]float32, c)}, &graph.Param{Data: make([]float32, c)}
	n.units(3)
	w := &worker{}
	var values []float64
	image := make([]float32, blocks(c)*hw*block)
	for u, images := range []int{3, 1, 2} {
		n.begin(u, images*hw)
		for i := range images {
			for p := range hw {
				v := mean + float32((p*7+i*5+u*3)%11)/8
				values = append(values, float64(v))
				for ch := range c {
					image[((ch/block)*hw+p)*block+ch%block] = v
				}
			}
			for cb := range blocks(c) {
				n.observePart(w, u, cb, image[cb*hw*block:(cb+1)*hw*block], i == 0)
			}
		}
	}
	n.merge(0, n.c, 3, 0)
	var sum, want float64
	for _, v := range values {
		sum += v
	}
	for _, v := range values {
		want += math.Pow(v-sum/float64(len(values)), 2) / float64(len(values))
	}
	for ch := range c {
		if got := n.batchVar[ch]; math.Abs(got-want) > 1e-5*want {
			t.Errorf("variance of channel %d is %g, want %g", ch, got, want)
		}
		if got := n.batchMean[ch]; math.Abs(got-sum/float64(len(values))) > 1e-6 {
			t.Errorf("mean of channel %d is %g, want %g", ch, got, sum/float64(len(values)))
		}
	}
}

// TestEveryChannelIsMergedOnce, however many threads share them.
func TestEveryChannelIsMergedOnce(t *testing.T) {
	for _, f := range []struct{ channels, units, threads, parts int }{
		{16, 16, 64, 1}, {64, 64, 1, 1}, {64, 64, 2, 2}, {64, 64, 64, 4}, {70, 64, 3, 3}, {2048, 16, 64, 32}, {3, 4096, 64, 3},
	} {
		c := &compiler{m: &Machine{plan: plan0(f.threads)}}
		st, merged := &step{}, make([]int, f.channels)
		c.eachChannels(st, newNorm("", f.channels, 1, 0), f.units, func(from, to int) {
			for i := from; i < to; i++ {
				merged[i]++
			}
		})
		for _, part := range st.finish {
			part()
		}
		for i, n := range merged {
			if n != 1 {
				t.Errorf("%+v: channel %d is merged %d times", f, i, n)
			}
		}
		if len(st.finish) != f.parts {
			t.Errorf("%+v: %d parts", f, len(st.finish))
		}
	}
}
