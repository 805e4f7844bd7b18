package speech

import "resnet/internal/datasets/fault"

// Deltas appends the regressions of order 1 to order over time to every frame: [T, D] → [T,
// (1+order)·D], as Kaldi's add-deltas. The first order is Σ j·x[t+j] / Σ j² for −window ≤ j ≤
// window; the next ones are the same of the one before, as one filter on x, so that only x is
// continued beyond the ends by its first and last frame. Kaldi's defaults are order 2 and window 2.
func (f Features) Deltas(order, window int) (Features, error) {
	if order < 0 || order > 16 || window < 1 || window > 1000 {
		return Features{}, fault.Errorf(fault.ErrConfig, "deltas of order %d over %d frames to each side: the order is 0 to 16, the window 1 to 1000", order, window)
	}
	out := NewFeatures(f.Frames, f.Dim*(1+order))
	for o, filter := range deltaFilters(order, window) {
		for t := range f.Frames {
			dst := out.Row(t)[o*f.Dim : (o+1)*f.Dim]
			for j, w := range filter {
				if w == 0 {
					continue
				}
				at := min(max(t+j-len(filter)/2, 0), f.Frames-1)
				for i, v := range f.Row(at) {
					dst[i] += float32(w * v)
				}
			}
		}
	}
	return out, nil
}

// deltaFilters are the filters of order 0 (1 alone) to order, each 1+2·window·o long.
func deltaFilters(order, window int) [][]float32 {
	filters := [][]float32{{1}}
	for range order {
		last := filters[len(filters)-1]
		next := make([]float32, len(last)+2*window)
		var squares float32
		for j := -window; j <= window; j++ {
			squares += float32(j * j)
			for k, w := range last {
				next[k+j+window] += float32(float32(j) * w)
			}
		}
		for k := range next {
			next[k] *= 1 / squares
		}
		filters = append(filters, next)
	}
	return filters
}
