package kernel

import (
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// Each thread goes once through its arrays in a round, reads two and writes one, and all bytes
// count.
func TestStreamAddsTheBytesOfTheThreads(t *testing.T) {
	best := active
	defer func() { active = best }()
	const pause = 60 * time.Millisecond
	active = &implementation{affine2: func(a *Affine) {
		if a.Rows*a.Pixels*16 != len(a.X) || len(a.R) != len(a.X) || len(a.Y) != len(a.X) {
			t.Errorf("%d pixels of arrays of %d, %d and %d", a.Pixels, len(a.X), len(a.R), len(a.Y))
		}
		time.Sleep(pause)
	}}
	synctest.Test(t, func(t *testing.T) { // its clock goes on where all sleep
		want := 2 * 3 * 4 * streamed / pause.Seconds()
		if got := Stream(2); math.Abs(got-want) > 1e-9*want {
			t.Errorf("%g bytes a second, want %g", got, want)
		}
	})
}
