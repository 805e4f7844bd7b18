package experiment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"resnet/internal/atomicfile"
	"resnet/internal/atomicfile/atomicfiletest"
	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
	"resnet/internal/train"
)

// frozenConfig trains the classifier of a network whose other layers are frozen, for six epochs of
// four steps, with everything that is drawn for single images.
func frozenConfig(dir, base string, sets ...string) config.Input {
	return photoConfig(dir, append([]string{
		"model.weights=" + base, "model.depth=0", "model.family=", "model.name=checkpoint", "data.normalize=checkpoint", "data.validation=5", "data.size=8",
		"data.augment.crop=resized", "data.augment.policy=trivial", "data.augment.erase=0.5", "data.augment.color=0.1", "data.augment.views=2",
		"train.batch=3", "train.iterations=24", "train.checkpoint.every=5", "eval.every=8", "eval.train_set=true",
		"train.optimizer.freeze=backbone", "train.optimizer.freeze_statistics=true", "train.label_smoothing=0.1", "train.ema.decay=0.9",
	}, sets...)...)
}

// baseOf is a run of a network that others start from.
func baseOf(t *testing.T, data string) string {
	t.Helper()
	base := t.TempDir()
	if _, err := start(t, base, photoConfig(data, "train.optimizer.nesterov=false"), nil); err != nil {
		t.Fatal(err)
	}
	return base
}

// outcomeOf are the files of a run that follow from seed, configuration and data.
func outcomeOf(t *testing.T, run string) map[string]string {
	t.Helper()
	files := map[string]string{}
	found, err := filepath.Glob(filepath.Join(run, "checkpoints", "*.safetensors"))
	if err != nil || len(found) == 0 {
		t.Fatalf("%s: no checkpoints (%v)", run, err)
	}
	for _, path := range append(found, filepath.Join(run, train.MetricsFile)) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = string(b)
	}
	return files
}

func sameOutcome(t *testing.T, what, run string, want map[string]string) {
	t.Helper()
	got := outcomeOf(t, run)
	for name, b := range want {
		if got[name] != b {
			t.Errorf("%s: %s differs", what, name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d files, want %d", what, len(got), len(want))
	}
}

// TestKeptFeaturesGiveTheSameTrainingToTheBit compares with the training that computes the frozen
// layers in every step, for order, labels, losses, evaluations and checkpoints.
func TestKeptFeaturesGiveTheSameTrainingToTheBit(t *testing.T) {
	data := photos(t)
	base := baseOf(t, data)
	for _, sets := range [][]string{
		nil,
		{"data.sampling=balanced", "train.optimizer.name=adamw"},
		{"train.optimizer.freeze=conv1,bn1,layer1,layer2", "train.accumulate=2", "train.iterations=12"},
		{"data.augment.views=3", "train.ema.decay=0", "train.class_weights=balanced"},
	} {
		plain, cached := t.TempDir(), t.TempDir()
		if _, err := start(t, plain, frozenConfig(data, base, sets...), nil); err != nil {
			t.Fatal(err)
		}
		want := outcomeOf(t, plain)
		if _, err := start(t, cached, frozenConfig(data, base, append(sets, "train.cache_features=true")...), nil); err != nil {
			t.Fatal(err)
		}
		sameOutcome(t, fmt.Sprint(sets), cached, want)
		views := 2
		if slices.Contains(sets, "data.augment.views=3") {
			views = 3
		}
		var names []string
		for v := range views {
			names = append(names, fmt.Sprintf("train-view-%d.safetensors", v))
		}
		names = append([]string{"test.safetensors"}, append(names, "train.safetensors", "val.safetensors")...)
		var got []string
		entries, err := os.ReadDir(filepath.Join(cached, FeaturesDir))
		for _, e := range entries {
			got = append(got, e.Name())
		}
		if err != nil || !slices.Equal(got, names) {
			t.Errorf("%v: files %v, want %v (%v)", sets, got, names, err)
		}
	}
}

// stopAt stops a training when something is said.
type stopAt struct {
	quiet
	text    string
	control *train.Control
	said    []string
}

func (s *stopAt) Line(line string) {
	s.said = append(s.said, line)
	if strings.Contains(line, s.text) {
		s.control.Stop()
	}
}

// TestAStopWhileFeaturesAreComputedLosesNothing stops before the first view, the second, and the
// first evaluation, and goes on.
func TestAStopWhileFeaturesAreComputedLosesNothing(t *testing.T) {
	data := photos(t)
	in := frozenConfig(data, baseOf(t, data), "train.cache_features=true")
	whole := t.TempDir()
	if _, err := start(t, whole, in, nil); err != nil {
		t.Fatal(err)
	}
	want := outcomeOf(t, whole)
	for _, at := range []string{"view 1 of 2", "view 2 of 2", "validation images"} {
		run := t.TempDir()
		l, err := config.Load(in)
		if err != nil {
			t.Fatal(err)
		}
		x, err := New(context.Background(), &Environment{Version: "test"}, l, 1, NewDataSets())
		if err != nil {
			t.Fatal(err)
		}
		w := &stopAt{text: at, control: train.NewControl()}
		_, err = (&Training{Experiment: x, Dir: run, Watcher: w, Control: w.control}).Run(context.Background())
		if !errors.Is(err, train.ErrStopped) || !strings.Contains(strings.Join(w.said, "\n"), at) {
			t.Fatalf("%s: %v, said %q", at, err, w.said)
		}
		if _, err := resume(t, run, Allow{}); err != nil {
			t.Fatal(err)
		}
		got := outcomeOf(t, run)
		for name, b := range want {
			// A step that was saved before its evaluation is saved again under another name.
			again := strings.Replace(strings.Replace(name, ".state", "-2.state", 1), "8.safetensors", "8-2.safetensors", 1)
			if got[name] != b && got[again] != b {
				t.Errorf("stopped at %q: %s differs", at, name)
			}
		}
	}
}

// trainedPhoto is the path of an image of photos that frozenConfig does not hold out.
func trainedPhoto(t *testing.T, data string) string {
	t.Helper()
	l, err := config.Load(frozenConfig(data, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	set, err := datasets.Open(t.Context(), l.Data, l.Train.Seed)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(set.ID(datasets.Train, 3), "train/")
}

// TestFeaturesOfSomethingElseAreNeverUsed changes each thing that they depend on in turn; the run
// that goes on says which it computes again, and ends as one that had no features.
func TestFeaturesOfSomethingElseAreNeverUsed(t *testing.T) {
	const everything = "view 1 of 2, view 2 of 2, validation, test, training"
	for _, c := range []struct {
		name   string
		change func(t *testing.T, data, run string)
		allow  bool
		again  string // what is computed again
	}{
		{"nothing", func(*testing.T, string, string) {}, false, ""},
		{"a training photo", func(t *testing.T, data, _ string) { photo(t, filepath.Join(data, "train", trainedPhoto(t, data)), 200) }, true, "view 1, view 2, training"},
		{"a test photo", func(t *testing.T, data, _ string) { photo(t, filepath.Join(data, "test", "cat", "1.png"), 200) }, true, "test"},
		{"damage", func(t *testing.T, _, run string) {
			path := filepath.Join(run, FeaturesDir, "train-view-1.safetensors")
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b[len(b)-3] ^= 1
			if err := os.WriteFile(path, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}, false, "view 2 of 2"},
		{"the wrong view", func(t *testing.T, _, run string) {
			b, err := os.ReadFile(filepath.Join(run, FeaturesDir, "train-view-0.safetensors"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(run, FeaturesDir, "train-view-1.safetensors"), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}, false, "view 2 of 2"},
		{"a file cut short", func(t *testing.T, _, run string) {
			if err := os.Truncate(filepath.Join(run, FeaturesDir, "val.safetensors"), 100); err != nil {
				t.Fatal(err)
			}
		}, false, "validation"},
		{"no files", func(t *testing.T, _, run string) {
			if err := os.RemoveAll(filepath.Join(run, FeaturesDir)); err != nil {
				t.Fatal(err)
			}
		}, false, everything},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := photos(t)
			run := t.TempDir()
			if _, err := start(t, run, frozenConfig(data, baseOf(t, data), "train.cache_features=true"), nil); err != nil {
				t.Fatal(err)
			}
			want := outcomeOf(t, run)
			last, _ := filepath.Glob(filepath.Join(run, "checkpoints", "step-00002*"))
			for _, path := range last { // steps 20 and 24 go: 15 is the newest
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			c.change(t, data, run)
			l, _, err := Continue(run, config.Input{}, Allow{})
			if err != nil {
				t.Fatal(err)
			}
			x, err := New(context.Background(), &Environment{Version: "test"}, l, 1, NewDataSets())
			if err != nil {
				t.Fatal(err)
			}
			w := &stopAt{text: "\x00"}
			if _, err := (&Training{Experiment: x, Dir: run, Resume: true, Allow: Allow{Data: c.allow}, Watcher: w}).Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			said := strings.Join(w.said, "\n")
			computed := func(what string) bool { return strings.Contains(said, "Computing features: "+what) }
			switch c.again {
			case "view 1, view 2, training":
				if strings.Count(said, "Computing features") != 3 || !computed("view 1") || !computed("view 2") || !computed("13 training") {
					t.Errorf("said %q", said)
				}
			case everything:
				if strings.Count(said, "Computing features") != 5 {
					t.Errorf("said %q", said)
				}
			case "":
				if said != "" {
					t.Errorf("said %q", said)
				}
			default:
				if strings.Count(said, "Computing features") != 1 || !strings.Contains(said, c.again) {
					t.Errorf("said %q, want %q alone", said, c.again)
				}
			}
			if !c.allow {
				sameOutcome(t, c.name, run, want)
			}
		})
	}
}

// TestOtherWeightsHaveOtherFeatures looks at the digest alone.
func TestOtherWeightsHaveOtherFeatures(t *testing.T) {
	data := photos(t)
	base := baseOf(t, data)
	digest := func(view featureView, change func(p []float32), sets ...string) string {
		l, err := config.Load(frozenConfig(data, base, append(sets, "train.cache_features=true")...))
		if err != nil {
			t.Fatal(err)
		}
		x, err := New(context.Background(), &Environment{Version: "test"}, l, 1, NewDataSets())
		if err != nil {
			t.Fatal(err)
		}
		r, err := (&Training{Experiment: x, Dir: t.TempDir()}).prepare(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer r.close()
		change(r.params.Get("layer3.0.bn2.running_var").Data)
		got, err := x.data.(*images).cache.digest(t.Context(), view)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	keep := func([]float32) {}
	first := featureView{datasets.Train, true, 0}
	same := digest(first, keep)
	if digest(first, keep) != same {
		t.Error("the digest is not a function of what it is of")
	}
	if digest(first, keep, "data.augment.views=5") != same {
		t.Error("the first of five views is the first of two, and has another digest")
	}
	for name, other := range map[string]string{
		"a bit of a statistic": digest(first, func(p []float32) { p[1] += p[1] / 1e6 }),
		"view":                 digest(featureView{datasets.Train, true, 1}, keep),
		"seed":                 digest(first, keep, "train.seed=9"),
		"augmentation":         digest(first, keep, "data.augment.erase=0.4"),
		"batch":                digest(first, keep, "train.batch=4"),
		"preprocessing":        digest(first, keep, "data.interpolation=bicubic"),
		"normalisation":        digest(first, keep, "data.normalize=imagenet"),
		"precision":            digest(first, keep, "train.precision=bfloat16"),
		"frozen layers":        digest(first, keep, "train.optimizer.freeze=conv1,bn1,layer1,layer2"),
	} {
		if other == same {
			t.Errorf("another %s has the same digest", name)
		}
	}
	tested := digest(featureView{split: datasets.Test}, keep)
	if digest(featureView{split: datasets.Test}, keep, "train.batch=4", "train.seed=9", "data.augment.erase=0.4") != tested {
		t.Error("what is for training alone changes the digest of test images")
	}
	if digest(featureView{split: datasets.Test}, keep, "eval.batch=6") == tested {
		t.Error("another batch of evaluations has the same digest")
	}
}

func TestFeaturesAreCompleteOrAbsent(t *testing.T) {
	atomicfiletest.Run(t, atomicfiletest.Writer{Files: []string{"val.safetensors"}, OnOS: true, Write: func(fsys atomicfile.FS, dir string, version int) error {
		table := &datasets.Table{Width: 3, Rows: []float32{1, 2, float32(version), 4, 5, 6}, Labels: []int32{0, 1}}
		return writeFeatures(fsys, filepath.Join(dir, "val.safetensors"), fmt.Sprint(version), table)
	}})
}

func TestFeaturesReadBackAsTheyWereWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	want := &datasets.Table{Width: 3, Rows: []float32{1, -2, 3.5, 4, 5, 6e-9}, Labels: []int32{7, 1}}
	if err := writeFeatures(atomicfile.OS, path, "d", want); err != nil {
		t.Fatal(err)
	}
	got, err := readFeatures(path, "d")
	if err != nil || got.Width != 3 || !slices.Equal(got.Rows, want.Rows) || !slices.Equal(got.Labels, want.Labels) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := readFeatures(path, "e"); !errors.Is(err, errStale) {
		t.Errorf("of another digest: %v", err)
	}
}

// TestACacheThatCannotBeKeptIsAWarning trains on a full disk.
func TestACacheThatCannotBeKeptIsAWarning(t *testing.T) {
	data := photos(t)
	in := frozenConfig(data, baseOf(t, data), "train.cache_features=true")
	whole, run := t.TempDir(), t.TempDir()
	if _, err := start(t, whole, in, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(run, FeaturesDir), []byte("a file in the way"), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := config.Load(in)
	if err != nil {
		t.Fatal(err)
	}
	x, err := New(context.Background(), &Environment{Version: "test"}, l, 1, NewDataSets())
	if err != nil {
		t.Fatal(err)
	}
	w := &stopAt{text: "\x00"}
	if _, err := (&Training{Experiment: x, Dir: run, Watcher: w}).Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(w.said, "\n"), "warning: the features are not kept") {
		t.Errorf("said %q", w.said)
	}
	sameOutcome(t, "without a cache", run, outcomeOf(t, whole))
}

// TestKeptFeaturesAreMeasuredAsEvalDoes: the error that the training prints is that of eval.
func TestKeptFeaturesAreMeasuredAsEvalDoes(t *testing.T) {
	data := photos(t)
	run := t.TempDir()
	sum, err := start(t, run, frozenConfig(data, baseOf(t, data), "train.cache_features=true"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for split, want := range map[datasets.Split]*train.Metrics{datasets.Val: sum.Last.Val, datasets.Test: sum.Last.Test} {
		m, err := Measure(t.Context(), &Environment{Version: "test"}, []string{filepath.Join(run, "checkpoints", "step-000024.safetensors")},
			MeasureOptions{Split: split, View: eval.ViewOptions{Crops: eval.CropsOne, Combine: eval.CombineSoftmax}})
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Rows[0].Row; got.Loss != want.Loss || got.Top1Error != want.Error {
			t.Errorf("%s: loss %v, error %v; the training printed %v and %v", split, got.Loss, got.Top1Error, want.Loss, want.Error)
		}
	}
}

func TestFeaturesOfMixedImagesAreRefused(t *testing.T) {
	data := photos(t)
	base := baseOf(t, data)
	for set, want := range map[string]string{
		"data.augment.mixup=0.2": "features are kept for images, not for mixtures",
		"data.augment.views=0":   "train.cache_features keeps features of so many views",
	} {
		l, err := config.Load(frozenConfig(data, base, "train.cache_features=true", set))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := New(context.Background(), &Environment{}, l, 1, NewDataSets()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", set, err)
		}
	}
	var problems *config.Error
	if _, err := config.Load(frozenConfig(data, base, "train.cache_features=true", "train.optimizer.freeze_statistics=false")); !errors.As(err, &problems) {
		t.Errorf("of layers whose statistics move: %v", err)
	}
}

// TestFrozenLayersStayToTheBit: also as a moving average, which rounds.
func TestFrozenLayersStayToTheBit(t *testing.T) {
	data := photos(t)
	base, run := baseOf(t, data), t.TempDir()
	if _, err := start(t, run, frozenConfig(data, base, "train.cache_features=true"), nil); err != nil {
		t.Fatal(err)
	}
	was, err1 := OpenModel(&Environment{}, base)
	is, err2 := OpenModel(&Environment{}, run)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	for _, p := range was.Params.All() {
		if same := slices.Equal(p.Data, is.Params.Get(p.Name).Data); same == was.Spec.InHead(p.Name) {
			t.Errorf("%s: the same is %v", p.Name, same)
		}
	}
}

// TestFeaturesDoNotDependOnTheirBatch: a layer of a large network is computed by other algorithms
// than one of a small, and in none does an image's result depend on its place or its neighbours.
func TestFeaturesDoNotDependOnTheirBatch(t *testing.T) {
	for _, c := range []struct {
		arch string
		size int
	}{{"resnet18", 64}, {"resnet50v1.5", 64}, {"resnet20", 32}, {"preresnet110", 16}} {
		if testing.Short() && c.arch != "resnet18" {
			continue
		}
		spec, err := blocks.Resolve(blocks.Config{Name: c.arch, BatchNorm: true}, blocks.DataInfo{Channels: 3, Size: c.size, Classes: 10})
		if err != nil {
			t.Fatal(err)
		}
		const n = 12
		params := graph.NewParamSet(3)
		frozen := train.Optimizer{}
		if frozen.Freeze, err = frozenThrough(spec, train.FreezeBackbone); err != nil {
			t.Fatal(err)
		}
		drawn, err := blocks.BuildDivided(spec, n, graph.Train, params, graph.Options{Frozen: frozen.Frozen})
		if err != nil {
			t.Fatal(err)
		}
		m, err := schedule.Compile(drawn.Below, schedule.Options{Threads: 2, Frozen: true})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		image := 3 * c.size * c.size
		x, turned := make([]float32, n*image), make([]float32, n*image)
		for i := range x {
			x[i] = float32(i*7919%1000)/500 - 1
		}
		for i := range n { // image i stands at place 5i+3, and each sixth is another
			copy(turned[(5*i+3)%n*image:][:image], x[i*image:(i+1)*image])
		}
		clear(turned[3*image : 4*image])
		infer := func(x []float32) []float32 {
			rows, err := m.Infer(x, n)
			if err != nil {
				t.Fatal(err)
			}
			return slices.Clone(rows)
		}
		a, b := infer(x), infer(turned)
		w := len(a) / n
		for i := 1; i < n; i++ {
			at := (5*i + 3) % n
			if !slices.Equal(a[i*w:(i+1)*w], b[at*w:(at+1)*w]) {
				t.Errorf("%s: the features of image %d depend on its batch", c.arch, i)
			}
		}
	}
}

// sleeper is a machine that takes so long for a batch.
type sleeper struct {
	graph.Machine
	each time.Duration
}

func (s sleeper) Infer([]float32, int) ([]float32, error) {
	time.Sleep(s.each)
	return nil, nil
}

// TestFeaturesOfAllThatIsMeasuredAreTimed: with eval.train_set the training images have features
// without augmentation as well. A busy machine can only sleep longer.
func TestFeaturesOfAllThatIsMeasuredAreTimed(t *testing.T) {
	l, err := config.Load(photoConfig(photos(t), "data.validation=5", "eval.train_set=true"))
	if err != nil {
		t.Fatal(err)
	}
	x, err := New(t.Context(), &Environment{}, l, 1, NewDataSets())
	if err != nil {
		t.Fatal(err)
	}
	const each = 10 * time.Millisecond
	c := &featureCache{d: x.data.(*images), train: featureMachine{sleeper{}, 1, 1}, eval: featureMachine{sleeper{each: each}, 1, 1}}
	took, err := c.timeFeatures()
	if want := (13 + 5 + 6) * each; err != nil || took < want {
		t.Errorf("%v for 13 training, 5 validation and 6 test images, want %v at least (%v)", took, want, err)
	}
}

func TestATrainerOnFeaturesClosesItsMachines(t *testing.T) {
	data := photos(t)
	l, err := config.Load(frozenConfig(data, baseOf(t, data), "train.cache_features=true"))
	if err != nil {
		t.Fatal(err)
	}
	x, err := New(t.Context(), &Environment{}, l, 1, NewDataSets())
	if err != nil {
		t.Fatal(err)
	}
	made, err := x.data.trainer(graph.NewParamSet(1), device{threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	made.close()
	c := made.(*cachedTrainer)
	for i, m := range []graph.Machine{c.m, c.cache.above, c.cache.train, c.cache.eval} {
		if _, err := m.Infer(nil, 1); !errors.Is(err, graph.ErrClosed) {
			t.Errorf("machine %d: %v", i, err)
		}
	}
}
