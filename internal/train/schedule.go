package train

import "math"

// Scheduler gives the rate of each update as a pure function of the step and a ScheduleState.
type Scheduler struct {
	s      Schedule
	drops  []int // steps
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
	s := &Scheduler{s: p.Config.Schedule, drops: p.Config.Schedule.Drop.At, total: p.Iterations, images: p.ImagesPerStep()}
	if len(s.drops) == 0 {
		for _, e := range s.s.Drop.AtEpochs {
			s.drops = append(s.drops, p.StepsIn(e))
		}
	}
	return s
}

// Rate is the learning rate of the update that follows step updates.
func (s *Scheduler) Rate(step int, st ScheduleState) float64 {
	r := s.base(step, st)
	if s.warming(step, st.Warmup) {
		r = min(r, s.s.Warmup.Rate)
	}
	return math.Ldexp(r, -st.Halvings)
}

// base is the rate without warm-up and halvings.
func (s *Scheduler) base(step int, st ScheduleState) float64 {
	r := s.s.Rate
	switch {
	case s.s.Cosine.Enabled:
		t := math.Min(1, float64(step)/float64(s.total))
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
	if s.s.Plateau.Factor != 0 && !s.warming(step, st.Warmup) {
		s.observePlateau(&st.Plateau, percent)
	}
}
