package eval

import (
	"context"
	"fmt"

	"resnet/internal/datasets"
)

// ViewOptions say how EvaluateViews reads and computes; of these Split and Limit alone change the
// figures.
type ViewOptions struct {
	ScorerOptions
	Split datasets.Split
	Limit int // the first so many images of the split; 0 means all
	// Fixed says that the images are looked at as the data set delivers them, in the network's
	// size: see ProtocolFixed.
	Fixed bool
}

// EvaluateViews measures a model on a split of a data set under any protocol. Observers see the
// scores of each image as its logits, in the order of the split: see Scorer.Score. It fails as
// Evaluate and Scorer.Score do.
func EvaluateViews(ctx context.Context, m *Model, ds *datasets.Dataset, p Protocol, o ViewOptions, observers ...Observer) (Metrics, error) {
	if o.Fixed && p.Views == 1 {
		return evaluateFixed(ctx, m, ds, o, observers)
	}
	n := ds.Len(o.Split)
	if o.Limit < 0 || n == 0 {
		return Metrics{}, fmt.Errorf("evaluation of the first %d of %d images of split %q", o.Limit, n, o.Split)
	}
	if o.Limit > 0 {
		n = min(n, o.Limit)
	}
	name := func(i int) string { return ds.ID(o.Split, i) }
	meter, err := NewMeter(n, m.Spec.Classes, name)
	if err != nil {
		return Metrics{}, err
	}
	cuts := ImageCuts(ds, o.Split)
	if !o.Fixed || len(p.Scales) > 0 {
		cuts = PictureCuts(p, m.Spec.InputChannels, func(i int) (datasets.Picture, error) { return ds.Picture(o.Split, i) })
	}
	s := NewScorer(m, p, o.ScorerOptions)
	defer s.Close()
	err = s.Score(ctx, n, cuts, func(i int, scores []float32) error {
		label := ds.Label(o.Split, i)
		if err := meter.Add(scores, []int32{int32(label)}, []int{i}); err != nil {
			return err
		}
		for _, observe := range observers {
			if err := observe(Image{Index: i, Label: label, Logits: scores}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Metrics{}, err
	}
	return meter.Metrics()
}

// evaluateFixed measures single views that are the data set's images, with its loader.
func evaluateFixed(ctx context.Context, m *Model, ds *datasets.Dataset, o ViewOptions, observers []Observer) (Metrics, error) {
	machine, err := m.Machine(o.Batch, o.Compile)
	if err != nil {
		return Metrics{}, err
	}
	defer machine.Close()
	return EvaluateSplit(ctx, machine, ds, SplitOptions{Split: o.Split, Batch: o.Batch, Limit: o.Limit, Normalizer: m.Normalizer,
		Classes: m.Spec.Classes, Workers: o.Workers}, observers...)
}
