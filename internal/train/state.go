package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"resnet/internal/graph"
)

// stateFormat is the version of State's JSON; a change of meaning raises it.
const stateFormat = 1

// State is what the loop remembers at an update boundary besides parameters and momentum. It holds
// numbers that depend on seed, configuration and data alone, never times. Random numbers need no
// state: every generator is keyed by (seed, epoch, sample) or (seed, batch).
type State struct {
	Format int `json:"format"`
	Step   int `json:"step"` // updates done, skipped ones included
	// Batches taken from the loader: the cursor of epoch and sample.
	Batches  int     `json:"batches"`
	Finished bool    `json:"finished"` // the ending (statistics, last evaluation) is done
	Rate     float64 `json:"rate"`     // of the last update

	Evaluated int           `json:"evaluated"` // step of the last evaluation; 0 before the first
	Since     Sums          `json:"since"`     // training figures since the last evaluation
	Schedule  ScheduleState `json:"schedule"`
	// Nil without a validation split, and before the first evaluation.
	Best *Best `json:"best,omitempty"`

	// Rows of metrics.csv that could not be written yet: a resumed run adds them.
	Rows [][]string `json:"rows,omitempty"`

	// Early counts evaluations without improvement for early stopping; Stopped says that it ended
	// the training.
	Early   PlateauState `json:"early,omitzero"`
	Stopped bool         `json:"stopped_early,omitempty"`

	Skipped int `json:"skipped"` // updates left out because they were not finite
	// Of these, the last ones without a good update between.
	SkippedInRow int `json:"skipped_in_row"`
	Rollbacks    int `json:"rollbacks"`
}

// Done reports whether nothing is left to do of a plan.
func (s State) Done(p Plan) bool { return s.Finished && (s.Stopped || s.Step >= p.Iterations) }

// Sums adds up the training figures of several updates; counts are exact, and losses are added in
// order.
type Sums struct {
	// Of each batch's mean loss, times its labels where there is a Weight.
	Loss    float64 `json:"loss"`
	Batches int     `json:"batches"`
	Wrong   int     `json:"wrong"`
	Images  int     `json:"images"` // labels: of images, utterances or frames
	// Weight is what Loss is divided by for sequences, whose batches have different numbers of
	// labels; 0 for images.
	Weight int `json:"weight,omitempty"`
}

func (s *Sums) add(o Sums) {
	s.Loss += o.Loss
	s.Batches += o.Batches
	s.Wrong += o.Wrong
	s.Images += o.Images
	s.Weight += o.Weight
}

// metrics is the mean loss and error, or nil when nothing was added. The top-5 error is not counted
// while training.
func (s Sums) metrics() *Metrics {
	if s.Batches == 0 || s.Images == 0 {
		return nil
	}
	weight := s.Batches
	if s.Weight > 0 {
		weight = s.Weight
	}
	return &Metrics{Loss: s.Loss / float64(weight), Error: 100 * float64(s.Wrong) / float64(s.Images)}
}

// Best is the evaluation with the lowest error on the validation split; of equal ones, the first.
type Best struct {
	Step     int     `json:"step"`
	ValError float64 `json:"val_error"` // percent
}

// Encode returns the state as JSON; ParseState reads it back without loss (floats are written
// shortest-exact).
func (s State) Encode() ([]byte, error) {
	s.Format = stateFormat
	return json.Marshal(s)
}

// ParseState reads a state that Encode wrote. A newer format is refused.
func ParseState(b []byte) (State, error) {
	var s State
	if err := json.Unmarshal(b, &s); err != nil {
		return State{}, fmt.Errorf("training state: %w", err)
	}
	if s.Format > stateFormat {
		return State{}, fmt.Errorf("training state: format %d was made by a newer resnet (this one reads up to %d): update resnet", s.Format, stateFormat)
	}
	if s.Format < 1 || s.Step < 0 || s.Batches < 0 || s.Evaluated < 0 || s.Evaluated > s.Step {
		return State{}, errors.New("training state: counts contradict each other: the file is damaged, resume from an earlier checkpoint")
	}
	w, p := s.Schedule.Warmup, s.Schedule.Plateau
	if s.Step > maxSteps || s.Batches > maxSteps*maxAccumulate || len(w.Wrong) > maxWindow || w.Next < 0 || w.Next > len(w.Wrong) ||
		p.Bad < 0 || s.Early.Bad < 0 || p.Drops < 0 || p.Drops > maxDrops || s.Schedule.Halvings < 0 || s.Schedule.Halvings > maxDrops || s.Skipped < 0 || s.SkippedInRow < 0 || s.Rollbacks < 0 {
		return State{}, errors.New("training state: a count is out of range: the file is damaged, resume from an earlier checkpoint")
	}
	for _, row := range s.Rows {
		if len(row) == 0 {
			return State{}, errors.New("training state: a row of metrics.csv without a cell: the file is damaged, resume from an earlier checkpoint")
		}
	}
	return s, nil
}

// maxDrops is how often a rate may have been lowered: beyond, it is 0.
const maxDrops = 1 << 16

// clone copies what State refers to.
func (s State) clone() State {
	s.Rows = slices.Clone(s.Rows)
	s.Schedule.Warmup.Wrong = append([]int32(nil), s.Schedule.Warmup.Wrong...)
	if s.Best != nil {
		b := *s.Best
		s.Best = &b
	}
	return s
}

// A Snapshot is everything a checkpoint holds. Its slices share memory with the running training: a
// Store copies or writes them before it returns.
type Snapshot struct {
	State      State
	Params     *graph.ParamSet
	Momentum   []Tensor
	Evaluation *Evaluation // of this very step, or nil when it was not evaluated
	IsBest     bool        // this step has the best validation error so far
}

// memory is a copy of values and state in memory, for rollback.
type memory struct {
	state  State
	dirty  bool
	values [][]float32
}

// remember copies the parameters, running statistics, momentum and state.
func (l *loop) remember() {
	if l.mem == nil {
		l.mem = &memory{}
		for _, s := range l.tensors() {
			l.mem.values = append(l.mem.values, make([]float32, len(s)))
		}
	}
	l.mem.state, l.mem.dirty = l.st.clone(), l.dirty
	for i, s := range l.tensors() {
		copy(l.mem.values[i], s)
	}
}

// recall puts the remembered values back.
func (l *loop) recall() {
	l.st, l.dirty = l.mem.state.clone(), l.mem.dirty
	l.eval, l.best = nil, false
	for i, s := range l.tensors() {
		copy(s, l.mem.values[i])
	}
}

// tensors lists every array that training changes, in a fixed order.
func (l *loop) tensors() [][]float32 {
	var ts [][]float32
	for _, p := range l.o.Params.All() {
		ts = append(ts, p.Data)
	}
	for _, t := range append(l.sgd.Tensors(), l.average.tensors()...) {
		ts = append(ts, t.Data)
	}
	return ts
}
