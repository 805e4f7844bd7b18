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
	if times[0] < maxPause*9/10 || times[25] > 4*maxPause {
		t.Errorf("pauses of %v took %v, in the median %v", maxPause, times[0], times[25])
	}
}
