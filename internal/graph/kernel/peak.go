package kernel

import (
	"sync"
	"time"
)

// Peak measures what the fused multiply-add units of so many threads do together at best, in
// operations a second: independent chains in registers, no memory. The figure is the best of a few
// rounds of about 20 ms, because a disturbance only slows one down.
func Peak(threads int) float64 {
	n := 1 << 14
	for {
		start := time.Now()
		active.peak(n)
		if time.Since(start) > 20*time.Millisecond {
			break
		}
		n *= 2
	}
	best := 0.
	for range 5 {
		var wg sync.WaitGroup
		flops := make([]float64, threads)
		start := time.Now()
		for i := range threads {
			wg.Go(func() { flops[i] = active.peak(n) })
		}
		wg.Wait()
		seconds, sum := time.Since(start).Seconds(), 0.
		for _, f := range flops {
			sum += f
		}
		best = max(best, sum/seconds)
	}
	return best
}
