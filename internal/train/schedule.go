package train

import "math"

// Scheduler gives the rate of each update as a pure function of the step and a ScheduleState.
type Scheduler struct {
	s      Schedule
	drops  []int // steps
	warm   int   // updates of a linear warm-up
	total  int   // updates in all, for the cosine
	images int   // per update, for the warm-up
}

// ScheduleState is what the schedule remembers between updates; it is saved with every checkpoint.
type ScheduleState struct {
	Warmup  WarmupState  `json:"warmup"`
	Plateau PlateauState `json:"plateau"`
	// Halvings counts the rollbacks after a loss that was not finite: each halves the rate from
	// there on.
	Halvings int `json:"halvings"`
}

// NewScheduler resolves the schedule of a plan; milestones in epochs become steps.
func NewScheduler(p Plan) *Scheduler {
	s := &Scheduler{s: p.Config.schedule(), drops: p.Config.Schedule.Drop.At, total: p.Iterations, images: p.ImagesPerStep()}
	if len(s.drops) == 0 {
		for _, e := range s.s.Drop.AtEpochs {
			s.drops = append(s.drops, p.StepsIn(e))
		}
	}
	if w := s.s.Warmup; w.Linear {
		if s.warm = w.Iterations; w.Epochs > 0 {
			s.warm = p.StepsIn(w.Epochs)
		}
	}
	return s
}

// Rate is the learning rate of the update that follows step updates.
func (s *Scheduler) Rate(step int, st ScheduleState) float64 {
	r := s.base(step, st)
	if step < s.warm {
		// PyTorch's LinearLR: evenly from the warm-up's rate to the schedule's.
		r = s.s.Warmup.Rate + (s.s.Rate-s.s.Warmup.Rate)*float64(step)/float64(s.warm)
	} else if s.warming(step, st.Warmup) {
		r = min(r, s.s.Warmup.Rate)
	}
	return math.Ldexp(r, -st.Halvings)
}

// base is the rate without warm-up and halvings.
func (s *Scheduler) base(step int, st ScheduleState) float64 {
	r := s.s.Rate
	switch {
	case s.s.Cosine.Enabled:
		t := math.Min(1, float64(max(step-s.warm, 0))/float64(max(s.total-s.warm, 1)))
		r = s.s.Cosine.Min + (r-s.s.Cosine.Min)*(1+math.Cos(math.Pi*t))/2
	case s.s.Plateau.Factor != 0:
		for range st.Plateau.Drops {
			r *= s.s.Plateau.Factor
		}
		r = max(r, min(s.s.Plateau.MinRate, s.s.Rate))
	default:
		for _, at := range s.drops {
			if step >= at {
				r *= s.s.Drop.Factor
			}
		}
	}
	return r
}

// AfterUpdate records that the update that led to step got `wrong` of its images wrong.
func (s *Scheduler) AfterUpdate(st *ScheduleState, step, wrong int) {
	s.observeWarmup(&st.Warmup, step, wrong)
}

// AfterEval records the error (percent) of an evaluation at step: of the validation split or,
// without one, of the training images since the last evaluation.
func (s *Scheduler) AfterEval(st *ScheduleState, step int, percent float64) {
	if s.s.Plateau.Factor != 0 && step >= s.warm && !s.warming(step, st.Warmup) {
		s.observePlateau(&st.Plateau, percent)
	}
}
