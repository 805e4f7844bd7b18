package experiment

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
	"resnet/internal/train"
)

// everyPart is a recipe with all of its parts on: a small residual network on photographs of three
// channels, in two classes of unequal size.
func everyPart(t *testing.T, more ...string) config.Input {
	t.Helper()
	dir := t.TempDir()
	for class, n := range map[string]int{"a": 9, "b": 5} {
		for split, n := range map[string]int{"train": n, "val": 3, "test": 2} {
			folder := filepath.Join(dir, split, class)
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			for i := range n {
				photo(t, filepath.Join(folder, string(rune('0'+i))+".png"), 11*i+100*int(class[0]-'a'))
			}
		}
	}
	return config.Input{File: "quickstart", Sets: append([]string{
		"model.family=", "model.depth=0", "model.residual=false", "model.name=resnet20", "model.zero_init_residual=true", "model.stochastic_depth=0.5",
		"data.name=folder", "data.dir=" + dir, "data.size=16", "data.downsample=1", "data.normalize=channel-mean-std", "data.sampling=balanced",
		"data.augment.crop=resized", "data.augment.pad=0", "data.augment.color=0.1", "data.augment.rotate=15", "data.augment.policy=trivial",
		"data.augment.brightness=0.4", "data.augment.contrast=0.4", "data.augment.saturation=0.4", "data.augment.hue=0.1", "data.augment.erase=0.5",
		"data.augment.mixup=0.2", "data.augment.cutmix=1",
		"train.batch=4", "train.accumulate=2", "train.iterations=7", "train.label_smoothing=0.1", "train.class_weights=balanced", "train.clip_norm=1",
		"train.ema.decay=0.8", "train.ema.every=2", "train.early_stopping.patience=50",
		"train.optimizer.name=adamw", "train.optimizer.weight_decay=0.05", "train.optimizer.decay_parameters=weights",
		"train.schedule.rate=0.01", "train.schedule.drop.at_epochs=[]", "train.schedule.warmup.linear=true", "train.schedule.warmup.iterations=3",
		"train.schedule.cosine.enabled=true", "train.checkpoint.every=2", "eval.every=3", "eval.batch=4",
	}, more...)}
}

// stopping stops a training at a step.
type stopping struct {
	quiet
	at      int
	control *train.Control
}

func (s stopping) Step(p train.Progress) {
	if p.Step == s.at {
		s.control.Stop()
	}
}

// trainTo trains in a folder up to a step, or to the end.
func trainTo(t *testing.T, dir string, in config.Input, resume bool, at int) train.Summary {
	t.Helper()
	l, err := config.Load(in)
	if resume {
		l, _, err = Continue(dir, config.Input{}, Allow{})
	}
	if err != nil {
		t.Fatal(err)
	}
	x, err := New(context.Background(), &Environment{}, l, 2, NewDataSets())
	if err != nil {
		t.Fatal(err)
	}
	w := stopping{at: at, control: train.NewControl()}
	sum, err := (&Training{Experiment: x, Dir: dir, Resume: resume, Watcher: w, Control: w.control}).Run(context.Background())
	if err != nil && !errors.Is(err, train.ErrStopped) {
		t.Fatal(err)
	}
	return sum
}

// TestARecipeWithEveryPartResumesToTheBit: 7 updates are 3, a stop, and 4 more; with each optimizer
// and both losses.
func TestARecipeWithEveryPartResumesToTheBit(t *testing.T) {
	for _, more := range [][]string{
		nil,
		{"train.optimizer.name=lamb", "train.class_weights=none", "train.loss=binary", "data.augment.policy=rand"},
		{"train.optimizer.name=lars", "train.schedule.rate=0.5", "train.precision=bfloat16"},
	} {
		in := everyPart(t, more...)
		whole, parts := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "parts")
		if sum := trainTo(t, whole, in, false, 0); sum.State.Step != 7 || !sum.State.Finished {
			t.Fatalf("%+v", sum.State)
		}
		if sum := trainTo(t, parts, in, false, 3); sum.State.Step != 3 {
			t.Fatalf("stopped at %+v", sum.State)
		}
		if sum := trainTo(t, parts, in, true, 0); sum.State.Step != 7 {
			t.Fatalf("%+v", sum.State)
		}
		for _, name := range []string{"checkpoints/step-000007.safetensors", "checkpoints/step-000007.state.safetensors", "metrics.csv"} {
			a, err1 := os.ReadFile(filepath.Join(whole, name))
			b, err2 := os.ReadFile(filepath.Join(parts, name))
			if err1 != nil || err2 != nil || !slices.Equal(a, b) {
				t.Errorf("%v: %s differs after a stop (%v, %v)", more, name, err1, err2)
			}
		}
		// The model is the average, and the file says so.
		f, err := weights.Open(filepath.Join(whole, "checkpoints/step-000007.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if got := f.Meta["resnet.weights"]; got != "moving average of decay 0.8" {
			t.Errorf("the file says %q", got)
		}
	}
}

// TestARecipeThatTheDataCannotHaveIsRefused: early stopping without a validation split, and what
// else the data cannot have.
func TestARecipeThatTheDataCannotHaveIsRefused(t *testing.T) {
	for want, in := range map[string]config.Input{
		"early_stopping.patience":     {File: "quickstart", Sets: []string{"train.early_stopping.patience=3", "data.validation=0"}},
		"train.loss":                  {File: "fsdd-wrbn", Sets: []string{"train.label_smoothing=0.1"}},
		"optimizer.freeze_statistics": {File: "quickstart", Sets: []string{"train.optimizer.freeze=layer2", "train.optimizer.freeze_statistics=true"}},
	} {
		l, err := config.Load(in)
		if err != nil {
			t.Fatal(err)
		}
		x := &Experiment{Loaded: l, env: &Environment{}}
		switch {
		case strings.HasPrefix(in.File, "fsdd"):
			err = x.checkRecipe(0)
		default:
			x, err = New(context.Background(), &Environment{}, l, 1, NewDataSets())
			if err == nil {
				_, err = x.data.trainer(graph.NewParamSet(1), device{threads: 1})
			}
		}
		if !isUsage(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", in.Sets, err)
		}
	}
}

// TestFrozenStatisticsStayAndTheRestIsTrained: values and statistics of what is frozen keep their
// bits, and the others move.
func TestFrozenStatisticsStayAndTheRestIsTrained(t *testing.T) {
	l, err := config.Load(config.Input{File: "quickstart", Sets: []string{
		"model.family=", "model.depth=0", "model.residual=false", "model.name=resnet20", "data.limit=64", "train.batch=8", "train.iterations=3",
		"train.optimizer.freeze=conv1,bn1,layer1,layer2", "train.optimizer.freeze_statistics=true", "train.bn_recompute=0",
	}})
	if err != nil {
		t.Fatal(err)
	}
	x, err := New(context.Background(), &Environment{}, l, 2, NewDataSets())
	if err != nil {
		t.Fatal(err)
	}
	params := graph.NewParamSet(1)
	tr, err := x.data.trainer(params, device{threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.close()
	loader, err := x.data.loader(0, 0, datasets.Share{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer loader.Close()
	before := map[string][]float32{}
	for _, p := range params.All() {
		before[p.Name] = slices.Clone(p.Data)
	}
	sgd := train.NewStepper(x.Train.Optimizer, params, 0)
	for range 2 {
		b, err := loader.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		m, err := tr.machine(b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Train(b.X, b.Labels, graph.StepOptions{}); err != nil {
			t.Fatal(err)
		}
		sgd.Step(0.1, 1)
	}
	for _, p := range params.All() {
		same := slices.Equal(p.Data, before[p.Name])
		if frozen := x.Train.Optimizer.Frozen(p.Name); frozen != same {
			t.Errorf("%s: frozen %v, unchanged %v", p.Name, frozen, same)
		}
	}
}

// TestMemoryAndCheckpointCountMomentsAndAverage: AdamW keeps two values a parameter, and an average
// one a value.
func TestMemoryAndCheckpointCountMomentsAndAverage(t *testing.T) {
	of := func(sets ...string) (memory float64, checkpoint int64) {
		l, err := config.Load(config.Input{File: "quickstart", Sets: append([]string{"train.bn_recompute=0"}, sets...)})
		if err != nil {
			t.Fatal(err)
		}
		x := &Experiment{Loaded: l, env: &Environment{}}
		params := graph.NewParamSet(1)
		params.Add(&graph.Param{Name: "fc.weight", Shape: []int{100}, Kind: graph.KindWeight, Data: make([]float32, 100)})
		params.Add(&graph.Param{Name: "bn.running_mean", Shape: []int{10}, Kind: graph.KindRunningMean, Data: make([]float32, 10)})
		return x.parameters(100).bytes, x.checkpointBytes(params)
	}
	for _, c := range []struct {
		sets       []string
		memory     float64
		checkpoint int64
	}{
		{nil, 4 * 300, 4 * 210},
		{[]string{"train.optimizer.name=adamw"}, 4 * 400, 4 * 310},
		{[]string{"train.optimizer.name=lars"}, 4 * 300, 4 * 210},
		{[]string{"train.optimizer.name=lamb", "train.ema.decay=0.9"}, 4 * 500, 4 * 420},
	} {
		if memory, checkpoint := of(c.sets...); memory != c.memory || checkpoint != c.checkpoint {
			t.Errorf("%v: %v and %v bytes, want %v and %v", c.sets, memory, checkpoint, c.memory, c.checkpoint)
		}
	}
}

// TestAPartOfANetworkIsMeasured: what --trainable freezes, and the operations that are counted.
func TestAPartOfANetworkIsMeasured(t *testing.T) {
	spec, err := blocks.Lookup("resnet20")
	if err != nil {
		t.Fatal(err)
	}
	// Of 40,813,184 multiply-adds the classifier has 640; the last stage has five 3x3 convolutions
	// of 64 channels on 8x8 maps and one from 32 channels.
	for _, c := range []struct {
		trainable, frozen string
		macs              int64
	}{
		{"head", "conv1,bn1,layer1,layer2,layer3", 640},
		{"layer3", "conv1,bn1,layer1,layer2", 640 + 9*64*64*64*5 + 9*32*64*64},
	} {
		b := &bench{BenchOptions: BenchOptions{Mode: "train", Batch: 2, Trainable: c.trainable, Threads: 1}, spec: spec}
		if b.frozen() != c.frozen || b.trainedMACs() != c.macs {
			t.Errorf("%s: %s is frozen, %d operations; want %s and %d", c.trainable, b.frozen(), b.trainedMACs(), c.frozen, c.macs)
		}
	}
	for _, bad := range []BenchOptions{{Mode: "train", Trainable: "layer9"}, {Mode: "infer", Trainable: "head"}, {Mode: "train", Trainable: "layer1"}} {
		bad.Arch, bad.Batch, bad.Steps, bad.Threads = "resnet20", 2, 1, 1
		if _, err := Bench(&Environment{}, bad); !isUsage(err) {
			t.Errorf("%s %s: %v", bad.Mode, bad.Trainable, err)
		}
	}
	r, err := Bench(&Environment{}, BenchOptions{Mode: "train", Arch: "resnet20", Trainable: "layer3", Batch: 2, Steps: 1, Threads: 1})
	if err != nil || r.Trainable != "layer3" || !(r.ImagesPerSecond > 0) {
		t.Errorf("%+v, %v", r, err)
	}
	// From kept features, the operations are those of what is trained: forward and both gradients.
	r, err = Bench(&Environment{}, BenchOptions{Mode: "train", Arch: "resnet20", Trainable: "head", Features: true, Batch: 2, Steps: 1, Threads: 1})
	if ops := r.GFLOPS * 1e6 * r.MsPerStep; err != nil || !r.Features || math.Abs(ops-3*2*2*640) > 1 {
		t.Errorf("%+v, %v: %v operations a step", r, err, ops)
	}
}

// TestAnAverageThatIsTooLongForItsTrainingIsNoted: above a tenth of the updates.
func TestAnAverageThatIsTooLongForItsTrainingIsNoted(t *testing.T) {
	for _, c := range []struct {
		decay      float64
		every      int
		iterations int
		noted      string
	}{
		{0.999, 1, 64000, ""},
		{0.999, 1, 1563, "over about 1,000 of the 1,563 updates"},
		{0.96, 1, 1563, ""},
		{0.96, 8, 1563, "over about 200 of the 1,563 updates"},
	} {
		x := &Experiment{Loaded: &config.Loaded{}}
		x.Train.EMA = train.EMA{Decay: c.decay, Every: c.every}
		x.Plan.Iterations = c.iterations
		notes := strings.Join(x.notesOfRecipe(), " ")
		if (c.noted != "") != strings.Contains(notes, "lower") || !strings.Contains(notes, c.noted) {
			t.Errorf("%+v: %q", c, notes)
		}
	}
}
