package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"resnet/internal/datasets"
	"resnet/internal/graph"
)

// unit is what a job's data are counted in.
func (j *job) unit() string {
	if j.speech != nil {
		return "utterance"
	}
	return "image"
}

// stepSize says how large an update is.
func (j *job) stepSize() string {
	n := count(j.plan.ImagesPerStep(), j.unit())
	if j.speech != nil {
		return "about " + n
	}
	return n
}

// makeSequencePlan is makePlan for utterances: each batch shape is timed once, after a first batch
// that warms up.
func (a *app) makeSequencePlan(ctx context.Context, j *job) (planReport, error) {
	params := graph.NewParamSet(j.Train.Seed)
	t, err := a.newTrainer(j, params)
	if err != nil {
		return planReport{}, err
	}
	defer t.close()
	perBatch, err := j.speech.timeShapes(ctx, t, j)
	if err != nil {
		return planReport{}, err
	}
	e, err := a.newSequenceEvaluator(j, params)
	if err != nil {
		return planReport{}, err
	}
	defer e.close()
	start := time.Now()
	if _, err := e.evaluate(ctx); err != nil {
		return planReport{}, err
	}
	perEvaluation := time.Since(start).Seconds()
	var values int64
	for _, p := range params.All() {
		values += int64(len(p.Data))
	}
	kept := j.Train.Optimizer.StateValues(values)
	info := j.speech.corpus.Info()
	step := perBatch.Seconds() * float64(j.Train.Accumulate)
	evaluations := j.plan.Evaluations(0)
	return planReport{
		Model: j.spec.Name, Params: values, Input: []int{j.speech.maps, info.Dim / j.speech.maps, j.speech.shapes[len(j.speech.shapes)-1].Frames}, Data: info.Name,
		TrainImages: info.Train, ValImages: info.Val, TestImages: info.Test,
		Batch: j.Train.Batch, Accumulate: j.Train.Accumulate, Steps: j.plan.Iterations, Epochs: j.plan.Epoch(j.plan.Iterations),
		MemoryBytes: t.bytes + e.machines.Bytes() + 4*(2*values+kept), CheckpointBytes: 4 * (values + kept), Threads: j.threads, Kernels: kernelsInUse(),
		SecondsPerStep: step, ImagesPerSecond: float64(j.plan.ImagesPerStep()) / step, Evaluations: evaluations, SecondsPerEvaluation: perEvaluation,
		SecondsTotal: step*float64(j.plan.Iterations) + perEvaluation*float64(evaluations),
		Config:       configValues(&j.Config),
	}, nil
}

// describe prints network, corpus and batch shapes.
func (s *speechJob) describe(w io.Writer, j *job, r planReport) {
	info := s.corpus.Info()
	fmt.Fprintf(w, "model\t%s: %s parameters, for %d maps of %d features\n", r.Model, grouped(r.Params), s.maps, info.Dim/s.maps)
	fmt.Fprintf(w, "data\t%s: %s training, %s validation and %s test utterances of %d classes, %s training frames\n", info.Name, grouped(info.Train),
		grouped(info.Val), grouped(info.Test), info.Count, grouped(info.Frames))
	for _, note := range info.Notes {
		fmt.Fprintf(w, "\t%s\n", note)
	}
	var shapes []string
	for _, shape := range s.shapes {
		shapes = append(shapes, fmt.Sprintf("%dx%d", shape.N, shape.Frames))
	}
	fmt.Fprintf(w, "batches\tof utterances x frames: %s; %d an epoch\n", strings.Join(shapes, ", "), j.plan.BatchesPerEpoch)
}

// timeShapes is the mean time of a batch. Shapes hold about as many utterances each, so those of
// few a batch come more often.
func (s *speechJob) timeShapes(ctx context.Context, t *trainer, j *job) (time.Duration, error) {
	loader, err := s.loader(j.Train.Seed, 0, 0)
	if err != nil {
		return 0, err
	}
	defer loader.Close()
	took := map[int]time.Duration{}
	var sum, weights float64
	for range s.corpus.PerEpoch(s.shapes) {
		if len(took) == len(s.shapes) {
			break
		}
		b, err := loader.Next(ctx)
		if err != nil {
			return 0, err
		}
		if _, known := took[b.Frames]; !known {
			if took[b.Frames], err = timeBatch(t, b); err != nil {
				return 0, err
			}
			sum += took[b.Frames].Seconds() / float64(b.N)
			weights += 1 / float64(b.N)
		}
		loader.Recycle(b)
	}
	return seconds(sum / weights), nil
}

// timeBatch is the time of a batch on the machine of its shape.
func timeBatch(t *trainer, b *datasets.Batch) (time.Duration, error) {
	m, err := t.of(b)
	if err != nil {
		return 0, err
	}
	return timeSecond(func() error { _, err := m.Train(b.X, b.Labels, graph.StepOptions{}); return err })
}
