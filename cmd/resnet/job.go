package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
	"resnet/internal/train"
)

// job is an experiment made ready: data open, network chosen, steps planned. Making it writes
// nothing.
type job struct {
	*loaded
	data    *datasets.Dataset // images, or nil
	speech  *speechJob        // utterances, or nil
	spec    blocks.Spec
	plan    train.Plan
	norm    datasets.Normalizer
	threads int
	onSkip  func(id string, err error) // told of corrupt training images that are left out; may be nil
}

// newJob resolves a configuration against its data. Mistakes that only the data show (a batch
// larger than the set) are configuration errors; missing and bad files are those of package
// datasets. Jobs of one command share its open data sets.
func newJob(ctx context.Context, l *loaded, threads int, open dataSets) (*job, error) {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	if l.Data.Dir != "" { // relative to where the user is now; a resumed run may be started from elsewhere
		dir, err := filepath.Abs(l.Data.Dir)
		if err != nil {
			return nil, &ioError{err}
		}
		l.Data.Dir = dir
	}
	if l.Model.Weights != "" {
		path, err := filepath.Abs(l.Model.Weights)
		if err != nil {
			return nil, &ioError{err}
		}
		l.Model.Weights = path
	}
	j := &job{loaded: l, threads: threads}
	if datasets.IsSpeech(l.Data.Name) {
		if err := j.absoluteSpeech(); err != nil {
			return nil, err
		}
		return j, j.openSpeech(ctx, open)
	}
	dataConfig := l.Data
	if datasets.AnySize(dataConfig.Name) && dataConfig.Size == 0 {
		own, err := blocks.Resolve(l.Model, blocks.DataInfo{})
		if err != nil {
			return nil, l.located(err)
		}
		dataConfig.Size = own.InputSize
	}
	var err error
	if j.data, err = open.open(ctx, dataConfig, l.Train.Seed); err != nil {
		return nil, err
	}
	info := j.data.Info()
	if info.Height != info.Width {
		return nil, usageErrorf("data: %s has images of %dx%d, and the networks take squares", info.Name, info.Height, info.Width)
	}
	if j.spec, err = blocks.Resolve(l.Model, blocks.DataInfo{Channels: info.Channels, Size: info.Height, Classes: len(info.Classes)}); err != nil {
		return nil, l.located(err)
	}
	if j.spec.Family == blocks.FamilySpeech {
		return nil, usageErrorf("model.name: %s takes speech, and %s has images: set data.name to fsdd, kaldi or recordings", j.spec.Name, info.Name)
	}
	if j.plan, err = train.NewPlan(l.Train, l.Eval, info.Train); err != nil {
		return nil, l.located(err)
	}
	if j.norm, err = datasets.FitNormalizer(ctx, j.data, l.Data.Normalize); err != nil {
		return nil, err
	}
	return j, nil
}

// dataName and classNames are of images or utterances.
func (j *job) dataName() string { return j.Data.Name }

// testSize is the number of test images or utterances.
func (j *job) testSize() int {
	if j.speech != nil {
		return j.speech.corpus.Len(datasets.Test)
	}
	return j.data.Len(datasets.Test)
}

// notes say what was left out or repaired.
func (j *job) notes() []string {
	if j.speech != nil {
		return j.speech.corpus.Info().Notes
	}
	return j.data.Notes()
}

func (j *job) classNames() []string {
	if j.speech != nil {
		return j.speech.corpus.Info().Classes
	}
	return j.data.Info().Classes
}

// loader opens the training batches from an epoch's batch on.
func (j *job) loader(epoch, batch int) (train.Loader, error) {
	if j.speech != nil {
		return j.speech.loader(j.Train.Seed, epoch, batch)
	}
	return datasets.NewLoader(j.data, datasets.LoaderOptions{
		Split: datasets.Train, Batch: j.Train.Batch, Seed: j.Train.Seed, Shuffle: true, DropLast: true,
		Augment: j.Data.Augment, Normalizer: j.norm, Workers: j.Data.Workers, StartEpoch: epoch, StartBatch: batch, OnSkip: j.onSkip,
	})
}

// graph draws the network for batches of so many images over params.
func (j *job) graph(batch int, mode graph.Mode, params *graph.ParamSet) (*graph.Graph, error) {
	return blocks.Build(j.spec, batch, mode, params)
}

// meta is what the checkpoints carry so that they can be evaluated by themselves.
func (j *job) meta() (weights.Meta, error) {
	arch, err := json.Marshal(j.spec)
	if err != nil {
		return weights.Meta{}, err
	}
	m := weights.Meta{
		Arch: string(arch), Classes: j.classNames(), Dataset: j.dataName(),
	}
	if j.speech == nil {
		m.Preprocessing = j.data.Preprocessing(j.norm).Encode()
	} else {
		m.Preprocessing = datasets.Preprocessing{Normalizer: datasets.Normalizer{Kind: datasets.NoNormalizing}}.Encode()
		m.Frontend, m.ClassCounts = j.Speech.Frontend.Encode(), make([]int64, j.spec.Classes) // model.classes may be more than the corpus has
		copy(m.ClassCounts, j.speech.corpus.Counts())
	}
	if j.spec.Shortcut == blocks.OptionA {
		m.ShortcutPad = "sides"
		if j.spec.PadEnd {
			m.ShortcutPad = "end"
		}
	}
	return m, nil
}

// configValues is the configuration as nested maps, for comparing and for digests.
func configValues(c *Config) map[string]any {
	m, _ := configMap(configSchema(), c).(map[string]any)
	return m
}

// configDigest identifies what a configuration trains: keys that change no result are left out.
func configDigest(c *Config) string {
	h := sha256.New()
	for _, change := range train.DiffConfig(configValues(c), map[string]any{}) {
		if change.Safety != train.Always {
			fmt.Fprintf(h, "%s=%s\n", change.Key, change.Old)
		}
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// leastMemory is a lower bound of what training takes, in bytes: every convolution's output has to
// be kept for the backward pass, and there are parameters, gradients and what the optimizer keeps.
func (j *job) leastMemory() (int64, error) {
	if j.speech != nil {
		return 0, nil // the machines of its shapes say so
	}
	sum, err := blocks.Summarize(j.spec)
	if err != nil {
		return 0, err
	}
	var values int64
	for _, l := range sum.Layers {
		if l.MACs == 0 {
			continue
		}
		n := int64(1)
		for _, d := range l.Output {
			n *= int64(d)
		}
		values += n
	}
	return 4 * (values*int64(j.Train.Batch) + 2*sum.Params + j.Train.Optimizer.StateValues(sum.Params)), nil
}

// checkMemory refuses a job that cannot fit, before anything is allocated. limit is --max-memory; 0
// means GOMEMLIMIT, or else what the machine has free.
func checkMemory(need, limit int64, batch int) error {
	source := "--max-memory"
	if limit <= 0 {
		limit, source = debug.SetMemoryLimit(-1), "GOMEMLIMIT"
		if limit == math.MaxInt64 {
			limit, source = readSystem().available(), "the free memory"
		}
	}
	if limit > 0 && need > limit {
		return usageErrorf("train.batch: a batch of %d needs at least %s of memory, and %s is %s: lower train.batch (train.accumulate keeps the batch of an update)",
			batch, bytesText(need), source, bytesText(limit))
	}
	return nil
}
