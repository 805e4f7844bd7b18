package experiment

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/graph"
	"resnet/internal/system"
	"resnet/internal/train"
)

// Estimate is what a training would do and take: `train --dry-run --json`. Images stands for
// utterances, too.
type Estimate struct {
	Model       string  `json:"model"`
	Params      int64   `json:"params"`
	MACs        int64   `json:"macs"`
	Input       []int   `json:"input"`
	Data        string  `json:"data"`
	TrainImages int     `json:"train_images"`
	ValImages   int     `json:"validation_images"`
	TestImages  int     `json:"test_images"`
	Batch       int     `json:"batch"`
	Accumulate  int     `json:"accumulate"`
	Steps       int     `json:"steps"`
	Epochs      float64 `json:"epochs"`
	// MemoryBytes is the sum of Memory's parts.
	MemoryBytes int64       `json:"memory_bytes"`
	Memory      MemoryParts `json:"memory"`
	// PeakRSSBytes is what this process took at most: a dry run holds and computes all that a
	// training does. 0 where the system does not say.
	PeakRSSBytes    int64 `json:"peak_rss_bytes"`
	CheckpointBytes int64 `json:"checkpoint_bytes"`
	Threads         int   `json:"threads"`
	Workers         int   `json:"workers"` // that share them, and the micro-batches of a step
	// SuggestedWorkers suit the threads: see Experiment.SuggestedWorkers.
	SuggestedWorkers int             `json:"suggested_workers"`
	Kernels          string          `json:"kernels"`
	Precision        graph.Precision `json:"precision"`
	SecondsPerStep   float64         `json:"seconds_per_step"`
	ImagesPerSecond  float64         `json:"images_per_second"`
	Evaluations      int             `json:"evaluations"`
	// SecondsPerEvaluation is of all the images that an evaluation measures.
	SecondsPerEvaluation float64 `json:"seconds_per_evaluation"`
	SecondsTotal         float64 `json:"seconds_total"`
	// FeaturesSeconds is how long computing the features of frozen layers takes, which is once, and
	// FeaturesBytes what their files take: see train.cache_features.
	FeaturesSeconds float64        `json:"features_seconds,omitempty"`
	FeaturesBytes   int64          `json:"features_bytes,omitempty"`
	Config          map[string]any `json:"config"`

	// Notes are remarks on what the training would start from.
	Notes []string `json:"-"`

	described [][2]string
}

// MemoryParts are what a training holds in memory, in bytes. The program itself comes besides.
type MemoryParts struct {
	Training   int64 `json:"training"`   // activations and their gradients, packed weights
	Evaluation int64 `json:"evaluation"` // the same of evaluating
	Parameters int64 `json:"parameters"` // their values, gradients, and what the optimizer keeps
	Data       int64 `json:"data"`       // the data set, and batches that are made ahead
}

func (m MemoryParts) sum() int64 { return m.Training + m.Evaluation + m.Parameters + m.Data }

// Describe says what the network and the data are, a name and a text each.
func (p Estimate) Describe() [][2]string { return p.described }

// SecondsPerEpoch is the time of an epoch's updates.
func (p Estimate) SecondsPerEpoch() float64 {
	return p.SecondsPerStep * float64(p.Steps) / max(p.Epochs, 1e-9)
}

// estimate does everything that a training does before its first step, and times real steps and
// an evaluation on this machine.
func (t *Training) estimate(ctx context.Context, r *ready) (Estimate, error) {
	x := t.Experiment
	sum, err := blocks.Summarize(x.Spec)
	if err != nil {
		return Estimate{}, err
	}
	perBatch, err := t.timeBatches(ctx, r)
	if err != nil {
		return Estimate{}, err
	}
	perEvaluation, err := x.data.timeEvaluation(ctx, r.evaluator)
	if err != nil {
		return Estimate{}, err
	}
	all, trainable, kept := x.values(r.params)
	trainN, valN, testN := x.data.sizes()
	e := Estimate{
		Model: x.Spec.Name, Params: sum.Params, MACs: sum.MACs, Input: x.data.input(), Data: x.Data.Name,
		TrainImages: trainN, ValImages: valN, TestImages: testN,
		Batch: x.Train.Batch, Accumulate: x.Train.Accumulate, Steps: x.Plan.Iterations, Epochs: x.Plan.Epoch(x.Plan.Iterations),
		Memory:          MemoryParts{Training: r.trainer.bytes() + int64(t.replicaNeed(r).bytes), Evaluation: r.evaluator.bytes(), Parameters: 4 * (all + x.sums(trainable) + kept), Data: x.data.bytes()},
		CheckpointBytes: x.checkpointBytes(r.params), Threads: x.Threads, Workers: x.workers(), SuggestedWorkers: x.SuggestedWorkers(), Kernels: Kernels(x.Precision()), Precision: x.Precision(),
		Config: config.Values(&x.Config), Notes: r.notes,
	}
	e.setTimes(x.Plan, x.workers(), perBatch.Seconds(), perEvaluation.Seconds())
	if d, ok := x.data.(*images); ok && d.cache != nil {
		took, err := d.cache.timeFeatures()
		if err != nil {
			return Estimate{}, err
		}
		e.FeaturesSeconds, e.FeaturesBytes = took.Seconds(), d.cache.fileBytes()
		e.SecondsTotal += e.FeaturesSeconds
	}
	e.MemoryBytes, e.PeakRSSBytes = e.Memory.sum(), system.PeakRSS()
	e.described = x.data.describe(e)
	return e, nil
}

// setTimes says how long the plan takes, from the seconds of a batch's gradients and of an
// evaluation. So many workers compute a batch each at a time.
func (p *Estimate) setTimes(plan train.Plan, workers int, batch, evaluation float64) {
	p.SecondsPerStep = batch * float64(plan.Config.Accumulate/workers)
	p.ImagesPerSecond = float64(plan.ImagesPerStep()) / p.SecondsPerStep
	p.Evaluations, p.SecondsPerEvaluation = plan.Evaluations(0), evaluation
	p.SecondsTotal = p.secondsLeft(plan, 0)
}

// secondsLeft is the time of what is left of the plan after so many steps, evaluations included.
func (p *Estimate) secondsLeft(plan train.Plan, done int) float64 {
	return p.SecondsPerStep*float64(plan.Iterations-done) + p.SecondsPerEvaluation*float64(plan.Evaluations(done))
}

// timeBatches is the time of a batch while every worker computes one.
func (t *Training) timeBatches(ctx context.Context, r *ready) (time.Duration, error) {
	trainers := []trainer{r.trainer}
	for _, m := range r.more {
		trainers = append(trainers, m.trainer)
	}
	took, errs := make([]time.Duration, len(trainers)), make([]error, len(trainers))
	var group sync.WaitGroup
	for i, m := range trainers {
		group.Go(func() { took[i], errs[i] = t.data.timeBatch(ctx, m) })
	}
	group.Wait()
	return slices.Max(took), errors.Join(errs...)
}

// timeSecond runs f twice and returns the time of the second: the first one warms up.
func timeSecond(f func() error) (time.Duration, error) {
	var took time.Duration
	for range 2 {
		start := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		took = time.Since(start)
	}
	return took, nil
}

// timeTraining is the time of the gradients of a batch.
func timeTraining(t trainer, b *datasets.Batch) (time.Duration, error) {
	m, err := t.machine(b)
	if err != nil {
		return 0, err
	}
	return timeSecond(func() error {
		_, err := m.Train(b.X, b.Labels, graph.StepOptions{Targets: t.targets().Of(b)})
		return err
	})
}
