package experiment

import (
	"context"
	"fmt"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
)

// MeasureOptions say what trained networks are measured on, and how.
type MeasureOptions struct {
	Data, Dir   string // data set and folder; "" means the ones of the training
	Adaptation  string // file of the split's speakers' transforms, or ""
	Split       datasets.Split
	Limit       int // only the first so many images; 0 means all
	View        eval.ViewOptions
	Look        eval.Look // in place of what the checkpoints say
	ClassesFile string    // names of the networks' classes instead of the checkpoints', or ""
	Predictions string    // CSV or JSONL file of every image's label, logits and top 5, or ""
	Batch       int       // images or views computed together; 0 means eval.batch of the training
	Threads     int
	Precision   string // in place of what the checkpoints say; see Model.Compute

	// Without is a part of each block that is left out in turn, besides the whole network; or "".
	Without blocks.BlockPart
}

// complete reports whether the options say all that is taken from the run's configuration
// otherwise.
func (o MeasureOptions) complete() bool {
	return o.Data != "" && o.Dir != "" && o.Batch > 0 && o.Split != datasets.Val
}

// Measurement is a row for each model, and one for the ensemble of several.
type Measurement struct {
	Rows    []eval.Measured
	Classes []eval.ClassReport // of each row
}

// Table is the rows as a table.
func (m Measurement) Table() eval.Table {
	table := eval.Table{}
	for _, r := range m.Rows {
		table.Rows = append(table.Rows, r.Row)
	}
	return table
}

// measuring is one call of Measure.
type measuring struct {
	MeasureOptions
	Measurement
	env      *Environment
	open     DataSets
	member   bool              // of an ensemble: the models' scores go there
	ensemble *eval.Ensemble    // nil for a single model
	set      *datasets.Dataset // of the first model: the ensemble's
	names    []string          // of the first model's classes: the ensemble's
}

// Measure measures checkpoints and run folders one after another.
func Measure(ctx context.Context, env *Environment, paths []string, o MeasureOptions) (Measurement, error) {
	m := &measuring{MeasureOptions: o, env: env, open: NewDataSets(), member: len(paths) > 1 && o.Without == ""}
	for _, path := range paths {
		net, err := OpenClassifier(env, path)
		if err != nil {
			return m.Measurement, err
		}
		if net.broken != nil && !o.complete() {
			return m.Measurement, net.broken
		}
		for _, note := range net.taken {
			env.say("%s", note)
		}
		if err := net.Compute(o.Precision); err != nil {
			return m.Measurement, err
		}
		if err := net.NameClasses(o.ClassesFile); err != nil {
			return m.Measurement, err
		}
		if err := net.Look(o.Look); err != nil {
			return m.Measurement, err
		}
		if net.Frontend != "" {
			if m.Without != "" {
				return m.Measurement, config.Usagef("eval: --without: %s is no network of images", net.Named)
			}
			err = m.utterances(ctx, net)
		} else {
			err = m.images(ctx, net)
		}
		if err != nil {
			return m.Measurement, err
		}
	}
	if m.ensemble == nil {
		return m.Measurement, nil
	}
	return m.Measurement, m.combine()
}

// batch is how many images or views of a network are computed together. Few images are computed by
// other algorithms than many, with other rounding, so that a training's figure is repeated to the
// last bit with its own batch.
func (m *measuring) batch(net *Model) int {
	switch {
	case m.Batch > 0:
		return m.Batch
	case net.run != nil:
		return net.run.Eval.Batch
	}
	return eval.DefaultConfig().Batch
}

// recorded runs f with a file of predictions where one is wanted, which is whole when f succeeds.
func (m *measuring) recorded(wanted bool, classes []string, name func(int) string, f func(*eval.Predictions) error) error {
	if !wanted || m.Predictions == "" {
		return f(nil)
	}
	file, err := eval.CreatePredictions(m.Predictions, classes, name)
	if err != nil {
		return err
	}
	defer file.Discard()
	if err := f(file); err != nil {
		return err
	}
	return file.Close()
}

func (m *measuring) add(row eval.Measured, classes eval.ClassReport) {
	m.Rows, m.Classes = append(m.Rows, row), append(m.Classes, classes)
}

// dataset opens the data set that a model is measured on.
func (m *measuring) dataset(ctx context.Context, net *Model) (*datasets.Dataset, error) {
	cfg, seed := net.dataConfig(m.Data, m.Dir)
	if m.Split == datasets.Test {
		cfg.Validation = 0 // another folder may have no training images to hold any out of
	}
	set, err := m.open.images(ctx, cfg, seed)
	if err != nil {
		return nil, err
	}
	if m.Split == datasets.Val && m.Data == "" {
		if err := net.heldOut(ctx, cfg.Validation, set.Fingerprint); err != nil {
			return nil, err
		}
	}
	return set, net.Fits(set.Info())
}

// images measures one network of images; a member of an ensemble leaves its scores there.
func (m *measuring) images(ctx context.Context, net *Model) error {
	if m.Adaptation != "" {
		return config.Usagef("eval: --adaptation: %s is no network of speech", net.Named)
	}
	set, err := m.dataset(ctx, net)
	if err != nil {
		return err
	}
	info := set.Info()
	n := set.Len(m.Split)
	if n == 0 {
		hint := ""
		if m.Split == datasets.Val {
			hint = ": data.validation was 0 when it was trained"
		}
		return config.Usagef("%s has no %s split%s", info.Name, m.Split, hint)
	}
	labels, err := net.Labels(info)
	if err != nil {
		return err
	}
	name, err := set.Identity(ctx)
	if err != nil {
		return err
	}
	if note := datasets.CopyNote(name); note != "" && m.set == nil {
		m.env.say("%s.", note)
	}
	net.sayAssumed()
	if labels.Note != "" {
		m.env.say("%s: %s.", net.Named, labels.Note)
	}
	lacking, err := m.lacking(net)
	if err != nil {
		return err
	}
	p, err := m.View.For(net.Model, info)
	if err != nil {
		return fmt.Errorf("%s: %w", net.Named, err)
	}
	if err := m.checkMemory(net, n); err != nil {
		return err
	}
	p.Split = m.Split
	if m.Limit > 0 && m.Limit < n {
		p.Limit, n = m.Limit, m.Limit
	}
	if m.set == nil {
		m.set, m.names = set, net.ClassNames()
	}
	var observers []eval.Observer
	if m.member {
		if m.ensemble == nil {
			if m.ensemble, err = eval.NewEnsemble(n, net.Spec.Classes, m.View.Combine); err != nil {
				return err
			}
		}
		observers = append(observers, m.ensemble.Member())
	}
	var metrics eval.Metrics
	err = m.recorded(!m.member, net.ClassNames(), func(i int) string { return set.ID(m.Split, i) }, func(file *eval.Predictions) error {
		if file != nil {
			observers = append(observers, file.Observe)
		}
		var err error
		metrics, err = m.evaluate(ctx, net, net.Model, set, p, observers...)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", net.Named, err)
	}
	m.add(net.Measured(net.Named, name, p, metrics), metrics.Classes(net.ClassNames()))
	if m.Without == "" {
		return nil
	}
	for i := range lacking {
		if metrics, err = m.evaluate(ctx, net, &lacking[i], set, p); err != nil {
			return fmt.Errorf("%s without the %s: %w", net.Named, lacking[i].Spec.Lacks(), err)
		}
		m.add(lacking[i].Measured(net.Named, name, p, metrics), metrics.Classes(net.ClassNames()))
	}
	return nil
}

// evaluate measures a network of net's, whole or without a part.
func (m *measuring) evaluate(ctx context.Context, net *Model, of *eval.Model, set *datasets.Dataset, p eval.Protocol, observers ...eval.Observer) (eval.Metrics, error) {
	return eval.EvaluateViews(ctx, of, set, p, eval.EvaluateOptions{
		Split: m.Split, Limit: m.Limit,
		ScorerOptions: eval.ScorerOptions{Factory: net.factory(m.Threads), Batch: m.batch(net), Workers: m.Threads},
	}, observers...)
}

// lacking are the network without the part of each block in turn, with the same parameters. Blocks
// of a plain network that change the shape are not among them: nothing would stand for them.
func (m *measuring) lacking(net *Model) ([]eval.Model, error) {
	if m.Without == "" {
		return nil, nil
	}
	var list []eval.Model
	var why error
	for _, b := range net.Spec.Blocks() {
		s, err := net.Spec.Without(m.Without, b)
		if err != nil {
			why = err
			continue
		}
		one := *net.Model
		one.Spec = s
		list = append(list, one)
	}
	if len(list) == 0 {
		if why == nil {
			_, why = net.Spec.Without(m.Without, blocks.PlacedBlock{})
		}
		return nil, config.Usagef("eval: --without %s: %s: %w", m.Without, net.Named, why)
	}
	return list, nil
}

// checkMemory refuses more batches ahead of the network than there is memory for: one for each
// thread that reads images, and two that wait.
func (m *measuring) checkMemory(net *Model, images int) error {
	side := float64(net.Spec.InputSize)
	batch := 4 * float64(net.Spec.InputChannels) * side * side * float64(min(m.batch(net), images))
	return m.env.allowed(0).check(need{"--threads", m.Threads, batch * float64(m.Threads), "or a smaller --batch"}, need{"--batch", m.batch(net), 2 * batch, ""})
}

// combine adds the row of the ensemble; its predictions are the ones that are written.
func (m *measuring) combine() error {
	name := func(i int) string { return m.set.ID(m.Split, i) }
	var metrics eval.Metrics
	err := m.recorded(true, m.names, name, func(file *eval.Predictions) error {
		var observers []eval.Observer
		if file != nil {
			observers = append(observers, file.Observe)
		}
		var err error
		metrics, err = m.ensemble.Metrics(name, observers...)
		return err
	})
	if err != nil {
		return err
	}
	m.add(eval.MeasuredEnsemble(m.Rows, m.View.Combine, metrics), metrics.Classes(m.names))
	return nil
}
