package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/datasets/speech/corpus"
	"resnet/internal/datasets/speech/kaldi"
	"resnet/internal/eval"
	"resnet/internal/graph"
)

// posteriorsOptions are the flags of speech posteriors.
type posteriorsOptions struct {
	out         string
	likelihoods bool
	adaptation  string
	utt2spk     string
	batch       int
	buckets     int
	threads     int
	json        bool
}

const posteriorsHelp = `Writes what a speech network says of every frame: a matrix [frames, classes] for each utterance, as a Kaldi archive and the script that points into it.

INPUT is a Kaldi data directory (with feats.scp, or wav.scp), a folder of recordings, or a recording. Features go through the front end that the checkpoint keeps; stored ones have
to be the static features that it was trained on. The matrices are logarithms of posteriors, each row summing to one in probability. --likelihoods subtracts the logarithm of
each class's share of the training frames, which the checkpoint keeps too: acoustic scores for a decoder, as in

  latgen-faster-mapped --acoustic-scale=0.1 --word-symbol-table=words.txt final.mdl HCLG.fst scp:FILE.scp ark:lattices

where class k is pdf k. --adaptation puts each speaker's transform before the network; the speakers are those of the data directory's utt2spk, or of --utt2spk. --out FILE.ark writes FILE.ark and FILE.scp, both complete or not at all. A network of whole utterances gives what it says of each frame before the mean.`

func newSpeechPosteriorsCmd(a *app) *cobra.Command {
	o := &posteriorsOptions{}
	c := &cobra.Command{
		Use: "posteriors CHECKPOINT|RUN INPUT... --out FILE.ark", Short: "Write log-posteriors or log-likelihoods of frames for a decoder",
		Long: posteriorsHelp + exitHelp(help65, help66, help70, help74, "130, 143  stopped by SIGINT or SIGTERM; nothing is written"),
		Example: "  resnet speech posteriors runs/wrbn-1 data/test --likelihoods --out scores.ark\n" +
			"  resnet speech posteriors runs/fsdd-wrbn-1 seven.wav --out seven.ark",
		Args: atLeastArgs(2, "CHECKPOINT and INPUT"),
		RunE: func(c *cobra.Command, args []string) error {
			return runPosteriors(c.Context(), a, o, args[0], args[1:])
		},
	}
	f := c.Flags()
	f.StringVar(&o.out, "out", "", "archive to write, with its script beside it (.scp)")
	f.BoolVar(&o.likelihoods, "likelihoods", false, "subtract the log prior of each class")
	f.StringVar(&o.adaptation, "adaptation", "", "transforms of the speakers, from speech adapt")
	f.StringVar(&o.utt2spk, "utt2spk", "", "speakers from a file of lines UTTERANCE SPEAKER")
	f.IntVar(&o.batch, "batch", 8, "utterances computed together")
	f.IntVar(&o.buckets, "buckets", 8, "lengths that utterances are padded to")
	f.IntVar(&o.threads, "threads", 0, "threads (default all cores)")
	f.BoolVar(&o.json, "json", false, "print what was written as JSON")
	return c
}

// posteriorsOutcome is `speech posteriors --json`.
type posteriorsOutcome struct {
	Archive    string `json:"archive"`
	Script     string `json:"script"`
	Kind       string `json:"kind"`
	Utterances int    `json:"utterances"`
	Frames     int    `json:"frames"`
	Classes    int    `json:"classes"`
}

func (o *posteriorsOptions) check() (ark, scp string, err error) {
	if ark, scp, err = outputs("speech posteriors", o.out); err != nil {
		return "", "", err
	}
	if o.batch < 1 || o.buckets < 1 || o.threads < 0 {
		return "", "", usageErrorf("speech posteriors: --batch and --buckets are at least 1, --threads at least 0")
	}
	if o.threads == 0 {
		o.threads = runtime.GOMAXPROCS(0)
	}
	return ark, scp, nil
}

func runPosteriors(ctx context.Context, a *app, o *posteriorsOptions, checkpoint string, inputs []string) error {
	ark, scp, err := o.check()
	if err != nil {
		return err
	}
	ctx, status, stop := interruptible(ctx)
	defer stop()
	out, err := o.write(ctx, a, checkpoint, inputs, ark, scp)
	if err != nil {
		if s := status(); s != 0 {
			return &silentError{&stoppedError{s}}
		}
		return err
	}
	if o.json {
		return a.printJSON(out)
	}
	_, err = fmt.Fprintf(a.out, "%s and %s: %s of %s, %s frames, %s classes\n", out.Archive, out.Script, out.Kind, count(out.Utterances, "utterance"),
		grouped(out.Frames), grouped(out.Classes))
	return err
}

func (o *posteriorsOptions) write(ctx context.Context, a *app, checkpoint string, inputs []string, ark, scp string) (posteriorsOutcome, error) {
	out := posteriorsOutcome{Archive: ark, Script: scp, Kind: "log-posteriors"}
	net, c, err := a.openSpeechModel(ctx, checkpoint, inputs)
	if err != nil {
		return out, err
	}
	if err := o.speakers(net, c); err != nil {
		return out, err
	}
	var prior []float64
	if o.likelihoods {
		if len(net.ClassCounts) != net.Spec.Classes {
			return out, fmt.Errorf("%s: %w: it has no counts of its %d classes: --likelihoods needs a checkpoint of a training", net.named, eval.ErrModel, net.Spec.Classes)
		}
		prior, out.Kind = eval.LogPriors(net.ClassCounts), "log-likelihoods"
	}
	w, err := kaldi.Create(ark, scp)
	if err != nil {
		return out, err
	}
	defer w.Discard()
	spec := net.Spec.WithOutput(blocks.OutputFrame)
	shapes := evalShapes(c, o.batch, o.buckets, datasets.Test)
	machines, err := a.sequencer(spec, net.Params, graph.Eval, eval.Plain, o.threads, shapes...)
	if err != nil {
		return out, err
	}
	defer machines.Close()
	k := spec.Classes
	out.Classes = k
	return out, eachUtterance(ctx, machines, c, corpus.LoaderOptions{Split: datasets.Test, Shapes: shapes, Maps: spec.Maps(), Once: true}, k,
		func(i, frames int, logits []float32) error {
			for _, z := range logits {
				if z-z != 0 {
					return fmt.Errorf("%s: utterance %s: %w", net.named, c.ID(datasets.Test, i), eval.ErrNonFinite)
				}
			}
			eval.LogPosteriors(logits, k, prior)
			out.Utterances++
			out.Frames += frames
			return w.WriteMatrix(c.ID(datasets.Test, i), frames, k, logits)
		}, w.Commit)
}

// speakers gives the utterances their speakers and those their transforms.
func (o *posteriorsOptions) speakers(net *model, c *corpus.Corpus) error {
	if o.utt2spk != "" {
		if err := c.NameSpeakers(datasets.Test, o.utt2spk); err != nil {
			return err
		}
	}
	by, err := net.transforms(o.adaptation)
	if err != nil || by == nil {
		return err
	}
	return c.Adapt(datasets.Test, o.adaptation, by)
}

// eachUtterance runs a network of frames over every utterance of a split and hands over its logits
// [frames, k], which f may change; then it calls end.
func eachUtterance(ctx context.Context, net eval.SequenceNetwork, c *corpus.Corpus, o corpus.LoaderOptions, k int, f func(i, frames int, logits []float32) error, end func() error) error {
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
	return end()
}

// openSpeechModel opens a checkpoint of a speech network and the utterances that it is to hear.
func (a *app) openSpeechModel(ctx context.Context, path string, inputs []string) (*model, *corpus.Corpus, error) {
	net, err := a.openModel(path)
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

// frontend is how the input of a speech network is made.
func (m *model) frontend() (corpus.Frontend, error) {
	if m.Frontend == "" || m.Spec.Speech == nil {
		return corpus.Frontend{}, fmt.Errorf("%s: %w: it is no network of speech", m.named, eval.ErrModel)
	}
	f, err := corpus.DecodeFrontend(m.Frontend)
	if err != nil {
		return f, fmt.Errorf("%s: %w: its front end: %w", m.named, eval.ErrModel, err)
	}
	return f, nil
}

// fitsFrames says why the network cannot hear frames of so many values, or nil.
func (m *model) fitsFrames(dim int) error {
	if want := m.Spec.Maps() * m.Spec.Speech.Features; dim != want {
		return fmt.Errorf("%s: %w: it takes frames of %d values (%d maps of %d), and these have %d", m.named, eval.ErrModel, want, m.Spec.Maps(), m.Spec.Speech.Features, dim)
	}
	return nil
}
