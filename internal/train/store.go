package train

import (
	"fmt"

	"resnet/internal/graph"
	"resnet/internal/graph/weights"
	"resnet/internal/train/checkpoint"
)

// stateKey is where a checkpoint's state file keeps State, as JSON in its string metadata.
const stateKey = "resnet.state"

// RunStore is the Store over a run folder.
type RunStore struct {
	Checkpoints *checkpoint.Store
	// Meta is what evaluation needs besides the tensors; Step is filled in.
	Meta weights.Meta
	// ConfigDigest identifies the configuration in manifests.
	ConfigDigest string
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
	return m
}

// LoadResume puts a checkpoint's parameters and running statistics into params and returns the
// rest. It fails with weights.ErrMismatch when they belong to another model.
func LoadResume(c *checkpoint.Loaded, params *graph.ParamSet) (*Resume, error) {
	state, err := ParseState([]byte(c.State.Meta[stateKey]))
	if err != nil {
		return nil, fmt.Errorf("checkpoint of step %d: %w", c.Manifest.Step, err)
	}
	r := &Resume{State: state}
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
