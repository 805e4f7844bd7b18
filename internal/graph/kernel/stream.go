package kernel

import (
	"sync"
	"time"
)

// streamed are the values of each of the arrays that a thread goes through in Stream: 32 MB, more
// than second-level caches hold.
const streamed = 8 << 20

// Stream measures how many bytes a second so many threads together read and write in the pattern of
// a step: two arrays read and one written, each in order, none of it in the second-level cache. The
// figure is the best of a few rounds. What a processor reads of a line before it writes it is not
// counted, as it is not in the bytes of a step.
func Stream(threads int) float64 {
	one := Vec{}
	for i := range one {
		one[i] = 1
	}
	work := make([]Affine, threads)
	var filled sync.WaitGroup
	for i := range work {
		filled.Go(func() { // where a page is first touched, there it is
			a := Affine{
				X: Alloc(streamed), R: Alloc(streamed), Y: Alloc(streamed), S: &one, T: &Vec{}, S2: &one,
				Pixels: streamed / len(one), Rows: 1, XPixel: len(one),
			}
			for j := range a.X { // pages that nothing was written to are one page
				a.X[j], a.R[j] = 1, 1
			}
			work[i] = a
		})
	}
	filled.Wait()
	best := 0.
	for range 6 { // the first touches the pages of the result
		var wg sync.WaitGroup
		start := time.Now()
		for i := range work {
			wg.Go(func() { work[i].Map2(false) })
		}
		wg.Wait()
		best = max(best, float64(threads)*3*4*streamed/time.Since(start).Seconds())
	}
	return best
}
