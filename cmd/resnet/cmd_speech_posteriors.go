package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"resnet/internal/experiment"
	"resnet/internal/text"
)

// posteriorsOptions are the flags of speech posteriors.
type posteriorsOptions struct {
	experiment.PosteriorsOptions
	out  string
	json bool
}

const posteriorsHelp = `Writes the posteriors of every frame: a matrix [frames, classes] for each utterance, as a Kaldi
archive with its script.

INPUT is a Kaldi data directory (with feats.scp or wav.scp), a folder of recordings, or a recording.
Recordings go through the front end that the checkpoint records; stored features must be the static
features that the network was trained on. The values are logarithms of posteriors; the probabilities
of a row sum to one. --likelihoods subtracts the logarithm of each class's share of the training
frames, which the checkpoint records too. The result is a decoder's acoustic score:

  latgen-faster-mapped --acoustic-scale=0.1 --word-symbol-table=words.txt final.mdl HCLG.fst \
    scp:FILE.scp ark:lattices

Class k is pdf k. --adaptation applies each speaker's transform before the network; the speakers are
those of the data directory's utt2spk, or of --utt2spk. --out FILE.ark writes FILE.ark and FILE.scp,
both complete or not at all. A network that classifies utterances gives its frames' values before the
mean.`

func newSpeechPosteriorsCmd(a *app) *cobra.Command {
	o := &posteriorsOptions{}
	c := &cobra.Command{
		Use: "posteriors CHECKPOINT|RUN INPUT... --out FILE.ark", Short: "Write log-posteriors or log-likelihoods of frames for a decoder",
		Long: posteriorsHelp + exitHelp(help65, help66, help70, help73, help74, helpUnwritten),
		Example: "  resnet speech posteriors runs/wrbn-1 data/test --likelihoods --out scores.ark\n" +
			"  resnet speech posteriors runs/fsdd-wrbn-1 seven.wav --out seven.ark",
		Args: atLeastArgs(2, "CHECKPOINT and INPUT"),
		RunE: func(c *cobra.Command, args []string) error {
			return runPosteriors(c.Context(), a, o, args[0], args[1:])
		},
	}
	f := c.Flags()
	f.StringVar(&o.out, "out", "", "archive to write, with its script beside it (.scp)")
	f.BoolVar(&o.Likelihoods, "likelihoods", false, "subtract the log prior of each class")
	f.StringVar(&o.Adaptation, "adaptation", "", "transforms of the speakers, from speech adapt")
	f.StringVar(&o.Utt2Spk, "utt2spk", "", "speakers from a file of lines UTTERANCE SPEAKER")
	bounded(f, &o.Batch, "batch", 8, 1, maxBatch, "utterances computed together")
	bounded(f, &o.Buckets, "buckets", 8, 1, maxBuckets, "lengths that utterances are padded to")
	threadsFlag(f, &o.Threads, "threads (default all cores)")
	precisionFlag(c, &o.Precision, precisionOfCheckpoint)
	f.BoolVar(&o.json, "json", false, "print what was written as JSON")
	return c
}

func (o *posteriorsOptions) check() (ark, scp string, err error) {
	if ark, scp, err = outputs("speech posteriors", o.out); err != nil {
		return "", "", err
	}
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	return ark, scp, nil
}

func runPosteriors(ctx context.Context, a *app, o *posteriorsOptions, checkpoint string, inputs []string) error {
	ark, scp, err := o.check()
	if err != nil {
		return err
	}
	return a.interruptible(ctx, "", func(ctx context.Context) error { return a.posteriors(ctx, o, checkpoint, inputs, ark, scp) })
}

func (a *app) posteriors(ctx context.Context, o *posteriorsOptions, checkpoint string, inputs []string, ark, scp string) error {
	out, err := experiment.WritePosteriors(ctx, a.environment(), checkpoint, inputs, ark, scp, o.PosteriorsOptions)
	if err != nil {
		return err
	}
	if o.json {
		return a.printJSON(out)
	}
	_, err = fmt.Fprintf(a.out, "%s and %s: %s of %s, %s frames, %s classes\n", text.Printable(out.Archive), text.Printable(out.Script), out.Kind, text.Count(out.Utterances, "utterance"),
		text.Grouped(out.Frames), text.Grouped(out.Classes))
	return err
}
