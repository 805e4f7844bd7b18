package datasets

import (
	"bytes"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// TestPicturesTogetherStayWithinTheBudget: many goroutines take what pictures need, and the sum of
// what they hold is never more than there is.
func TestPicturesTogetherStayWithinTheBudget(t *testing.T) {
	const most = 100
	b := budget{free: most, most: most}
	var held, peak atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		r := rand.New(rand.NewPCG(uint64(i), 1))
		wg.Go(func() {
			for range 200 {
				n := 1 + r.Int64N(most)
				b.take(n)
				now := held.Add(n)
				for {
					p := peak.Load()
					if now <= p || peak.CompareAndSwap(p, now) {
						break
					}
				}
				held.Add(-n)
				b.give(n)
			}
		})
	}
	wg.Wait()
	if p := peak.Load(); p > most || p <= most/2 {
		t.Errorf("up to %d of %d were held", p, most)
	}
	if b.free != most {
		t.Errorf("%d of %d came back", b.free, most)
	}
}

// TestAPermitIsGivenBackOnce: with a picture that does not decode, too.
func TestAPermitIsGivenBackOnce(t *testing.T) {
	before := pictures.free
	var p permit
	p.take(smallDecode + 1)
	if pictures.free != before-smallDecode-1 {
		t.Errorf("%d of %d are free", pictures.free, before)
	}
	p.take(smallDecode) // the next picture, which need not ask
	p.release()
	p.release()
	if _, err := decode(new(scratch), flatHeader(1000, 1000), false); err == nil {
		t.Error("a picture without pixels decodes")
	}
	if pictures.free != before {
		t.Errorf("%d of %d are free", pictures.free, before)
	}
}

// TestALargePhotographLeavesNothingInAScratch: one of usual size leaves its buffers to the next.
func TestALargePhotographLeavesNothingInAScratch(t *testing.T) {
	before := pictures.free
	var sc scratch
	for _, side := range []int{64, 1000, 2000, 64} {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, side, side)), nil); err != nil {
			t.Fatal(err)
		}
		if _, err := decode(&sc, b.Bytes(), false); err != nil {
			t.Fatal(err)
		}
		if taken := before - pictures.free; (taken >= int64(4*side*side)) != (side >= 1000) {
			t.Errorf("%d×%d: %d bytes are taken", side, side, taken)
		}
		sc.release()
		if large := sc.jpeg == nil; large != (side == 2000) || pictures.free != before {
			t.Errorf("%d×%d: buffers are let go of: %v; %d of %d bytes are free", side, side, large, pictures.free, before)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 1000, 1000)), nil); err != nil {
		t.Fatal(err)
	}
	p, err := DecodePicture(&b, "x")
	if err != nil || pictures.free == before {
		t.Errorf("a large picture takes nothing: %v", err)
	}
	if p.Release(); pictures.free != before {
		t.Errorf("a picture that is released has %d bytes", before-pictures.free)
	}
}
