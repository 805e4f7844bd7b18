package experiment

import (
	"context"
	"fmt"

	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/datasets/speech/corpus"
	"resnet/internal/eval"
	"resnet/internal/text"
	"resnet/internal/train/checkpoint"
)

// maxUtterances is the most utterances that are computed together, whatever the batch is for
// images.
const maxUtterances = 16

// utterances measures a speech network on a split of the corpus that its run was trained on.
func (m *measuring) utterances(ctx context.Context, net *Model) error {
	if m.Limit > 0 {
		return config.Usagef("eval: --limit is for images: a split of utterances is measured whole")
	}
	c, err := m.ownCorpus(ctx, net)
	if err != nil {
		return err
	}
	by, err := net.transforms(m.Adaptation)
	if err != nil {
		return err
	}
	if by != nil {
		if err := c.Adapt(m.Split, m.Adaptation, by); err != nil {
			return err
		}
	}
	shapes := evalShapes(c, min(m.batch(net), maxUtterances), net.run.Speech.Buckets, m.Split)
	machines, err := net.applied(net.Spec, m.Threads, shapes...)
	if err != nil {
		return err
	}
	defer machines.Close()
	var metrics eval.SequenceMetrics
	err = m.recorded(!m.member, net.Classes, func(i int) string { return c.ID(m.Split, i) }, func(file *eval.Predictions) error {
		var observers []func(eval.Sequence) error
		if file != nil {
			observers = append(observers, func(s eval.Sequence) error {
				logits := make([]float32, len(s.Mean))
				for k, z := range s.Mean {
					logits[k] = float32(z)
				}
				return file.Observe(eval.Image{Index: s.Index, Label: s.Label, Logits: logits})
			})
		}
		var err error
		metrics, err = measureSequences(ctx, machines, c, m.Split, shapes, net.Spec, observers...)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", net.Named, err)
	}
	row := eval.Row{
		Model: net.Spec.Name, Checkpoint: net.Named, N: metrics.N, Top1Error: metrics.Top1Error, Top5Error: metrics.Top5Error, Loss: metrics.Loss,
		Params: net.Params.Count(), Protocol: sequenceProtocol(net.Spec), Precision: net.Precision, Unit: sequenceUnit(net.Spec),
	}
	if classifiesFrames(net.Spec) {
		row.UtteranceError = metrics.UtteranceError
	}
	m.add(eval.Measured{Row: row, Dataset: net.run.Data.Name}, metrics.Classes(net.Classes))
	return nil
}

// ownCorpus opens the corpus that a network was trained on, which has to have the split.
func (m *measuring) ownCorpus(ctx context.Context, net *Model) (*corpus.Corpus, error) {
	if _, err := net.frontend(); err != nil {
		return nil, err
	}
	if net.broken != nil {
		return nil, net.broken
	}
	if net.run == nil {
		return nil, config.Usagef("%s: name the run folder: its %s says where the utterances and their labels are", net.Named, checkpoint.ConfigFile)
	}
	data := net.run.Data
	if m.Data != "" && m.Data != data.Name {
		return nil, config.Usagef("eval: --data %s: %s is measured on its own corpus, %s; --data-dir says where it is now", m.Data, net.Named, data.Name)
	}
	if m.Dir != "" {
		data.Dir = m.Dir
	}
	c, err := m.open.corpus(ctx, data, net.run.Speech, net.run.Train.Seed)
	if err != nil {
		return nil, err
	}
	if c.Len(m.Split) == 0 {
		return nil, config.Usagef("%s has no %s split: speech.%s_dir, speech.%s_speakers or data.validation make one", data.Name, m.Split, m.Split, m.Split)
	}
	if err := net.fitsClasses(c.Info()); err != nil {
		return nil, err
	}
	if m.Split == datasets.Val {
		if err := net.heldOut(ctx, data.Validation, c.Fingerprint); err != nil {
			return nil, err
		}
	}
	return c, net.fitsFrames(c.Info().Dim)
}

// fitsClasses says which class of a corpus is not that of the network's output, or nil. The classes
// of utterances are numbered by their sorted names: one that was renamed, added or left out gives
// others another number. Those of alignments are numbers.
func (m *Model) fitsClasses(info corpus.Info) error {
	if info.Count > m.Spec.Classes {
		return fmt.Errorf("%s: %w: it has %d classes, and the corpus has %d", m.Named, eval.ErrLabel, m.Spec.Classes, info.Count)
	}
	for k, name := range info.Classes {
		if k < len(m.Classes) && m.Classes[k] != name {
			return fmt.Errorf("%s: %w: class %d is %s, and in the corpus %s: measure it on the classes that it was trained on",
				m.Named, eval.ErrLabel, k, text.Printable(m.Classes[k]), text.Printable(name))
		}
	}
	return nil
}

// frontend is how the input of a speech network is made.
func (m *Model) frontend() (corpus.Frontend, error) {
	if m.Frontend == "" || m.Spec.Speech == nil {
		return corpus.Frontend{}, fmt.Errorf("%s: %w: it is no network of speech", m.Named, eval.ErrModel)
	}
	f, err := corpus.DecodeFrontend(m.Frontend)
	if err != nil {
		return f, fmt.Errorf("%s: %w: its front end: %w", m.Named, eval.ErrModel, err)
	}
	return f, nil
}

// fitsFrames says why the network takes no frames of so many values, or nil.
func (m *Model) fitsFrames(dim int) error {
	if want := m.Spec.Maps() * m.Spec.Speech.Features; dim != want {
		return fmt.Errorf("%s: %w: it takes frames of %d values (%d maps of %d), and these have %d", m.Named, eval.ErrModel, want, m.Spec.Maps(), m.Spec.Speech.Features, dim)
	}
	return nil
}

// openSpeechModel opens a checkpoint of a speech network and the utterances that it is applied to.
func openSpeechModel(ctx context.Context, env *Environment, path string, inputs []string) (*Model, *corpus.Corpus, error) {
	net, err := OpenModel(env, path)
	if err != nil {
		return nil, nil, err
	}
	front, err := net.frontend()
	if err != nil {
		return nil, nil, err
	}
	c, err := corpus.List(ctx, inputs, front)
	if err != nil {
		return nil, nil, err
	}
	return net, c, net.fitsFrames(c.Info().Dim)
}

// eachUtterance runs a network of frames over every utterance of a split and hands over its logits
// [frames, k], which f may change.
func eachUtterance(ctx context.Context, net eval.SequenceNetwork, c *corpus.Corpus, o corpus.LoaderOptions, k int, f func(i, frames int, logits []float32) error) error {
	loader, err := c.NewLoader(o)
	if err != nil {
		return err
	}
	defer loader.Close()
	for left := c.Len(o.Split); left > 0; {
		b, err := loader.Next(ctx)
		if err != nil {
			return err
		}
		logits, err := net.InferSequences(b)
		if err != nil {
			return err
		}
		for j, i := range b.Index {
			frames := int(b.Lengths[j])
			if err := f(i, frames, logits[j*b.Frames*k:(j*b.Frames+frames)*k]); err != nil {
				return err
			}
		}
		left -= b.N
		loader.Recycle(b)
	}
	return nil
}

// finite refuses logits of an utterance that are not.
func (m *Model) finite(c *corpus.Corpus, split datasets.Split, i int, logits []float32) error {
	for _, z := range logits {
		if z-z != 0 {
			return fmt.Errorf("%s: utterance %s: %w", m.Named, c.ID(split, i), eval.ErrNonFinite)
		}
	}
	return nil
}
