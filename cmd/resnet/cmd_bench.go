package main

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"resnet/internal/blocks"
	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
	"resnet/internal/train"
)

// benchOptions are the flags of bench.
type benchOptions struct {
	arch    string
	batch   int // 0 means the default of the architecture
	frames  int
	threads int
	steps   int
	json    bool
}

// Batches of bench where the user names none: that of the paper's CIFAR experiments, and utterances
// of a speech network.
const (
	benchImages     = 128
	benchUtterances = 8
)

// benchReport is `bench --json`. The time is the median; gflops counts two operations a
// multiply-add of the direct method, three times as many for training (forward and both gradients).
type benchReport struct {
	Arch            string   `json:"arch"`
	Mode            string   `json:"mode"`
	Precision       string   `json:"precision"`
	Batch           int      `json:"batch"`
	Frames          int      `json:"frames,omitempty"` // of each utterance, which images_per_second then counts
	Threads         int      `json:"threads"`
	ImagesPerSecond float64  `json:"images_per_second"`
	FramesPerSecond float64  `json:"frames_per_second,omitempty"`
	MsPerStep       float64  `json:"ms_per_step"`
	MsMin           float64  `json:"ms_min"`
	MsMax           float64  `json:"ms_max"`
	Steps           int      `json:"steps"`
	GFLOPS          float64  `json:"gflops"`
	PercentOfPeak   *float64 `json:"percent_of_peak"` // null where the peak is not measured
	PeakRSSBytes    int64    `json:"peak_rss_bytes"`
	Kernels         string   `json:"kernels"`
	CPU             string   `json:"cpu"`
	Version         string   `json:"version"`
}

func newBenchCmd(a *app) *cobra.Command {
	return group("bench", "Measure the speed of training, inference, kernels and of preparing images",
		"Figures of networks are the median of the steps after two of warm-up, on random images, or utterances for networks of speech: no data loading. That is measured by `bench data`."+exitHelp(),
		"  resnet bench train --arch resnet20 --batch 128\n  resnet bench infer --arch resnet56 --threads 1 --json\n  resnet bench train --arch wrbn --batch 8 --frames 300",
		append([]*cobra.Command{
			newBenchNetCmd(a, "train", "Measure training steps: forward, backward and the update of SGD"),
			newBenchNetCmd(a, "infer", "Measure inference with running statistics"),
			newBenchDataCmd(a),
		}, kernelBenches(a)...)...)
}

func newBenchNetCmd(a *app, mode, short string) *cobra.Command {
	o := &benchOptions{}
	c := &cobra.Command{
		Use: mode, Short: short, Long: short + "." + exitHelp(),
		Example: fmt.Sprintf("  resnet bench %s --arch resnet20\n  resnet bench %s --arch resnet110 --batch 128 --threads 2 --json", mode, mode),
		Args:    exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			r, err := a.benchNet(mode, o)
			if err != nil {
				return err
			}
			return a.printBench(r, o.json)
		},
	}
	c.Flags().StringVar(&o.arch, "arch", "resnet20", "architecture; 'resnet models list' shows all")
	c.Flags().IntVar(&o.batch, "batch", 0, "images in a step, or utterances (default 128, of a speech network 8)")
	c.Flags().IntVar(&o.frames, "frames", 300, "speech networks: frames of each utterance")
	c.Flags().IntVar(&o.threads, "threads", 0, "threads (default all cores)")
	c.Flags().IntVar(&o.steps, "steps", 7, "steps that are measured, after two that are not")
	c.Flags().BoolVar(&o.json, "json", false, "print JSON")
	_ = c.RegisterFlagCompletionFunc("arch", completeArch)
	return c
}

func (a *app) benchNet(mode string, o *benchOptions) (benchReport, error) {
	if o.batch < 0 || o.frames < 1 || o.steps < 1 || o.threads < 0 {
		return benchReport{}, usageErrorf("bench: --batch, --frames and --steps are at least 1, --threads at least 0")
	}
	if o.threads == 0 {
		o.threads = runtime.GOMAXPROCS(0)
	}
	spec, err := blocks.Lookup(o.arch)
	if err != nil {
		return benchReport{}, &usageError{err}
	}
	sequences := spec.Family == blocks.FamilySpeech
	if o.batch == 0 {
		if o.batch = benchImages; sequences {
			o.batch = benchUtterances
		}
	}
	step, closeMachine, err := a.benchStep(mode, spec, o)
	if err != nil {
		return benchReport{}, err
	}
	defer closeMachine()
	times := make([]float64, 0, o.steps)
	for i := range o.steps + 2 {
		start := time.Now()
		if err := step(); err != nil {
			return benchReport{}, err
		}
		if i >= 2 {
			times = append(times, time.Since(start).Seconds())
		}
	}
	slices.Sort(times)
	median := times[len(times)/2]
	flops := 2 * float64(spec.MACs) * float64(o.batch)
	if sequences {
		flops *= float64(o.frames) // the row counts those of a frame
	}
	if mode == "train" {
		flops *= 3
	}
	r := benchReport{Arch: spec.Name, Mode: mode, Precision: "float32", Batch: o.batch, Threads: o.threads,
		ImagesPerSecond: float64(o.batch) / median, MsPerStep: 1000 * median, MsMin: 1000 * times[0], MsMax: 1000 * times[len(times)-1],
		Steps: o.steps, GFLOPS: flops / median / 1e9, PeakRSSBytes: peakRSS(), Kernels: kernelsInUse(), CPU: readSystem().CPU, Version: readVersion().Version}
	if sequences {
		r.Frames, r.FramesPerSecond = o.frames, float64(o.batch*o.frames)/median
	}
	if peak := peakGFLOPS(o.threads); peak > 0 {
		percent := 100 * r.GFLOPS / peak
		r.PercentOfPeak = &percent
	}
	return r, nil
}

// benchStep returns one step of a network on the same random batch each time.
func (a *app) benchStep(mode string, spec blocks.Spec, o *benchOptions) (step func() error, closeMachine func(), err error) {
	params := graph.NewParamSet(1)
	m := graph.Train
	if mode == "infer" {
		m = graph.Eval
	}
	g, err := benchGraph(spec, o, m, params)
	if err != nil {
		return nil, nil, err
	}
	machine, err := a.newMachineWith(schedule.Options{Threads: o.threads, Frozen: m == graph.Eval}, g, params)
	if err != nil {
		return nil, nil, err
	}
	rng := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, o.batch*g.ImageLen())
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	labels := make([]int32, g.LabelsLen())
	for i := range labels {
		labels[i] = int32(rng.IntN(spec.Classes))
	}
	if mode == "infer" {
		return func() error {
			_, err := machine.Infer(x, o.batch)
			return err
		}, machine.Close, nil
	}
	sgd := train.NewSGD(train.DefaultConfig().Optimizer, params)
	return func() error {
		if _, err := machine.Train(x, labels, graph.StepOptions{}); err != nil {
			return err
		}
		sgd.Step(1e-3, 1) // small: random labels must not blow up in a long measurement
		return nil
	}, machine.Close, nil
}

// benchGraph draws a network of images, or one of utterances of which all are as long as the batch.
func benchGraph(spec blocks.Spec, o *benchOptions, mode graph.Mode, params *graph.ParamSet) (*graph.Graph, error) {
	if spec.Family != blocks.FamilySpeech {
		return blocks.Build(spec, o.batch, mode, params)
	}
	g, err := blocks.BuildSequence(spec, o.batch, o.frames, mode, params)
	if err != nil {
		return nil, err
	}
	for i := range g.Sequences.Lengths {
		g.Sequences.Lengths[i] = int32(o.frames)
	}
	return g, nil
}

func (a *app) printBench(r benchReport, asJSON bool) error {
	if asJSON {
		return a.printJSON(r)
	}
	peak := ""
	if r.PercentOfPeak != nil {
		peak = fmt.Sprintf(", %.0f%% of peak", *r.PercentOfPeak)
	}
	batch, speed := fmt.Sprintf("batch %d", r.Batch), fmt.Sprintf("%.0f images/s", r.ImagesPerSecond)
	if r.Frames > 0 {
		batch, speed = fmt.Sprintf("batch %d x %d frames", r.Batch, r.Frames), fmt.Sprintf("%.0f frames/s", r.FramesPerSecond)
	}
	_, err := fmt.Fprintf(a.out, "%s %s, %s, %d threads, %s, %s kernels: %s, %.2f ms a step (%.2f to %.2f in %d), %.0f GFLOP/s%s, peak memory %s\n",
		r.Mode, r.Arch, batch, r.Threads, r.Precision, r.Kernels, speed, r.MsPerStep, r.MsMin, r.MsMax, r.Steps, r.GFLOPS, peak, bytesText(r.PeakRSSBytes))
	return err
}
