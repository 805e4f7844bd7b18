package train

// WarmupState remembers the training errors of the last iterations until the warm-up has ended.
// Ended never goes back to false: the rate returns to the schedule's and stays there, whatever the
// error does later.
type WarmupState struct {
	Ended   bool `json:"ended"`
	EndedAt int  `json:"ended_at,omitempty"` // step
	// Images wrong in each of the last Window updates, a ring.
	Wrong []int32 `json:"wrong,omitempty"`
	Next  int     `json:"next,omitempty"` // where the ring is written next
}

// warming reports whether the update after step still has the warm-up's rate.
func (s *Scheduler) warming(step int, st WarmupState) bool {
	w := s.s.Warmup
	if w.Rate == 0 || w.Linear || st.Ended {
		return false
	}
	return w.Iterations == 0 || step < w.Iterations
}

// observeWarmup ends the warm-up when the training error averaged over a full window is below the
// limit. A window that is not full yet decides nothing: one lucky batch would.
func (s *Scheduler) observeWarmup(st *WarmupState, step, wrong int) {
	if st.Ended || s.s.Warmup.Rate == 0 || s.s.Warmup.Linear {
		return
	}
	if !s.warming(step, *st) {
		*st = WarmupState{Ended: true, EndedAt: step}
		return
	}
	limit := s.s.Warmup.Until.TrainErrorBelow
	if limit == 0 {
		return
	}
	window := s.s.Warmup.Until.Window
	if window == 0 {
		window = DefaultWindow
	}
	if len(st.Wrong) < window {
		st.Wrong = append(st.Wrong, int32(wrong))
	} else {
		st.Wrong[st.Next] = int32(wrong)
		st.Next = (st.Next + 1) % window
	}
	if len(st.Wrong) < window {
		return
	}
	sum := 0
	for _, w := range st.Wrong {
		sum += int(w)
	}
	if 100*float64(sum) < limit*float64(window)*float64(s.images) {
		*st = WarmupState{Ended: true, EndedAt: step}
	}
}
