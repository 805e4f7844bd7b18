package schedule

import (
	"testing"
	"time"
)

func TestMedianIsInTheMiddle(t *testing.T) {
	for _, c := range []struct {
		ts   []time.Duration
		want time.Duration
	}{{[]time.Duration{7}, 7}, {[]time.Duration{9, 1, 2}, 2}, {[]time.Duration{40, 1, 8, 4}, 6}} {
		if got := median(c.ts); got != c.want {
			t.Errorf("median of %d is %d, want %d", c.ts, got, c.want)
		}
	}
}
