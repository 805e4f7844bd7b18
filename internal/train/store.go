package train

import (
	"fmt"

	"resnet/internal/graph"
	"resnet/internal/graph/weights"
	"resnet/internal/train/checkpoint"
)

// stateKey is where a checkpoint's state file keeps State, as JSON in its string metadata.
const stateKey = "resnet.state"

// TrainedKey is where the state file keeps RunStore.Trained; files of earlier versions lack it.
const TrainedKey = "resnet.trained_with"

// RunStore is the Store over a run folder.
type RunStore struct {
	Checkpoints *checkpoint.Store
	// Meta is what evaluation needs besides the tensors; Step is filled in.
	Meta weights.Meta
	// ConfigDigest identifies the configuration in manifests.
	ConfigDigest string
	// Trained says what a resumed run is compared with, JSON of the caller's; "" keeps nothing.
	// Like all of the file it follows from seed, configuration and data.
	Trained string
	// BatchesPerEpoch turns the cursor into the manifest's epoch.
	BatchesPerEpoch int
	// Warn is told what went wrong after a checkpoint was safe; nil means nobody.
	Warn func(text string)
}

// Save writes model, state and manifest. The two data files hold nothing but what follows from
// seed, configuration and data.
func (r *RunStore) Save(s Snapshot) error {
	state, err := s.State.Encode()
	if err != nil {
		return err
	}
	meta := r.Meta
	meta.Step = int64(s.State.Step)
	c := checkpoint.Snapshot{
		Step:         int64(s.State.Step),
		Epoch:        int64(s.State.Batches / max(1, r.BatchesPerEpoch)),
		Final:        s.State.Finished,
		ConfigDigest: r.ConfigDigest,
		Metrics:      manifestMetrics(s.Evaluation),
		Model:        weights.FromParams(s.Params),
		ModelMeta:    meta.Encode(),
		StateMeta:    map[string]string{stateKey: string(state)},
	}
	if r.Trained != "" {
		c.StateMeta[TrainedKey] = r.Trained
	}
	for _, t := range s.Momentum {
		c.State = append(c.State, weights.Tensor{Name: t.Name, Shape: t.Shape, Data: t.Data})
	}
	saved, err := r.Checkpoints.Save(c)
	if err != nil {
		return err
	}
	if r.Warn != nil {
		for _, w := range saved.Warnings {
			r.Warn(w)
		}
	}
	return nil
}

// manifestMetrics names the figures of an evaluation. Only that of the validation split has the
// name that chooses the best checkpoint. JSON holds no infinities: such a figure is left out.
func manifestMetrics(e *Evaluation) map[string]float64 {
	if e == nil {
		return nil
	}
	m := map[string]float64{}
	add := func(name string, x float64) {
		if finite64(x) {
			m[name] = x
		}
	}
	addTop5 := func(name string, of *Metrics) {
		if of.Top5Error != nil {
			add(name, *of.Top5Error)
		}
	}
	if e.Val != nil {
		add(checkpoint.MetricValidationError, e.Val.Error)
		addTop5("validation_top5_error", e.Val)
		add("validation_loss", e.Val.Loss)
	}
	if e.Test != nil {
		add("test_error", e.Test.Error)
		addTop5("test_top5_error", e.Test)
		add("test_loss", e.Test.Loss)
	}
	if e.Since != nil {
		add("train_error", e.Since.Error)
		add("train_loss", e.Since.Loss)
	}
	if e.Train != nil {
		add("train_eval_error", e.Train.Error)
		add("train_eval_loss", e.Train.Loss)
	}
	return m
}

// EvaluationOf is the evaluation that a manifest keeps, or nil. Manifests of earlier versions have
// no figures of training.
func EvaluationOf(m checkpoint.Manifest) *Evaluation {
	split := func(name string) *Metrics {
		e, ok := m.Metrics[name+"_error"]
		if !ok {
			return nil
		}
		out := &Metrics{Error: e, Loss: m.Metrics[name+"_loss"]}
		if top5, ok := m.Metrics[name+"_top5_error"]; ok {
			out.Top5Error = &top5
		}
		return out
	}
	e := Evaluation{Val: split("validation"), Test: split("test"), Since: split("train"), Train: split("train_eval")}
	if e.Val == nil && e.Test == nil {
		return nil
	}
	return &e
}

// LoadResume puts a checkpoint's parameters and running statistics into params and returns the
// rest. It fails with weights.ErrMismatch when they belong to another model.
func LoadResume(c *checkpoint.Loaded, params *graph.ParamSet) (*Resume, error) {
	state, err := ParseState([]byte(c.State.Meta[stateKey]))
	if err != nil {
		return nil, fmt.Errorf("checkpoint of step %d: %w", c.Manifest.Step, err)
	}
	r := &Resume{State: state, Evaluation: EvaluationOf(c.Manifest)}
	for _, e := range c.State.Entries() {
		if !isOptimizerState(e.Name) {
			continue // a later version's, of the same format
		}
		t := Tensor{Name: e.Name, Shape: e.Shape}
		if t.Data, err = c.State.Float32(e.Name); err != nil {
			return nil, err
		}
		r.Momentum = append(r.Momentum, t)
	}
	return r, weights.LoadParams(c.Model, params) // last: it changes nothing unless all fits
}
