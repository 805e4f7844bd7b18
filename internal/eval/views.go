package eval

import (
	"context"
	"fmt"

	"resnet/internal/datasets"
)

// EvaluateOptions are how EvaluateViews reads and computes; of these only Split and Limit change
// the figures.
type EvaluateOptions struct {
	ScorerOptions
	Split datasets.Split
	Limit int // the first so many images of the split; 0 means all
}

// EvaluateViews measures a model on a split of a data set under any protocol. The labels of images
// are mapped to the network's outputs by name, as Model.Labels does. A single view is the one of
// the model's Preprocessing: the figures are those of EvaluateSplit with it, to the last bit.
// Observers see the scores of each image as its logits, in the order of the split: see
// Scorer.Score. It fails as Model.Fits, Evaluate, MapLabels and Scorer.Score do.
func EvaluateViews(ctx context.Context, m *Model, ds *datasets.Dataset, p Protocol, o EvaluateOptions, observers ...Observer) (Metrics, error) {
	n, err := limited(ds, o.Split, o.Limit)
	if err != nil {
		return Metrics{}, err
	}
	if err := m.Fits(ds.Info()); err != nil {
		return Metrics{}, err
	}
	labels, err := m.Labels(ds.Info())
	if err != nil {
		return Metrics{}, err
	}
	if p.Views == 1 {
		return m.evaluateSingle(ctx, ds, labels, o, observers)
	}
	if err := labels.covers(ds, o.Split, n); err != nil {
		return Metrics{}, err
	}
	meter, err := NewMeter(n, m.Spec.Classes, func(i int) string { return ds.ID(o.Split, i) })
	if err != nil {
		return Metrics{}, err
	}
	cuts := PictureCuts(p, m.Preprocessing, func(i int) (datasets.Picture, error) { return ds.PictureFor(o.Split, i, m.Preprocessing) })
	s := NewScorer(m, p, o.ScorerOptions)
	defer s.Close()
	err = s.Score(ctx, n, cuts, func(i int, scores []float32) error {
		label := labels.Of(ds.Label(o.Split, i))
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

// evaluateSingle measures single views with the loader that training validates with.
func (m *Model) evaluateSingle(ctx context.Context, ds *datasets.Dataset, labels LabelMap, o EvaluateOptions, observers []Observer) (Metrics, error) {
	side := m.Spec.InputSize
	batch := together(o.Batch, side, side, Plain)
	machine, err := m.Machine(batch, o.Factory)
	if err != nil {
		return Metrics{}, err
	}
	defer machine.Close()
	return EvaluateSplit(ctx, machine, ds, SplitOptions{
		Split: o.Split, Batch: batch, Limit: o.Limit, View: &m.Preprocessing,
		Classes: m.Spec.Classes, Labels: labels, Workers: o.Workers,
	}, observers...)
}

// limited is the number of images that are measured: those of the split, or the first so many.
func limited(ds *datasets.Dataset, s datasets.Split, limit int) (int, error) {
	n := ds.Len(s)
	if limit < 0 {
		return 0, fmt.Errorf("evaluation of %d images: at least 1, or 0 for all", limit)
	}
	if limit > 0 {
		n = min(n, limit)
	}
	return n, nil
}
