package train

import (
	"math"
	"testing"
	"time"
)

func TestAMeterSaysHowFastAndHowLong(t *testing.T) {
	clock := time.Unix(1000, 0)
	m := newMeter(func() time.Time { return clock })
	if m.eta(10) != 0 || m.rate(64) != 0 || m.mean(64) != 0 {
		t.Errorf("before the first update: %v, %v and %v images/s", m.eta(10), m.rate(64), m.mean(64))
	}
	clock = clock.Add(3 * time.Second)
	m.update(2 * time.Second) // the other second went into an evaluation
	if got := m.eta(10); got != 30*time.Second {
		t.Errorf("10 updates left at 2 s and a share of 3/2: %v", got)
	}
	// A plain mean over 20 updates, then each counts a twentieth: computed by its definition.
	times := []float64{2}
	for i := range 40 {
		d := 1 + 0.1*float64(i%7)
		times = append(times, d)
		m.update(time.Duration(d * float64(time.Second)))
	}
	smooth, sum := 0., 0.
	for i, d := range times {
		sum += d
		if i < 20 {
			smooth = sum / float64(i+1)
		} else {
			smooth = 0.95*smooth + 0.05*d
		}
	}
	if got := m.rate(64); !(math.Abs(got-64/smooth) <= 1e-9*got) {
		t.Errorf("%v images/s, want %v", got, 64/smooth)
	}
	if got, want := m.mean(64), 64*float64(len(times))/sum; !(math.Abs(got-want) <= 1e-9*want) {
		t.Errorf("%v images/s in the mean, want %v", got, want)
	}
	if got := m.elapsed(); got != 3*time.Second {
		t.Errorf("elapsed %v", got)
	}
	// A clock that stood still must not make the end nearer than the updates themselves.
	if got, want := m.eta(10).Seconds(), 10*smooth; !(math.Abs(got-want) <= 1e-6*want) {
		t.Errorf("%v s left, want %v", got, want)
	}
}
