package report

import (
	"cmp"
	"fmt"
	"slices"
)

// findings says in a sentence each what became of the runs, what the figures make of the paper's
// claims, and how networks lie of which the paper claims nothing.
func findings(outcomes []Outcome, sets []set, claims []Claim) []string {
	var list []string
	for _, o := range outcomes {
		if o.Diverged > 0 {
			list = append(list, fmt.Sprintf("%s: the loss of %s did not stay finite.", o.Label(), runsText(o.Diverged)))
		}
		if o.Unfinished > 0 {
			verb := "are"
			if o.Unfinished == 1 {
				verb = "is"
			}
			list = append(list, fmt.Sprintf("%s: %s %s not finished and left out of what follows.", o.Label(), runsText(o.Unfinished), verb))
		}
	}
	for _, c := range claims {
		list = append(list, c.Sentence())
	}
	return slices.Concat(list, unclaimed(sets), variants(outcomes))
}

// variants says of each network that has several configurations which tests best, and which of the
// others do not differ from it.
func variants(outcomes []Outcome) []string {
	byNetwork := map[string][]Outcome{}
	var networks, list []string
	for _, o := range outcomes {
		if o.Runs == 0 {
			continue
		}
		if byNetwork[o.told()] == nil {
			networks = append(networks, o.told())
		}
		byNetwork[o.told()] = append(byNetwork[o.told()], o)
	}
	for _, n := range networks {
		all := byNetwork[n]
		if len(all) < 2 {
			continue
		}
		slices.SortStableFunc(all, func(a, b Outcome) int { return cmp.Compare(a.Test, b.Test) })
		best := all[0]
		s := fmt.Sprintf("Of %s, %s has the lowest test error, %v%%.", n, settingsText(best.telling), best.TestSample())
		for _, o := range all[1:] {
			p := newPair(o, best, partTest, above)
			how := fmt.Sprintf("is %.2f points above it (noise %.2f)", p.Points, p.Noise)
			switch {
			case p.Noise < 0:
				how = fmt.Sprintf("is %.2f points above it; the noise is not known, because the number of images is not", p.Points)
			case !p.beyondNoise():
				how = fmt.Sprintf("does not differ from it (%s)", p.distance())
			}
			s += fmt.Sprintf(" %s %s.", settingsText(o.telling), how)
		}
		list = append(list, s)
	}
	return list
}

// unclaimed are the pairs that a comparison makes and of which the paper says nothing: a plain and
// a residual network that are not deep, at the largest such depth, and residual networks beyond
// the depths of its claims.
func unclaimed(sets []set) []string {
	const nothing = " The paper makes no claim about this pair."
	var list []string
	for _, s := range sets {
		if shortcuts(s.plain, s.residual) == nil {
			for _, p := range slices.Backward(s.plain) {
				if i := indexDepth(s.residual, p.Depth); i >= 0 {
					list = append(list, fmt.Sprintf("At %d layers, test: %s", p.Depth, newPair(p, s.residual[i], partTest, above).sentence()+nothing))
					break
				}
			}
		}
		for i := max(1, len(s.upTo)); i < len(s.residual); i++ {
			a, b := s.residual[i], s.residual[i-1]
			if a.Depth != overfitDepth || b.Depth != gainLimit {
				list = append(list, "Training: "+newPair(a, b, partTrain, below).sentence()+" Test: "+newPair(a, b, partTest, below).sentence()+nothing)
			}
		}
	}
	return list
}

// noiseNote says what the noise of a finding is.
func noiseNote(outcomes []Outcome) string {
	note := "Errors differ when they are further apart than the noise: two standard errors of the difference, given the number of images or, " +
		"where networks have several runs, the spread over them, whichever is more."
	if slices.ContainsFunc(outcomes, func(o Outcome) bool { return o.Runs == 1 }) {
		note += " Of a network with one run it is not known how far another seed would take it."
	}
	return note
}

// finished are the networks of a kind that have finished runs, shallow first.
func finished(outcomes []Outcome, kind string) []Outcome {
	var list []Outcome
	for _, o := range outcomes {
		if o.Kind == kind && o.Runs > 0 {
			list = append(list, o)
		}
	}
	slices.SortStableFunc(list, func(a, b Outcome) int { return a.Depth - b.Depth })
	return list
}

func runsText(n int) string {
	if n == 1 {
		return "one run"
	}
	return fmt.Sprintf("%d runs", n)
}
