package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"resnet/internal/blocks"
	"resnet/internal/graph"
)

// planReport is `train --dry-run --json`.
type planReport struct {
	Model           string  `json:"model"`
	Params          int64   `json:"params"`
	MACs            int64   `json:"macs"`
	Input           []int   `json:"input"`
	Data            string  `json:"data"`
	TrainImages     int     `json:"train_images"`
	ValImages       int     `json:"validation_images"`
	TestImages      int     `json:"test_images"`
	Batch           int     `json:"batch"`
	Accumulate      int     `json:"accumulate"`
	Steps           int     `json:"steps"`
	Epochs          float64 `json:"epochs"`
	MemoryBytes     int64   `json:"memory_bytes"`
	CheckpointBytes int64   `json:"checkpoint_bytes"`
	Threads         int     `json:"threads"`
	Kernels         string  `json:"kernels"`
	SecondsPerStep  float64 `json:"seconds_per_step"`
	ImagesPerSecond float64 `json:"images_per_second"`
	Evaluations     int     `json:"evaluations"`
	// SecondsPerEvaluation is of all the images that an evaluation measures.
	SecondsPerEvaluation float64        `json:"seconds_per_evaluation"`
	SecondsTotal         float64        `json:"seconds_total"`
	Config               map[string]any `json:"config"`
}

// printPlan prints what a training would do. The time is that of real steps and of an evaluated
// batch on this machine.
func (a *app) printPlan(ctx context.Context, j *job, asJSON bool) error {
	r, err := a.makePlan(ctx, j)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(r)
	}
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	if j.speech == nil {
		fmt.Fprintf(tw, "model\t%s: %s parameters, %s multiply-adds for an image of %s\n", r.Model, grouped(r.Params), grouped(r.MACs), dims(r.Input))
		fmt.Fprintf(tw, "data\t%s: %s training, %s validation and %s test images\n", r.Data, grouped(r.TrainImages), grouped(r.ValImages), grouped(r.TestImages))
	} else {
		j.speech.describe(tw, j, r)
	}
	fmt.Fprintf(tw, "steps\t%s of %s, %.1f epochs\n", grouped(r.Steps), j.stepSize(), r.Epochs)
	fmt.Fprintf(tw, "memory\tabout %s\n", bytesText(r.MemoryBytes))
	fmt.Fprintf(tw, "checkpoint\t%s each\n", bytesText(r.CheckpointBytes))
	fmt.Fprintf(tw, "speed\t%.1f ms a step, %.0f %ss/s (%s, %s kernels)\n", 1000*r.SecondsPerStep, r.ImagesPerSecond, j.unit(), count(r.Threads, "thread"), r.Kernels)
	fmt.Fprintf(tw, "time\tabout %s with %s of %s; an epoch %s\n", duration(seconds(r.SecondsTotal)), count(r.Evaluations, "evaluation"), duration(seconds(r.SecondsPerEvaluation)),
		duration(seconds(r.SecondsPerStep*float64(r.Steps)/max(r.Epochs, 1e-9))))
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out, "\nNothing was written.")
	return err
}

func (a *app) makePlan(ctx context.Context, j *job) (planReport, error) {
	if j.speech != nil {
		return a.makeSequencePlan(ctx, j)
	}
	info := j.data.Info()
	sum, err := blocks.Summarize(j.spec)
	if err != nil {
		return planReport{}, err
	}
	params := graph.NewParamSet(j.Train.Seed)
	m, err := a.machineFor(j, j.Train.Batch, graph.Train, params)
	if err != nil {
		return planReport{}, err
	}
	defer m.Close()
	perBatch, err := j.timeStep(ctx, m)
	if err != nil {
		return planReport{}, err
	}
	perEvaluation, err := a.timeEvaluation(j, params)
	if err != nil {
		return planReport{}, err
	}
	var values, trainable int64
	for _, p := range params.All() {
		values += int64(len(p.Data))
		if p.Trainable() {
			trainable += int64(len(p.Data))
		}
	}
	kept := j.Train.Optimizer.StateValues(trainable)
	step := perBatch.Seconds() * float64(j.Train.Accumulate)
	image := int64(info.Channels * info.Height * info.Width)
	images := int64(info.Train + info.Val + info.Test)
	evaluations := j.plan.Evaluations(0)
	batches := int64(max(j.Data.Workers, 1) + 2)
	return planReport{
		Model: j.spec.Name, Params: sum.Params, MACs: sum.MACs, Input: sum.Input, Data: info.Name,
		TrainImages: info.Train, ValImages: info.Val, TestImages: info.Test,
		Batch: j.Train.Batch, Accumulate: j.Train.Accumulate, Steps: j.plan.Iterations, Epochs: j.plan.Epoch(j.plan.Iterations),
		// Values, gradients and what the optimizer keeps; batches made ahead; the data set's bytes.
		MemoryBytes:     m.Bytes() + 4*(values+trainable+kept) + batches*4*image*int64(j.Train.Batch) + images*image,
		CheckpointBytes: 4 * (values + kept), Threads: j.threads, Kernels: kernelsInUse(),
		SecondsPerStep: step, ImagesPerSecond: float64(j.plan.ImagesPerStep()) / step, Evaluations: evaluations, SecondsPerEvaluation: perEvaluation,
		SecondsTotal: step*float64(j.plan.Iterations) + perEvaluation*float64(evaluations),
		Config:       configValues(&j.Config),
	}, nil
}

// timeStep is the time of a batch.
func (j *job) timeStep(ctx context.Context, m graph.Machine) (time.Duration, error) {
	loader, err := j.loader(0, 0)
	if err != nil {
		return 0, err
	}
	defer loader.Close()
	b, err := loader.Next(ctx)
	if err != nil {
		return 0, err
	}
	return timeSecond(func() error { _, err := m.Train(b.X, b.Labels, graph.StepOptions{}); return err })
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

// timeEvaluation estimates the seconds of an evaluation from the time of a batch, the second one.
func (a *app) timeEvaluation(j *job, params *graph.ParamSet) (float64, error) {
	info := j.data.Info()
	images := info.Val + info.Test
	if j.Eval.TrainSet {
		images += info.Train
	}
	batch := min(j.Eval.Batch, max(images, 1))
	m, err := a.machineFor(j, batch, graph.Eval, params)
	if err != nil {
		return 0, err
	}
	defer m.Close()
	x := make([]float32, batch*info.Channels*info.Height*info.Width)
	took, err := timeSecond(func() error { _, err := m.Infer(x, batch); return err })
	return took.Seconds() / float64(batch) * float64(images), err
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
