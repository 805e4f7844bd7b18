package experiment

import (
	"context"
	"fmt"
	"slices"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/datasets/speech"
	"resnet/internal/datasets/speech/corpus"
	"resnet/internal/datasets/speech/kaldi"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/train/adapt"
)

// AdaptOptions say how the speakers' layers are estimated.
type AdaptOptions struct {
	adapt.Options
	Split      datasets.Split // of the run's own corpus, without inputs
	Utt2Spk    string         // file of lines UTTERANCE SPEAKER, or ""
	Alignments string         // files with the labels of frames, or ""
	States     string         // table of their names, or ""
	// Frames for which a number of an alignment stands; 0 means 1.
	AlignmentSubsampling int
	Labels               string  // file of lines UTTERANCE CLASS, or ""
	Confidence           float64 // posterior that a first-pass label needs
	Batch                int     // utterances of an update
	Buckets              int     // lengths that utterances are padded to
	Seed                 uint64  // of the order of the utterances
	Threads              int
	Precision            string // in place of what the checkpoint says; see Model.Compute
}

// AdaptedSpeaker is what was estimated for one speaker: of `speech adapt --json`.
type AdaptedSpeaker struct {
	Speaker    string  `json:"speaker"`
	Utterances int     `json:"utterances"`
	Labelled   int     `json:"labelled"` // frames or utterances with a label
	FirstLoss  float64 `json:"first_loss"`
	LastLoss   float64 `json:"last_loss"`
}

// Adapted is what Adapt estimated: `speech adapt --json`.
type Adapted struct {
	File      string           `json:"file"`
	Model     string           `json:"model"`
	Structure string           `json:"structure"`
	Labels    string           `json:"labels"` // a first pass, alignments or labels
	Unit      string           `json:"unit"`   // what is labelled: frames or utterances
	Notes     []string         `json:"notes,omitempty"`
	Speakers  []AdaptedSpeaker `json:"speakers"`
}

// Adapt estimates a linear input layer for each speaker before a frozen network and writes the
// transforms to the file out. Without inputs the utterances are those of the run's own corpus.
func Adapt(ctx context.Context, env *Environment, checkpoint string, inputs []string, out string, o AdaptOptions) (Adapted, error) {
	e, err := newAdaptation(ctx, env, checkpoint, inputs, o)
	if err != nil {
		return Adapted{}, err
	}
	if err := e.run(ctx); err != nil {
		return Adapted{}, err
	}
	e.out.File = out
	return e.out, writeOut(out, "weights", e.set.Write)
}

// adaptation is one call of Adapt.
type adaptation struct {
	env    *Environment
	o      AdaptOptions
	net    *Model
	corpus *corpus.Corpus
	split  datasets.Split
	shapes []corpus.Shape
	whole  bool            // the network classifies utterances, not frames
	labels map[int][]int32 // by utterance: of its frames, or one; nil where the corpus has them
	x      []float32       // a batch filled up
	all    []int32         // its labels
	m      *eval.Sequencer // the network behind the layer
	layer  *adapt.Layer
	set    adapt.Set
	out    Adapted
}

// newAdaptation opens network, utterances and speakers.
func newAdaptation(ctx context.Context, env *Environment, checkpoint string, inputs []string, o AdaptOptions) (*adaptation, error) {
	e := &adaptation{env: env, o: o, split: datasets.Test}
	var err error
	if len(inputs) > 0 {
		e.net, e.corpus, err = openSpeechModel(ctx, env, checkpoint, inputs)
	} else {
		e.split = o.Split
		e.net, e.corpus, err = openOwnCorpus(ctx, env, checkpoint, e.split)
	}
	if err != nil {
		return nil, err
	}
	if err := e.net.Compute(o.Precision); err != nil {
		return nil, err
	}
	e.whole = !classifiesFrames(e.net.Spec)
	if o.Utt2Spk != "" {
		if err := e.corpus.NameSpeakers(e.split, o.Utt2Spk); err != nil {
			return nil, err
		}
	}
	e.shapes = evalShapes(e.corpus, o.Batch, o.Buckets, e.split)
	e.out = Adapted{Model: e.net.Named, Structure: o.Structure, Unit: sequenceUnit(e.net.Spec)}
	e.set = adapt.Set{Network: adapt.Digest(e.net.Params), Structure: o.Structure, Transforms: map[string]speech.Transform{}}
	return e, nil
}

// openOwnCorpus opens a run and the corpus that it was trained on.
func openOwnCorpus(ctx context.Context, env *Environment, path string, split datasets.Split) (*Model, *corpus.Corpus, error) {
	net, err := OpenModel(env, path)
	if err != nil {
		return nil, nil, err
	}
	if _, err := net.frontend(); err != nil {
		return nil, nil, err
	}
	if net.broken != nil {
		return nil, nil, net.broken
	}
	if net.run == nil {
		return nil, nil, config.Usagef("%s is no run folder, which says where its utterances are: name INPUT", net.Named)
	}
	c, err := corpus.Open(ctx, net.run.Data, net.run.Speech, net.run.Train.Seed)
	if err != nil {
		return nil, nil, err
	}
	if c.Len(split) == 0 {
		return nil, nil, config.Usagef("%s has no %s split: name INPUT", net.run.Data.Name, split)
	}
	if err := net.fitsClasses(c.Info()); err != nil {
		return nil, nil, err
	}
	if split == datasets.Val {
		if err := net.heldOut(ctx, net.run.Data.Validation, c.Fingerprint); err != nil {
			return nil, nil, err
		}
	}
	return net, c, net.fitsFrames(c.Info().Dim)
}

// run labels the utterances and estimates the layer of each speaker.
func (e *adaptation) run(ctx context.Context) error {
	if err := e.label(ctx); err != nil {
		return err
	}
	spec := e.net.Spec
	var err error
	o := sequencerOptions{spec: spec, params: e.net.Params, mode: graph.Train, form: eval.Adaptation, device: e.net.device(e.o.Threads)}
	if e.m, err = e.env.sequencer(o, e.shapes...); err != nil {
		return err
	}
	defer e.m.Close()
	if e.layer, err = adapt.NewLayer(e.net.Params, spec.Maps(), e.o.Options); err != nil {
		return err
	}
	for _, speaker := range e.corpus.Speakers(e.split) {
		if err := e.speaker(ctx, speaker); err != nil {
			return fmt.Errorf("speaker %s: %w", speaker, err)
		}
	}
	return nil
}

// speaker estimates the layer of one speaker.
func (e *adaptation) speaker(ctx context.Context, name string) error {
	only := e.corpus.OfSpeaker(e.split, name)
	report := AdaptedSpeaker{Speaker: name, Utterances: len(only)}
	loader, err := e.corpus.NewLoader(corpus.LoaderOptions{Split: e.split, Shapes: e.shapes, Maps: e.net.Spec.Maps(), Utterances: e.whole, Every: true, Only: only, Seed: e.o.Seed})
	if err != nil {
		return err
	}
	defer loader.Close()
	p, err := e.layer.Estimate(ctx, loader, func(b *datasets.Batch) (float64, int, error) {
		loss, n, err := e.pass(b)
		if b.Epoch == 0 {
			report.Labelled += n
		}
		return loss, n, err
	})
	if err != nil {
		return err
	}
	report.FirstLoss, report.LastLoss = p.First, p.Last
	if report.Labelled == 0 && e.o.Iterations > 0 {
		e.out.Notes = append(e.out.Notes, fmt.Sprintf("%s: no %s have a label: the layer stays the identity", name, e.out.Unit))
	}
	e.out.Speakers = append(e.out.Speakers, report)
	e.set.Transforms[name] = e.layer.Transform()
	return nil
}

// pass is adapt.Pass: the batch is filled up to the machine's, with places that have no label.
func (e *adaptation) pass(b *datasets.Batch) (float64, int, error) {
	m, err := e.m.Of(b)
	if err != nil {
		return 0, 0, err
	}
	g := m.Graph
	e.x, e.all = slices.Grow(e.x[:0], g.N*g.ImageLen())[:g.N*g.ImageLen()], slices.Grow(e.all[:0], g.LabelsLen())[:g.LabelsLen()]
	labelled := adapt.Fill(e.x, e.all, g.N, b, e.labels)
	if labelled == 0 {
		return 0, 0, nil
	}
	r, err := m.Train(e.x, e.all, graph.StepOptions{})
	return r.Loss, labelled, err
}

// label gives utterances or frames the labels that the layer is estimated from.
func (e *adaptation) label(ctx context.Context) error {
	switch {
	case e.o.Alignments != "":
		e.out.Labels = "alignments"
		return e.align()
	case e.o.Labels != "":
		e.out.Labels = "labels"
		return e.readLabels()
	}
	e.out.Labels, e.labels = "a first pass", map[int][]int32{}
	spec := e.net.Spec.WithOutput(blocks.OutputFrame)
	m, err := e.net.applied(spec, e.o.Threads, e.shapes...)
	if err != nil {
		return err
	}
	defer m.Close()
	return eachUtterance(ctx, m, e.corpus, corpus.LoaderOptions{Split: e.split, Shapes: e.shapes, Maps: spec.Maps(), Once: true}, spec.Classes, func(i, _ int, logits []float32) error {
		if err := e.net.finite(e.corpus, e.split, i, logits); err != nil {
			return err
		}
		e.labels[i] = adapt.FirstPass(logits, spec.Classes, e.whole, e.o.Confidence)
		return nil
	})
}

func (e *adaptation) align() error {
	if e.whole {
		return config.Usagef("speech adapt: %s classifies utterances, not frames: --labels instead of --alignments", e.net.Named)
	}
	if e.split != datasets.Test {
		return config.Usagef("speech adapt: --alignments are for INPUT or the test split")
	}
	before := len(e.corpus.Info().Notes)
	if err := e.corpus.AlignTest(corpus.AlignmentFiles{Files: e.o.Alignments, States: e.o.States, Subsampling: e.o.AlignmentSubsampling}, e.net.Spec.Classes); err != nil {
		return err
	}
	e.out.Notes = e.corpus.Info().Notes[before:]
	return nil
}

// readLabels gives utterances the classes of a file; those that are not in it have none.
func (e *adaptation) readLabels() error {
	table, err := kaldi.ReadTable(e.o.Labels)
	if err != nil {
		return err
	}
	classes := map[string]int32{}
	for i, name := range e.net.Classes {
		classes[name] = int32(i)
	}
	given := map[string]int32{}
	for _, row := range table {
		k, ok := classes[row.Value]
		if !ok {
			return fmt.Errorf("%s: utterance %s: %w: %s has no class %q", e.o.Labels, row.Key, datasets.ErrData, e.net.Named, row.Value)
		}
		given[row.Key] = k
	}
	e.labels = map[int][]int32{}
	for i := range e.corpus.Len(e.split) {
		k, ok := given[e.corpus.ID(e.split, i)]
		if !ok {
			continue
		}
		n := 1
		if !e.whole {
			n = e.corpus.Frames(e.split, i)
		}
		e.labels[i] = slices.Repeat([]int32{k}, n)
	}
	if len(e.labels) == 0 {
		return fmt.Errorf("%s: %w: it has none of the utterances, such as %s", e.o.Labels, datasets.ErrData, e.corpus.ID(e.split, 0))
	}
	return nil
}

// transforms reads the speakers' transforms before a network; none where no file is named.
func (m *Model) transforms(path string) (map[string]speech.Transform, error) {
	if path == "" {
		return nil, nil
	}
	if m.Spec.Speech == nil {
		return nil, config.Usagef("--adaptation: %s is no network of speech", m.Named)
	}
	set, err := adapt.Open(path, m.Spec.Maps()*m.Spec.Speech.Features, adapt.Digest(m.Params))
	return set.Transforms, err
}
