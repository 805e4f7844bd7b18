package train

import (
	"context"
	"fmt"
	"math"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/graph/parity"
	"resnet/internal/graph/schedule"
)

// replicaFixtures are those of testdata/parity/replicas.py.
const replicaFixtures = "../../testdata/parity/replicas"

// fixtureLoader gives the micro-batches of a fixture in turn.
type fixtureLoader struct {
	x      []float32
	labels []int32
	n, of  int // images of a batch, batches
	next   int
}

func (l *fixtureLoader) Next(context.Context) (*datasets.Batch, error) {
	i := l.next % l.of
	l.next++
	per := len(l.x) / l.of
	return &datasets.Batch{X: l.x[i*per : (i+1)*per], Labels: l.labels[i*l.n : (i+1)*l.n], N: l.n}, nil
}
func (*fixtureLoader) Recycle(*datasets.Batch) {}
func (*fixtureLoader) Close()                  {}

// TestAnUpdateOfMicroBatchesIsThatOfPyTorchsReplicas holds the losses of twenty updates, and the
// weights and running statistics after them, to as many replicas of PyTorch's, each with batch
// statistics of its own.
func TestAnUpdateOfMicroBatchesIsThatOfPyTorchsReplicas(t *testing.T) {
	const tolerance = 1e-3
	manifest, err := parity.ReadManifest(replicaFixtures)
	must(t, err)
	machines := map[string]func(*graph.Graph, *graph.ParamSet) (graph.Machine, error){
		"tape": func(g *graph.Graph, p *graph.ParamSet) (graph.Machine, error) { return graph.NewTape(g, p) },
		"schedule": func(g *graph.Graph, _ *graph.ParamSet) (graph.Machine, error) {
			return schedule.Compile(g, schedule.Options{})
		},
	}
	for _, net := range manifest.Nets {
		for name, start := range machines {
			t.Run(fmt.Sprint(net.Replicas, "/", name), func(t *testing.T) {
				tensors, err := parity.Read(replicaFixtures, net.File, net.SHA256)
				must(t, err)
				x, labels := tensors.Get("x"), tensors.Get("labels")
				n := x.Shape[1]
				params := graph.NewParamSet(1)
				spec, err := blocks.Lookup(net.Name)
				must(t, err)
				g, err := blocks.Build(spec, n, graph.Train, params)
				must(t, err)
				m, err := start(g, params)
				must(t, err)
				defer m.Close()
				for _, p := range params.All() {
					copy(p.Data, tensors.Get("init/"+p.Name).Data)
				}
				cfg := DefaultConfig()
				cfg.Batch, cfg.Accumulate, cfg.Iterations = n, net.Replicas, manifest.Steps
				cfg.Optimizer.Momentum, cfg.Optimizer.WeightDecay = manifest.Momentum, manifest.WeightDecay
				cfg.Schedule = Schedule{Rate: net.Rate}
				plan, err := NewPlan(cfg, eval.Config{Every: manifest.Steps}, n*manifest.Batches)
				must(t, err)
				losses, steps := tensors.Get("losses").Data, 0
				_, err = Run(t.Context(), Options{
					Plan: plan, Machine: m, Params: params, Store: &memStore{},
					Loader: func(context.Context, int, int, datasets.Share) (Loader, error) {
						return &fixtureLoader{x: x.Data, labels: labels.Labels, n: n, of: manifest.Batches}, nil
					},
					Evaluate: func(context.Context) (Evaluation, error) { return Evaluation{Test: &Metrics{}}, nil },
					Hooks: Hooks{OnStep: func(p Progress) {
						want := float64(losses[steps])
						if steps++; !(math.Abs(p.Loss-want) <= tolerance*want) {
							t.Errorf("update %d: loss %v, PyTorch %v", steps, p.Loss, want)
						}
					}},
				})
				must(t, err)
				if steps != len(losses) || steps < 20 {
					t.Errorf("%d updates, %d in PyTorch", steps, len(losses))
				}
				for _, p := range params.All() {
					if d := parity.Difference(p.Data, tensors.Get("trained/"+p.Name).Data); !(d <= tolerance) {
						t.Errorf("%s differs from PyTorch by %.2g of its norm", p.Name, d)
					}
				}
			})
		}
	}
}
