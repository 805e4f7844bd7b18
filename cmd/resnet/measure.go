package main

import (
	"context"
	"fmt"

	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph"
)

// measurement is one call of eval: a row for each model, and one for the ensemble of several.
type measurement struct {
	a        *app
	o        *evalOptions
	open     map[dataKey]*datasets.Dataset
	rows     []eval.Row
	classes  []eval.ClassReport // of each row
	ensemble *eval.Ensemble     // nil for a single model
	ds       *datasets.Dataset  // of the first model: the ensemble's
	protocol eval.Protocol
}

// dataKey tells data sets apart, so that several models share one.
type dataKey struct {
	cfg  datasets.Config
	seed uint64
}

// run measures the models one after another.
func (m *measurement) run(ctx context.Context, paths []string) error {
	for _, path := range paths {
		if err := m.model(ctx, path, len(paths) > 1); err != nil {
			return err
		}
	}
	if m.ensemble == nil {
		return nil
	}
	return m.combine()
}

// dataset opens the data set that a model is measured on.
func (m *measurement) dataset(ctx context.Context, net *model) (*datasets.Dataset, error) {
	cfg, seed := net.dataConfig(m.o.data, m.o.dir)
	key := dataKey{cfg, seed}
	if m.open[key] == nil {
		ds, err := datasets.Open(ctx, cfg, seed)
		if err != nil {
			return nil, err
		}
		m.open[key] = ds
	}
	return m.open[key], net.Fits(m.open[key].Info())
}

// model measures one checkpoint; a member of an ensemble leaves its scores there.
func (m *measurement) model(ctx context.Context, path string, member bool) error {
	net, err := m.a.openModel(path)
	if err != nil {
		return err
	}
	ds, err := m.dataset(ctx, net)
	if err != nil {
		return err
	}
	info, split := ds.Info(), datasets.Split(m.o.split)
	n := ds.Len(split)
	if n == 0 {
		hint := ""
		if split == datasets.Val {
			hint = ": data.validation was 0 when it was trained"
		}
		return usageErrorf("%s has no %s split%s", info.Name, m.o.split, hint)
	}
	p := eval.Protocol{Views: 1, Height: info.Height, Width: info.Width, Split: split}
	if m.o.limit > 0 && m.o.limit < n {
		p.Limit, n = m.o.limit, m.o.limit
	}
	if m.ds == nil {
		m.ds, m.protocol = ds, p
	}
	var observers []eval.Observer
	if member {
		if m.ensemble == nil {
			if m.ensemble, err = eval.NewEnsemble(n, net.Spec.Classes, eval.Combine(m.o.combine)); err != nil {
				return err
			}
		}
		observers = append(observers, m.ensemble.Member())
	}
	metrics, err := m.pass(ctx, net, ds, observers, !member)
	if err != nil {
		return fmt.Errorf("%s: %w", net.named, err)
	}
	m.rows = append(m.rows, net.Row(net.named, info.Name, p, metrics))
	m.classes = append(m.classes, metrics.Classes(net.Classes))
	return nil
}

// pass looks at every image once, and records the predictions if they are this model's.
func (m *measurement) pass(ctx context.Context, net *model, ds *datasets.Dataset, observers []eval.Observer, record bool) (eval.Metrics, error) {
	machine, err := net.Machine(m.o.batch, func(g *graph.Graph, p *graph.ParamSet) (graph.Machine, error) {
		return m.a.newMachine(g, p, m.o.threads)
	})
	if err != nil {
		return eval.Metrics{}, err
	}
	defer machine.Close()
	split := datasets.Split(m.o.split)
	var file *eval.Predictions
	if record && m.o.predictions != "" {
		file, err = eval.CreatePredictions(m.o.predictions, net.Classes, func(i int) string { return ds.ID(split, i) })
		if err != nil {
			return eval.Metrics{}, err
		}
		defer file.Discard()
		observers = append(observers, file.Observe)
	}
	metrics, err := eval.EvaluateSplit(ctx, machine, ds, eval.SplitOptions{Split: split, Batch: m.o.batch, Limit: m.o.limit,
		Normalizer: net.Normalizer, Classes: net.Spec.Classes}, observers...)
	if err != nil || file == nil {
		return metrics, err
	}
	return metrics, file.Close()
}

// combine adds the row of the ensemble; its predictions are the ones that are written.
func (m *measurement) combine() error {
	split := datasets.Split(m.o.split)
	name := func(i int) string { return m.ds.ID(split, i) }
	var observers []eval.Observer
	var file *eval.Predictions
	if m.o.predictions != "" {
		var err error
		if file, err = eval.CreatePredictions(m.o.predictions, m.ds.Info().Classes, name); err != nil {
			return err
		}
		defer file.Discard()
		observers = append(observers, file.Observe)
	}
	metrics, err := m.ensemble.Metrics(name, observers...)
	if err != nil {
		return err
	}
	if file != nil {
		if err := file.Close(); err != nil {
			return err
		}
	}
	m.rows = append(m.rows, eval.NewEnsembleRow(m.rows, eval.Combine(m.o.combine), m.protocol, metrics))
	m.classes = append(m.classes, metrics.Classes(m.ds.Info().Classes))
	return nil
}
