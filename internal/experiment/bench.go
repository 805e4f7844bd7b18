package experiment

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
	"resnet/internal/system"
	"resnet/internal/train"
)

// BenchOptions say which network is measured, and how.
type BenchOptions struct {
	Mode    string // train or infer
	Arch    string
	Batch   int // images or utterances; 0 means 128 images, or 8 utterances
	Frames  int // of each utterance
	Threads int // 0 means all cores
	// Precision is a name of graph.Precisions; "" means float32.
	Precision string
	Steps     int // that are measured, after two that are not
	// Trainable are the layers or stages that are trained besides the classifier, with commas;
	// "head" is none of them. The rest runs as in evaluation. "" means all.
	Trainable string
	// Features says that the layers below have been computed: steps train on kept features, as
	// train.cache_features does from the second time that it sees a view.
	Features bool
}

// Batches where none is given: that of the paper's CIFAR experiments, and utterances of a speech
// network.
const (
	benchImages     = 128
	benchUtterances = 8
)

// BenchReport is `bench train|infer --json`. The time is the median; gflops counts two operations a
// multiply-add of the direct method, three times as many for training (forward and both gradients).
type BenchReport struct {
	Arch      string `json:"arch"`
	Mode      string `json:"mode"`
	Precision string `json:"precision"`
	Batch     int    `json:"batch"`
	// Layers that are trained, where not all are.
	Trainable string `json:"trainable,omitempty"`
	// Features says that the others were not computed.
	Features bool `json:"features,omitempty"`
	// Of each utterance, which images_per_second then counts.
	Frames          int      `json:"frames,omitempty"`
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

// Bench measures training steps (forward, backward and the update of SGD) or inference of a network
// on one random batch.
func Bench(env *Environment, o BenchOptions) (BenchReport, error) {
	b, err := newBench(env, o)
	if err != nil {
		return BenchReport{}, err
	}
	defer b.machine.Close()
	times := make([]float64, 0, o.Steps)
	for i := range o.Steps + 2 {
		start := time.Now()
		if err := b.step(); err != nil {
			return BenchReport{}, err
		}
		if i >= 2 {
			times = append(times, time.Since(start).Seconds())
		}
	}
	r := b.report(times)
	r.PeakRSSBytes, r.Kernels, r.CPU, r.Version = system.PeakRSS(), Kernels(b.device().precision), system.Read().CPU, env.Version
	if b.device().precision == graph.Float32 { // whose instructions the peak is of
		if peak := kernel.Peak(b.Threads) / 1e9; peak > 0 {
			percent := 100 * r.GFLOPS / peak
			r.PercentOfPeak = &percent
		}
	}
	return r, nil
}

// bench is a network and the batch that it is measured on.
type bench struct {
	BenchOptions
	spec    blocks.Spec
	machine graph.Machine
	step    func() error
	// The parts of a step of training.
	gradients func() error
	update    func()
	sgd       *train.SGD
	// imageLen is the number of values of an image where the graph's input is another.
	imageLen int
}

func newBench(env *Environment, o BenchOptions) (*bench, error) {
	spec, err := blocks.Lookup(o.Arch)
	if err != nil {
		return nil, &config.UsageError{Err: err}
	}
	if _, err := ParsePrecision(o.Precision); err != nil {
		return nil, err
	}
	b := &bench{BenchOptions: o, spec: spec}
	if b.Threads == 0 {
		b.Threads = runtime.GOMAXPROCS(0)
	}
	b.defaultBatch()
	mode := graph.Train
	if o.Mode == "infer" {
		mode = graph.Eval
	}
	memory := env.allowed(0)
	needs, err := b.leastMemory(mode)
	if err != nil {
		return nil, err
	}
	if err := memory.check(needs...); err != nil {
		return nil, err
	}
	params := graph.NewParamSet(1)
	if o.Trainable != "" {
		if err := b.divide(env, params, memory.bytes); err != nil {
			return nil, err
		}
		return b, nil
	}
	g, err := b.graph(mode, params)
	if err != nil {
		return nil, err
	}
	so := b.device().options(0)
	so.Frozen = mode == graph.Eval
	if b.machine, err = env.Compile(g, params, so); err != nil {
		return nil, memory.refuse(err, needs[0])
	}
	b.step = b.newStep(g, params, mode)
	return b, nil
}

// device is what the measurement runs on. The precision has been checked.
func (b *bench) device() device {
	p, _ := graph.ParsePrecision(b.Precision)
	return device{threads: b.Threads, precision: p}
}

// leastMemory is a lower bound of what a measurement takes: the batch with its activations, and the
// parameters with their gradients.
func (b *bench) leastMemory(mode graph.Mode) ([]need, error) {
	sum, err := blocks.Summarize(b.spec)
	if err != nil {
		return nil, err
	}
	n, hint := float64(b.Batch), ""
	if b.sequences() {
		n, hint = n*float64(b.Frames), "or fewer --frames"
	}
	batch := need{"--batch", b.Batch, leastInference(sum, n), hint}
	if mode == graph.Train {
		batch.bytes += leastTraining(sum, n, b.device().precision)
	}
	return []need{batch, {bytes: 8 * float64(sum.Params)}}, nil
}

// defaultBatch sets the batch where none is given.
func (b *bench) defaultBatch() {
	if b.Batch == 0 {
		if b.Batch = benchImages; b.sequences() {
			b.Batch = benchUtterances
		}
	}
}

func (b *bench) sequences() bool { return b.spec.Family == blocks.FamilySpeech }

// newStep returns one step on the same random batch each time.
func (b *bench) newStep(g *graph.Graph, params *graph.ParamSet, mode graph.Mode) func() error {
	rng := rand.New(rand.NewPCG(1, 2))
	size := g.ImageLen()
	if b.imageLen > 0 {
		size = b.imageLen
	}
	x := make([]float32, b.Batch*size)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	labels := make([]int32, g.LabelsLen())
	for i := range labels {
		labels[i] = int32(rng.IntN(b.spec.Classes))
	}
	if mode == graph.Eval {
		return func() error {
			_, err := b.machine.Infer(x, b.Batch)
			return err
		}
	}
	o := train.DefaultConfig().Optimizer
	if b.Trainable != "" {
		o.Freeze = b.frozen()
	}
	b.sgd = train.NewSGD(o, params)
	b.sgd.Threads = b.Threads
	b.gradients = func() error {
		_, err := b.machine.Train(x, labels, graph.StepOptions{})
		return err
	}
	// A small rate: random labels must not blow up in a long measurement.
	b.update = func() { b.sgd.Step(1e-3, 1) }
	return func() error {
		err := b.gradients()
		if err == nil {
			b.update()
		}
		return err
	}
}

// graph draws a network of images, or one of utterances of which all are as long as the batch.
func (b *bench) graph(mode graph.Mode, params *graph.ParamSet) (*graph.Graph, error) {
	if !b.sequences() {
		return blocks.Build(b.spec, b.Batch, mode, params)
	}
	g, err := blocks.BuildSequence(b.spec, b.Batch, b.Frames, mode, params)
	if err != nil {
		return nil, err
	}
	for i := range g.Sequences.Lengths {
		g.Sequences.Lengths[i] = int32(b.Frames)
	}
	return g, nil
}

// report is what times of steps, in seconds, say.
func (b *bench) report(times []float64) BenchReport {
	slices.Sort(times)
	median := times[len(times)/2]
	flops := 2 * float64(b.spec.MACs) * float64(b.Batch)
	r := BenchReport{
		Arch: b.spec.Name, Mode: b.Mode, Precision: b.device().precision.String(), Batch: b.Batch, Threads: b.Threads,
		ImagesPerSecond: float64(b.Batch) / median, MsPerStep: 1000 * median, MsMin: 1000 * times[0], MsMax: 1000 * times[len(times)-1],
		Steps: len(times),
	}
	r.Trainable, r.Features = b.Trainable, b.Features
	if b.sequences() {
		flops *= float64(b.Frames) // the row counts those of a frame
		r.Frames, r.FramesPerSecond = b.Frames, float64(b.Batch*b.Frames)/median
	}
	switch {
	case b.Features:
		flops = 3 * 2 * float64(b.trainedMACs()) * float64(b.Batch)
	case b.Trainable != "": // forward of all, and both gradients of what is trained
		flops += 2 * 2 * float64(b.trainedMACs()) * float64(b.Batch)
	case b.Mode == "train":
		flops *= 3
	}
	r.GFLOPS = flops / median / 1e9
	return r
}
