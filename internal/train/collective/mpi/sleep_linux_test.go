//go:build mpi && linux

package mpi

import (
	"slices"
	"testing"
	"time"
)

// A pause is as long as it says, and not the millisecond of a runtime that has nothing to do.
func TestMPIAPauseIsShort(t *testing.T) {
	var times []time.Duration
	for range 51 {
		start := time.Now()
		sleep(maxPause)
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	// A signal ends some before.
	if median := times[25]; median < maxPause*9/10 || median > 4*maxPause {
		t.Errorf("pauses of %v took %v in the median", maxPause, median)
	}
}
