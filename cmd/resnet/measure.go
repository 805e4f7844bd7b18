package main

import (
	"context"
	"fmt"

	"resnet/internal/datasets"
	"resnet/internal/eval"
)

// measurement is one call of eval: a row for each model, and one for the ensemble of several.
type measurement struct {
	a        *app
	o        *evalOptions
	open     dataSets
	rows     []eval.Measured
	classes  []eval.ClassReport // of each row
	ensemble *eval.Ensemble     // nil for a single model
	ds       *datasets.Dataset  // of the first model: the ensemble's
	names    []string           // of the first model's classes: the ensemble's
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
	if datasets.Split(m.o.split) == datasets.Test {
		cfg.Validation = 0 // another folder may have no training images to hold any out of
	}
	ds, err := m.open.open(ctx, cfg, seed)
	if err != nil {
		return nil, err
	}
	if datasets.AnySize(ds.Info().Name) {
		return ds, nil
	}
	return ds, net.Fits(ds.Info())
}

// model measures one checkpoint; a member of an ensemble leaves its scores there.
func (m *measurement) model(ctx context.Context, path string, member bool) error {
	net, err := m.a.openModel(path)
	if err != nil {
		return err
	}
	if net.Frontend != "" {
		return m.utterances(ctx, net, !member)
	}
	if m.o.adaptation != "" {
		return usageErrorf("eval: --adaptation: %s is no network of speech", net.named)
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
	labels, err := net.Labels(info)
	if err != nil {
		return err
	}
	for _, note := range []string{net.Assumed, labels.Note} {
		if note != "" {
			m.a.say("%s: %s.", net.named, note)
		}
	}
	p, err := m.o.looking.For(net.Model, info)
	if err != nil {
		return fmt.Errorf("%s: %w", net.named, err)
	}
	p.Split = split
	if m.o.limit > 0 && m.o.limit < n {
		p.Limit, n = m.o.limit, m.o.limit
	}
	if m.ds == nil {
		m.ds, m.names = ds, net.ClassNames()
	}
	var observers []eval.Observer
	if member {
		if m.ensemble == nil {
			if m.ensemble, err = eval.NewEnsemble(n, net.Spec.Classes, m.o.looking.Combine); err != nil {
				return err
			}
		}
		observers = append(observers, m.ensemble.Member())
	}
	metrics, err := m.pass(ctx, net, ds, p, observers, !member)
	if err != nil {
		return fmt.Errorf("%s: %w", net.named, err)
	}
	m.rows = append(m.rows, net.Measured(net.named, info.Name, p, metrics))
	m.classes = append(m.classes, metrics.Classes(net.ClassNames()))
	return nil
}

// pass looks at every image once, and records the predictions if they are this model's.
func (m *measurement) pass(ctx context.Context, net *model, ds *datasets.Dataset, p eval.Protocol, observers []eval.Observer, record bool) (eval.Metrics, error) {
	split := datasets.Split(m.o.split)
	var file *eval.Predictions
	if record && m.o.predictions != "" {
		var err error
		file, err = eval.CreatePredictions(m.o.predictions, net.ClassNames(), func(i int) string { return ds.ID(split, i) })
		if err != nil {
			return eval.Metrics{}, err
		}
		defer file.Discard()
		observers = append(observers, file.Observe)
	}
	metrics, err := eval.EvaluateViews(ctx, net.Model, ds, p, eval.EvaluateOptions{Split: split, Limit: m.o.limit,
		ScorerOptions: eval.ScorerOptions{Factory: m.a.factory(m.o.threads), Batch: m.o.batch, Workers: m.o.threads}}, observers...)
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
		if file, err = eval.CreatePredictions(m.o.predictions, m.names, name); err != nil {
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
	m.rows = append(m.rows, eval.MeasuredEnsemble(m.rows, m.o.looking.Combine, metrics))
	m.classes = append(m.classes, metrics.Classes(m.names))
	return nil
}

// print writes the table and, with --classes, what each row confuses.
func (m *measurement) print() error {
	table := eval.Table{}
	for _, r := range m.rows {
		table.Rows = append(table.Rows, r.Row)
	}
	switch {
	case m.o.table != 0:
		return m.printBeside(table)
	case m.o.json && m.o.classes:
		return m.a.printJSON(struct {
			Rows    []eval.Row         `json:"rows"`
			Classes []eval.ClassReport `json:"classes"`
		}{table.Rows, m.classes})
	case m.o.json:
		return table.WriteJSON(m.a.out)
	case m.o.markdown:
		return table.WriteMarkdown(m.a.out)
	}
	if err := table.WriteText(m.a.out); err != nil || !m.o.classes {
		return err
	}
	for i, r := range m.classes {
		fmt.Fprintf(m.a.out, "\n%s\n", eval.Printable(table.Rows[i].Checkpoint))
		if err := r.WriteErrors(m.a.out); err != nil {
			return err
		}
		fmt.Fprintln(m.a.out)
		if err := r.WriteConfusion(m.a.out); err != nil {
			return err
		}
	}
	return nil
}

// printBeside writes the paper's table with the rows beside its lines.
func (m *measurement) printBeside(table eval.Table) error {
	t, err := eval.LookupTable(m.o.table)
	if err != nil {
		return err
	}
	b := t.Compare(m.rows)
	switch {
	case m.o.json:
		return b.WriteJSON(m.a.out)
	case m.o.markdown:
		return b.WriteMarkdown(m.a.out)
	}
	return b.WriteText(m.a.out)
}
