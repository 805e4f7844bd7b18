package train

// PlateauState remembers the best error so far and how many evaluations have passed without a
// better one.
type PlateauState struct {
	Seen  bool    `json:"seen"`
	Best  float64 `json:"best"` // percent
	Bad   int     `json:"bad"`
	Drops int     `json:"drops"`
}

// observePlateau drops the rate after Patience evaluations in a row that are not better than the
// best by Threshold. The best is kept over a drop, so that the next drop asks for improvement on
// it.
func (s *Scheduler) observePlateau(st *PlateauState, percent float64) {
	if st.waited(percent, s.s.Plateau.Patience, s.s.Plateau.Threshold) {
		st.Drops++
	}
}

// waited takes an error in and reports whether patience evaluations in a row have not been better
// than the best by threshold; it counts anew then.
func (st *PlateauState) waited(percent float64, patience int, threshold float64) bool {
	if !st.Seen || percent < st.Best-threshold {
		st.Seen, st.Best, st.Bad = true, percent, 0
		return false
	}
	st.Bad++
	if st.Bad < patience {
		return false
	}
	st.Bad = 0
	return true
}
