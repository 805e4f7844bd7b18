package experiment

import (
	"context"
	"errors"
	"runtime"
	"time"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/fielderr"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
	"resnet/internal/text"
	"resnet/internal/train"
)

// images is the data of an experiment on images.
type images struct {
	x    *Experiment
	set  *datasets.Dataset
	norm datasets.Normalizer
	name string // of the data as in results: see datasets.Dataset.Identity
	// cache makes features of frozen layers; nil without train.cache_features, and before there is
	// a trainer.
	cache *featureCache
}

func openImages(ctx context.Context, x *Experiment, open DataSets) (*images, error) {
	cfg := x.Data
	if datasets.AnySize(cfg.Name) && cfg.Size == 0 {
		own, err := blocks.Resolve(x.Model, blocks.DataInfo{})
		if err != nil {
			return nil, x.Located(err)
		}
		cfg.Size = own.InputSize
	}
	if err := x.colours(&cfg); err != nil {
		return nil, err
	}
	set, err := open.images(ctx, cfg, x.Train.Seed)
	if err != nil {
		return nil, err
	}
	info := set.Info()
	if info.Height != info.Width {
		return nil, config.Usagef("data: %s has images of %dx%d, and the networks take squares", info.Name, info.Height, info.Width)
	}
	if x.Spec, err = blocks.Resolve(x.Model, blocks.DataInfo{Channels: info.Channels, Size: info.Height, Classes: len(info.Classes)}); err != nil {
		return nil, x.Located(err)
	}
	if x.Spec.Family == blocks.FamilySpeech {
		return nil, config.Usagef("model.name: %s takes speech, and %s has images: set data.name to fsdd, kaldi or recordings", x.Spec.Name, info.Name)
	}
	if err := x.freezeBackbone(); err != nil {
		return nil, err
	}
	if err := x.checkFeatures(); err != nil {
		return nil, err
	}
	if x.Plan, err = train.NewPlan(x.Train, x.Eval, info.Train); err != nil {
		return nil, x.Located(err)
	}
	if x.Train.BNRecompute > 0 && !x.Spec.BatchNormalised() {
		return nil, x.Located(fielderr.Error{Section: "train", Path: "bn_recompute", Msg: x.Spec.Name + " has no batch normalisation", Hint: "leave it out"})
	}
	if err := x.checkRecipe(info.Val); err != nil {
		return nil, err
	}
	d := &images{x: x, set: set}
	if d.name, err = set.Identity(ctx); err != nil {
		return nil, err
	}
	if err := x.memory.check(d.fitting()); err != nil {
		return nil, err
	}
	if d.norm, err = x.normalizer(ctx, set); err != nil {
		return nil, err
	}
	return d, nil
}

// fitting is the need of measuring the training images: a sum for each value of an image, and each
// processor.
func (d *images) fitting() need {
	key, size := "data.size", d.set.Info().Height
	if d.x.Data.Size == 0 {
		key = "model.input_size"
	}
	return need{key, size, 8 * float64(d.imageLen()) * float64(runtime.GOMAXPROCS(0)), "or data.normalize none"}
}

func (*images) unit() string { return "image" }

func (d *images) stepSize() string { return text.Count(d.x.Plan.ImagesPerStep(), d.unit()) }

func (d *images) classes() []string { return d.set.Info().Classes }

func (d *images) notes() []string {
	notes := d.set.Notes()
	if note := datasets.CopyNote(d.name); note != "" {
		notes = append(notes, note)
	}
	return notes
}

func (d *images) identity() string { return d.name }

func (d *images) sizes() (int, int, int) {
	info := d.set.Info()
	return info.Train, info.Val, info.Test
}

func (d *images) input() []int {
	info := d.set.Info()
	return []int{info.Channels, info.Height, info.Width}
}

func (d *images) imageLen() int64 {
	info := d.set.Info()
	return int64(info.Channels * info.Height * info.Width)
}

func (d *images) bytes() int64 {
	info := d.set.Info()
	return int64(min(d.workers().bytes, 1<<62)) + int64(info.Train+info.Val+info.Test)*d.imageLen()
}

// workers is the need of the goroutines that prepare batches: one batch each, and two that wait.
// Those of the training wait while an evaluation has as many of its own.
func (d *images) workers() need {
	w := d.x.workers()
	n := w * d.x.loaderWorkers(datasets.Share{First: 0, Count: 1, Of: w})
	info := d.set.Info()
	measured := max(info.Val, info.Test)
	if d.x.Eval.TrainSet {
		measured = max(measured, info.Train)
	}
	batch := d.x.Train.Batch + min(d.x.Eval.Batch, measured)
	return need{"data.workers", n, (float64(n) + 2*float64(w)) * (4*float64(d.imageLen())*float64(batch) + perWorker), "as many as the machine has processors are enough"}
}

// perWorker is what a goroutine takes besides its batch, in bytes: its stack and buffers.
const perWorker = 32 << 10

func (d *images) describe(p Estimate) [][2]string {
	return [][2]string{
		{"model", p.Model + ": " + text.Grouped(p.Params) + " parameters, " + text.Grouped(p.MACs) + " multiply-adds for an image of " + text.Dims(p.Input)},
		{"data", p.Data + ": " + text.Grouped(p.TrainImages) + " training, " + text.Grouped(p.ValImages) + " validation and " +
			text.Grouped(p.TestImages) + " test images"},
	}
}

func (d *images) loader(epoch, batch int, share datasets.Share, onSkip func(string, error)) (train.Loader, error) {
	o := datasets.LoaderOptions{
		Split: datasets.Train, Batch: d.x.Train.Batch, Seed: d.x.Train.Seed, Shuffle: true, DropLast: true, Balanced: d.x.Data.Sampling == datasets.SamplingBalanced,
		Augment: d.x.Data.Augment, Normalizer: d.norm, Workers: d.x.loaderWorkers(share), StartEpoch: epoch, StartBatch: batch, Share: share, OnSkip: onSkip,
	}
	if d.cache != nil {
		return d.cache.loader(o)
	}
	return datasets.NewLoader(d.set, o)
}

// compile draws the network for batches of n images and compiles it.
func (d *images) compile(n int, mode graph.Mode, params *graph.ParamSet, on device) (*graph.Graph, graph.Machine, error) {
	var g *graph.Graph
	var err error
	if mode == graph.Train {
		g, err = blocks.BuildFor(d.x.Spec, n, params, d.buildOptions())
	} else {
		g, err = blocks.Build(d.x.Spec, n, mode, params)
	}
	if err != nil {
		return nil, nil, err
	}
	m, err := d.x.env.Compile(g, params, on.options(d.x.memory.bytes))
	return g, m, err
}

// imageTrainer has one machine: all batches are of one size.
type imageTrainer struct {
	graph *graph.Graph
	m     graph.Machine
	to    *train.Targets
}

func (d *images) trainer(params *graph.ParamSet, on device) (trainer, error) {
	if d.x.Train.Features {
		return d.cachedTrainer(params, on)
	}
	if d.x.Train.Optimizer.FreezeStats {
		g, m, err := d.x.env.compileDivided(d.x.Spec, d.x.Train.Batch, params, d.buildOptions(), on, d.x.memory.bytes)
		if err != nil {
			return nil, d.x.frozenError(err, params)
		}
		return &imageTrainer{g, m, d.targets()}, nil
	}
	g, m, err := d.compile(d.x.Train.Batch, graph.Train, params, on)
	if errors.Is(err, graph.ErrParam) {
		if wrong := d.x.Train.Optimizer.CheckFrozen(params); wrong != nil {
			return nil, d.x.Located(wrong)
		}
	}
	if err != nil {
		return nil, err
	}
	return &imageTrainer{g, m, d.targets()}, nil
}

func (t *imageTrainer) machine(*datasets.Batch) (graph.Machine, error) { return t.m, nil }
func (t *imageTrainer) beforeBatch(batches int)                        { numberBatch(t.graph, batches) }
func (t *imageTrainer) targets() *train.Targets                        { return t.to }
func (t *imageTrainer) bytes() int64                                   { return t.m.Bytes() }
func (t *imageTrainer) close()                                         { t.m.Close() }

// numberBatch tells a graph how many batches have been before, which a resumed run knows: the masks
// of dropout follow from it.
func numberBatch(g *graph.Graph, batches int) {
	if g.Dropout != nil {
		g.Dropout.Step = uint64(batches)
	}
}

// imageEvaluator measures images.
type imageEvaluator struct {
	d *images
	m graph.Machine
}

func (d *images) evaluator(params *graph.ParamSet) (evaluator, error) {
	if d.cache != nil {
		return &imageEvaluator{d, d.cache.above}, nil
	}
	_, m, err := d.compile(d.x.Eval.Batch, graph.Eval, params, d.x.device())
	if err != nil {
		return nil, err
	}
	return &imageEvaluator{d, m}, nil
}

func (e *imageEvaluator) bytes() int64 { return e.m.Bytes() }

func (e *imageEvaluator) close() {
	if e.d.cache == nil { // whose machine the trainer closes
		e.m.Close()
	}
}

// evaluate measures the validation split, which chooses the best checkpoint, and the test split and
// (where eval.train_set asks for it) the training set, which only go into the curves.
func (e *imageEvaluator) evaluate(ctx context.Context) (train.Evaluation, error) {
	var out train.Evaluation
	view := e.d.set.Preprocessing(e.d.norm)
	err := eachSplit(e.d.set.Len, e.d.x.Eval.TrainSet, &out, func(split datasets.Split) (*train.Metrics, error) {
		if e.d.cache != nil {
			m, err := e.d.cache.measure(ctx, e.m, split)
			return &train.Metrics{Loss: m.Loss, Error: m.Top1Error, Top5Error: m.Top5Error}, err
		}
		m, err := eval.EvaluateSplit(ctx, e.m, e.d.set, eval.SplitOptions{
			Split: split, Batch: e.d.x.Eval.Batch,
			View: &view, Classes: e.d.x.Spec.Classes, Workers: e.d.x.Data.Workers,
			Part: e.d.x.part(),
		})
		return &train.Metrics{Loss: m.Loss, Error: m.Top1Error, Top5Error: m.Top5Error}, err
	})
	return out, err
}

// eachSplit measures the splits that have anything in them, the training set only if it is asked
// for.
func eachSplit(size func(datasets.Split) int, trainSet bool, out *train.Evaluation, measure func(datasets.Split) (*train.Metrics, error)) error {
	for _, s := range []struct {
		split datasets.Split
		to    **train.Metrics
	}{{datasets.Val, &out.Val}, {datasets.Test, &out.Test}, {datasets.Train, &out.Train}} {
		if size(s.split) == 0 || s.split == datasets.Train && !trainSet {
			continue
		}
		m, err := measure(s.split)
		if err != nil {
			return err
		}
		*s.to = m
	}
	return nil
}

func (d *images) timeBatch(ctx context.Context, t trainer) (time.Duration, error) {
	if d.cache != nil { // whose features would take all images
		return timeTraining(t, d.cache.blank())
	}
	loader, err := d.loader(0, 0, datasets.Share{}, nil)
	if err != nil {
		return 0, err
	}
	defer loader.Close()
	b, err := loader.Next(ctx)
	if err != nil {
		return 0, err
	}
	return timeTraining(t, b)
}

// evaluated is the number of images that an evaluation measures.
func (d *images) evaluated() int {
	info := d.set.Info()
	n := info.Val + info.Test
	if d.x.Eval.TrainSet {
		n += info.Train
	}
	return n
}

// timeEvaluation estimates the time from that of a batch.
func (d *images) timeEvaluation(_ context.Context, e evaluator) (time.Duration, error) {
	n := d.evaluated()
	batch := min(d.x.Eval.Batch, max(n, 1))
	each := d.imageLen()
	if d.cache != nil {
		each = int64(d.cache.eval.width)
	}
	x := make([]float32, int64(batch)*each)
	took, err := timeSecond(func() error { _, err := e.(*imageEvaluator).m.Infer(x, batch); return err })
	return scaled(took, batch, n), err
}

// scaled is the time of n images where a batch took so long.
func scaled(took time.Duration, batch, n int) time.Duration {
	return time.Duration(float64(took) / float64(batch) * float64(n))
}

func (d *images) leastMemory() ([]need, error) {
	sum, err := blocks.Summarize(d.x.Spec)
	if err != nil {
		return nil, err
	}
	return []need{
		d.x.trainBatch(float64(d.x.workers()) * leastTraining(sum, float64(d.x.Train.Batch), d.x.Precision())), d.x.evalBatch(leastInference(sum, float64(d.x.Eval.Batch))),
		d.workers(), d.x.parameters(sum.Params),
	}, nil
}

func (d *images) needs(t trainer, e evaluator) []need {
	info := d.set.Info()
	list := []need{
		d.x.trainBatch(float64(t.bytes())), d.x.evalBatch(float64(e.bytes())), d.workers(),
		{bytes: float64(info.Train+info.Val+info.Test) * float64(d.imageLen())},
	}
	if d.cache != nil {
		list = append(list, need{bytes: float64(d.cache.bytes())})
	}
	return list
}

func (d *images) fingerprint(ctx context.Context) (datasets.Fingerprint, error) {
	return d.set.Fingerprint(ctx)
}

func (d *images) meta(m *weights.Meta) {
	m.Preprocessing = d.set.Preprocessing(d.norm).Encode()
}

func (d *images) row(checkpoint string, m train.Metrics) eval.Row {
	return testRow(d.x.Spec, d.x.Precision(), checkpoint, d.name, d.set.Info().Test, m)
}
