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
	if !st.Seen || percent < st.Best-s.s.Plateau.Threshold {
		st.Seen, st.Best, st.Bad = true, percent, 0
		return
	}
	st.Bad++
	if st.Bad >= s.s.Plateau.Patience {
		st.Bad = 0
		st.Drops++
	}
}
