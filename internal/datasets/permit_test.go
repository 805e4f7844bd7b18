package datasets

import (
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
	data := append([]byte(nil), flatHeader(1000, 1000)...)
	if _, err := decode(&p, data); err == nil {
		t.Error("a picture without pixels decodes")
	}
	if pictures.free != before {
		t.Errorf("%d of %d are free", pictures.free, before)
	}
}
