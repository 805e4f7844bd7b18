package train

import (
	"errors"
	"math"
	"strings"
	"testing"

	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph"
)

// A real network on real images: a residual block with dropout, on the tape machine, fed by the
// real loader with crops and flips. 96 embedded images of 7x7 pixels.
type netRun struct {
	*toyRun
	data *datasets.Dataset
	norm datasets.Normalizer
}

// always is a Replica's MachineFor with one machine.
func always(m graph.Machine) func(*datasets.Batch) (graph.Machine, error) {
	return func(*datasets.Batch) (graph.Machine, error) { return m, nil }
}

func drawNet(t *testing.T, n int, mode graph.Mode, params *graph.ParamSet) *graph.Graph {
	t.Helper()
	b := graph.NewBuilder("net", mode, params, graph.Options{DropoutSeed: 5})
	x := b.Input(n, 1, 7, 7)
	conv := func(name string, x *graph.Node) *graph.Node {
		return b.BatchNorm("bn"+name, b.Conv("conv"+name, x, graph.ConvOpts{Filters: 6, Kernel: 3, Stride: 1, Pad: 1}))
	}
	stem := b.ReLU(conv("1", x))
	block := b.ReLU(b.Add(stem, conv("3", b.ReLU(conv("2", stem)))))
	g, err := b.Finish(b.Linear("fc", b.Dropout("drop", b.GlobalAvgPool(block), 0.1), 10))
	must(t, err)
	return g
}

func newNet(t *testing.T, cfg Config, ev eval.Config, dir string, workers int) *netRun {
	t.Helper()
	data := datasets.Config{Name: "fashion-sample", Downsample: 4, Limit: 96, Normalize: "pixel-mean", Augment: datasets.Augment{Pad: 1, Flip: true}}
	ds, err := datasets.Open(t.Context(), data, 1)
	must(t, err)
	norm, err := datasets.FitNormalizer(t.Context(), ds, data.Normalize)
	must(t, err)
	r := &netRun{toyRun: &toyRun{t: t, store: &memStore{}, params: graph.NewParamSet(cfg.Seed)}, data: ds, norm: norm}
	plan, err := NewPlan(cfg, ev, ds.Len(datasets.Train))
	must(t, err)
	g := drawNet(t, cfg.Batch, graph.Train, r.params)
	machine, err := graph.NewTape(g, r.params)
	must(t, err)
	test, err := graph.NewTape(drawNet(t, 50, graph.Eval, r.params), r.params)
	must(t, err)
	r.o = Options{
		Plan: plan, Machine: machine, Params: r.params, Store: r.store, Dir: dir, Control: NewControl(),
		Loader: func(_ ctxType, epoch, batch int, share datasets.Share) (Loader, error) {
			return datasets.NewLoader(ds, datasets.LoaderOptions{
				Split: datasets.Train, Batch: cfg.Batch, Seed: cfg.Seed, Shuffle: true, DropLast: true,
				Augment: data.Augment, Normalizer: norm, Workers: workers, StartEpoch: epoch, StartBatch: batch, Share: share,
			})
		},
		Evaluate:    func(ctxType) (Evaluation, error) { return r.evaluate(test) },
		BeforeBatch: func(n int) { g.Dropout.Step = uint64(n) },
	}
	t.Cleanup(func() { machine.Close(); test.Close() })
	return r
}

func (r *netRun) evaluate(m graph.Machine) (Evaluation, error) {
	x, labels := make([]float32, 50*49), make([]int32, 50)
	pixels := make([]byte, 49)
	for i := range labels {
		label, err := r.data.Image(datasets.Test, i, pixels)
		if err != nil {
			return Evaluation{}, err
		}
		labels[i] = int32(label)
		r.norm.Apply(x[i*49:(i+1)*49], pixels)
	}
	logits, err := m.Infer(x, len(labels))
	if err != nil {
		return Evaluation{}, err
	}
	wrong, _ := countWrong(logits, labels)
	e := &Metrics{Error: 100 * float64(wrong) / 50}
	for i, l := range labels {
		e.Loss -= math.Log(softmax(logits[i*10 : (i+1)*10])[l]) / 50
	}
	return Evaluation{Test: e}, nil
}

func netConfig() Config {
	c := DefaultConfig()
	c.Batch, c.Iterations = 16, 13 // 6 batches an epoch
	c.Schedule.Rate = 0.05
	return c
}

func TestTrainingANetworkLowersItsLoss(t *testing.T) {
	cfg := netConfig()
	cfg.Iterations, cfg.Schedule.Rate = 90, 0.1
	r := newNet(t, cfg, eval.Config{Every: 6}, t.TempDir(), 1)
	var rows []Row
	r.o.Hooks.OnEval = func(row Row, _ Progress) { rows = append(rows, row) }
	_, err := Run(t.Context(), r.o)
	must(t, err)
	first, last := rows[0], rows[len(rows)-1]
	if !(last.Train.Loss < 0.8*first.Train.Loss) {
		t.Errorf("from %+v to %+v", *first.Train, *last.Train)
	}
}

func TestANetworkWithDropoutAndCropsResumesToTheBit(t *testing.T) {
	cfg := netConfig()
	cfg.Accumulate, cfg.Iterations, cfg.BNRecompute = 2, 7, 20
	ev := eval.Config{EveryEpochs: 1}
	whole := newNet(t, cfg, ev, t.TempDir(), 1)
	_, err := Run(t.Context(), whole.o)
	must(t, err)
	for k := range cfg.Iterations {
		dir := t.TempDir()
		first := newNet(t, cfg, ev, dir, 3)
		first.stopAt(k)
		if _, err := Run(t.Context(), first.o); !errors.Is(err, ErrStopped) {
			t.Fatal(err)
		}
		second := newNet(t, cfg, ev, dir, 2)
		second.resumeFrom(first.store, first.store.last())
		_, err := Run(t.Context(), second.o)
		must(t, err)
		sameCheckpoints(t, whole.store, second.store)
		if got, want := readFile(t, dir, MetricsFile), readFile(t, whole.o.Dir, MetricsFile); got != want {
			t.Fatalf("stopped at %d, metrics.csv is\n%s\nwant\n%s", k, got, want)
		}
	}
}

func TestADivergingNetworkStopsAndNamesALayer(t *testing.T) {
	cfg := netConfig()
	cfg.Schedule.Rate = 1e30
	r := newNet(t, cfg, eval.Config{Every: 1}, t.TempDir(), 1)
	_, err := Run(t.Context(), r.o)
	var e *NonFiniteError
	if !errors.As(err, &e) || e.Layer == "" || e.Rate != 1e30 || !strings.Contains(err.Error(), e.Layer) {
		t.Fatal(err)
	}
	for step, s := range r.store.snaps {
		for name, v := range s.params {
			if !finite(v) {
				t.Errorf("step %d was saved with %s not finite", step, name)
			}
		}
	}
	t.Log(err)
}
