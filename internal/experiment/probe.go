package experiment

import (
	"context"

	"resnet/internal/train"
	"resnet/internal/train/checkpoint"
)

// FindRate makes the training ready as Run does and looks for a learning rate. It writes nothing.
func (t *Training) FindRate(ctx context.Context) (c train.RateCurve, err error) {
	err = t.probe(ctx, func(ctx context.Context, o train.Options) error {
		c, err = train.FindRate(ctx, o, train.DefaultRateSearch())
		return err
	})
	return c, err
}

// Gradients makes the training ready as Run does and measures the gradients of its next batches:
// of a resumed run those after its newest checkpoint. It writes nothing.
func (t *Training) Gradients(ctx context.Context, batches int) (list []train.LayerGradient, err error) {
	err = t.probe(ctx, func(ctx context.Context, o train.Options) error {
		list, err = train.Gradients(ctx, o, batches)
		return err
	})
	return list, err
}

// probe makes the training ready for a measurement.
func (t *Training) probe(ctx context.Context, measure func(context.Context, train.Options) error) error {
	r, err := t.prepare(ctx, checkpoint.View(t.Dir, nil))
	if err != nil {
		return err
	}
	defer r.close()
	o := t.options(r, nil)
	o.Store, o.MaxTime = noStore{}, 0
	return measure(t.Control.Context(ctx), o)
}

// noStore is a Store of a training that saves nothing.
type noStore struct{}

func (noStore) Save(train.Snapshot) error { return nil }
