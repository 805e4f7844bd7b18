package experiment

import (
	"context"

	"resnet/internal/train"
	"resnet/internal/train/checkpoint"
)

// FindRate makes the training ready as Run does and looks for a learning rate. It writes nothing.
func (t *Training) FindRate(ctx context.Context) (train.RateCurve, error) {
	r, err := t.prepare(ctx, checkpoint.View(t.Dir, nil))
	if err != nil {
		return train.RateCurve{}, err
	}
	defer r.close()
	ctx = t.Control.Context(ctx)
	return train.FindRate(ctx, train.Options{
		Plan: t.Plan, MachineFor: r.trainer.machine, Params: r.params,
		Loader: func(_ context.Context, epoch, batch int) (train.Loader, error) {
			return t.data.loader(epoch, batch, nil)
		},
		// A search measures nothing but the training loss, and saves nothing.
		Evaluate: r.evaluator.evaluate, Store: noStore{},
		BeforeBatch: r.trainer.beforeBatch, Targets: r.trainer.targets(), Control: t.Control,
	}, train.DefaultRateSearch())
}

// noStore is a Store of a training that saves nothing.
type noStore struct{}

func (noStore) Save(train.Snapshot) error { return nil }
