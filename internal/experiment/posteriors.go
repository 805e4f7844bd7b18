package experiment

import (
	"context"
	"fmt"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/datasets/speech/corpus"
	"resnet/internal/datasets/speech/kaldi"
	"resnet/internal/eval"
)

// PosteriorsOptions say what is written of every frame.
type PosteriorsOptions struct {
	Likelihoods bool   // subtract the log prior of each class
	Adaptation  string // file of speakers' transforms, or ""
	Utt2Spk     string // file of lines UTTERANCE SPEAKER, or ""
	Batch       int    // utterances computed together
	Buckets     int    // lengths that utterances are padded to
	Threads     int
	Precision   string // in place of what the checkpoint says; see Model.Compute
}

// Posteriors is what WritePosteriors wrote: `speech posteriors --json`.
type Posteriors struct {
	Archive    string `json:"archive"`
	Script     string `json:"script"`
	Kind       string `json:"kind"`
	Utterances int    `json:"utterances"`
	Frames     int    `json:"frames"`
	Classes    int    `json:"classes"`
}

// WritePosteriors writes a matrix [frames, classes] for each utterance to a Kaldi archive and its
// script; both appear when all is done.
func WritePosteriors(ctx context.Context, env *Environment, checkpoint string, inputs []string, ark, scp string, o PosteriorsOptions) (Posteriors, error) {
	out := Posteriors{Archive: ark, Script: scp, Kind: "log-posteriors"}
	net, c, err := openSpeechModel(ctx, env, checkpoint, inputs)
	if err != nil {
		return out, err
	}
	if err := net.Compute(o.Precision); err != nil {
		return out, err
	}
	if err := o.speakers(net, c); err != nil {
		return out, err
	}
	var prior []float64
	if o.Likelihoods {
		if len(net.ClassCounts) != net.Spec.Classes {
			return out, fmt.Errorf("%s: %w: it has no counts of its %d classes: --likelihoods needs a checkpoint of a training", net.Named, eval.ErrModel, net.Spec.Classes)
		}
		prior, out.Kind = eval.LogPriors(net.ClassCounts), "log-likelihoods"
	}
	w, err := kaldi.Create(ark, scp)
	if err != nil {
		return out, err
	}
	defer w.Discard()
	spec := net.Spec.WithOutput(blocks.OutputFrame)
	shapes := evalShapes(c, o.Batch, o.Buckets, datasets.Test)
	machines, err := net.applied(spec, o.Threads, shapes...)
	if err != nil {
		return out, err
	}
	defer machines.Close()
	out.Classes = spec.Classes
	err = eachUtterance(ctx, machines, c, corpus.LoaderOptions{Split: datasets.Test, Shapes: shapes, Maps: spec.Maps(), Once: true}, spec.Classes,
		func(i, frames int, logits []float32) error {
			if err := net.finite(c, datasets.Test, i, logits); err != nil {
				return err
			}
			eval.LogPosteriors(logits, spec.Classes, prior)
			out.Utterances++
			out.Frames += frames
			return w.WriteMatrix(c.ID(datasets.Test, i), frames, spec.Classes, logits)
		})
	if err != nil {
		return out, err
	}
	return out, w.Commit()
}

// speakers gives the utterances their speakers and those their transforms.
func (o PosteriorsOptions) speakers(net *Model, c *corpus.Corpus) error {
	if o.Utt2Spk != "" {
		if err := c.NameSpeakers(datasets.Test, o.Utt2Spk); err != nil {
			return err
		}
	}
	by, err := net.transforms(o.Adaptation)
	if err != nil || by == nil {
		return err
	}
	return c.Adapt(datasets.Test, o.Adaptation, by)
}
