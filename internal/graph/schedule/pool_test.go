package schedule

import (
	"sync/atomic"
	"testing"
	"time"
)

// TestPoolRunsEveryUnitOnce with workers that spin, that sleep, and that have just been closed.
func TestPoolRunsEveryUnitOnce(t *testing.T) {
	for _, threads := range []int{1, 2, 5, 8, 20} {
		p := newPool(threads, nil)
		run := func(units int) {
			t.Helper()
			count := make([]atomic.Int32, units)
			p.run(units, func(worker, unit int) {
				if worker < 0 || worker >= threads {
					t.Errorf("worker %d of %d", worker, threads)
				}
				if units > 1 && unit < threads && unit != worker && !p.closed {
					t.Errorf("%d threads: worker %d begins with unit %d of %d", threads, worker, unit, units)
				}
				count[unit].Add(1)
			})
			for u := range count {
				if n := count[u].Load(); n != 1 {
					t.Errorf("%d threads: unit %d of %d ran %d times", threads, u, units, n)
				}
			}
		}
		for i := range 200 {
			run(i % 29)
		}
		for range 5 {
			if threads > 1 {
				waitAsleep(t, p)
			}
			run(11)
		}
		if threads > 1 {
			waitAsleep(t, p)
		}
		p.close()
		p.close()
		run(3)
	}
}

// waitAsleep waits until all workers but the caller sleep.
func waitAsleep(t *testing.T, p *pool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		asleep := 0
		for i := range p.asleep {
			if p.asleep[i].Load() {
				asleep++
			}
		}
		if asleep == p.threads-1 {
			return
		}
	}
	t.Fatal("the workers do not go to sleep")
}
