package experiment

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/config"
	"resnet/internal/datasets/speech/corpus"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/graph/kernel"
	"resnet/internal/graph/schedule"
	"resnet/internal/graph/weights"
	"resnet/internal/train"
	"resnet/internal/train/checkpoint"
)

// listening is an environment that keeps the precision of each machine that is compiled.
func listening() (*Environment, *[]graph.Precision) {
	var asked []graph.Precision
	return &Environment{compile: func(g *graph.Graph, o schedule.Options) (*schedule.Machine, error) {
		asked = append(asked, o.Precision)
		return schedule.Compile(g, o)
	}}, &asked
}

// inPrecision fails unless n machines or more were compiled, each in the precision that is wanted.
func inPrecision(t *testing.T, what string, asked []graph.Precision, n int, want graph.Precision) {
	t.Helper()
	if len(asked) < n {
		t.Errorf("%s: %d machines, want %d at least", what, len(asked), n)
	}
	for _, p := range asked {
		if p != want {
			t.Errorf("%s: machines in %v, want %v", what, asked, want)
			return
		}
	}
}

// TestThePrecisionOfATrainingReachesEachOfItsMachines whether file, environment or flag says it.
func TestThePrecisionOfATrainingReachesEachOfItsMachines(t *testing.T) {
	data := photos(t)
	file := filepath.Join(t.TempDir(), "own.yaml")
	text := "model: {family: cifar, depth: 8, residual: true}\ndata: {name: fashion-sample, downsample: 4, limit: 16}\ntrain: {batch: 8, iterations: 1, precision: bfloat16}\neval: {batch: 8}\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	base := filepath.Join(t.TempDir(), "base.safetensors")
	l, err := config.Load(photoConfig(data))
	if err != nil {
		t.Fatal(err)
	}
	x, err := New(t.Context(), &Environment{}, l, 1, NewDataSets())
	if err != nil {
		t.Fatal(err)
	}
	checkpointOf(t, base, x.Spec)
	const set = "train.precision=bfloat16"
	speech := config.Input{Sets: append(bases(t)["speech"].sets, set)}
	for what, c := range map[string]struct {
		in       config.Input
		workers  int
		machines int
		want     graph.Precision
	}{
		"default":            {photoConfig(data), 1, 2, graph.Float32},
		"file":               {config.Input{File: file}, 1, 2, graph.BFloat16},
		"flag over the file": {config.Input{File: file, Sets: []string{"train.precision=float32"}}, 1, 2, graph.Float32},
		"environment": {config.Input{
			File: "quickstart", Sets: []string{"train.accumulate=2", "train.batch=8"}, Env: []string{"RESNET_TRAIN_PRECISION=bfloat16"},
		}, 2, 3, graph.BFloat16},
		"frozen":   {frozenConfig(data, base, set), 1, 3, graph.BFloat16},
		"features": {frozenConfig(data, base, set, "train.cache_features=true"), 1, 4, graph.BFloat16},
		"speech":   {speech, 1, 2, graph.BFloat16},
	} {
		l, err := config.Load(c.in)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		env, asked := listening()
		x, err := New(t.Context(), env, l, 2, NewDataSets())
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if err := x.Divide(train.Ranks{}, c.workers); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		dir := t.TempDir()
		r, err := (&Training{Experiment: x, Dir: dir}).prepare(t.Context(), checkpoint.View(dir, nil))
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		r.close()
		inPrecision(t, what, *asked, c.machines, c.want)
	}
}

// inBFloat16 is a network that was trained in bfloat16.
func inBFloat16(t *testing.T, env *Environment) *Model {
	t.Helper()
	m, err := OpenModel(env, "../../testdata/classifier/fashion8.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	if m.Precision != graph.Float32 {
		t.Fatalf("a checkpoint that says nothing is of %v", m.Precision)
	}
	m.Precision = graph.BFloat16
	return m
}

// TestANetworkIsComputedInItsOwnPrecisionUnlessTold in everything that a trained network is for.
func TestANetworkIsComputedInItsOwnPrecisionUnlessTold(t *testing.T) {
	const picture = "../../testdata/classifier/boot.png"
	each := func(Prediction) error { return nil }
	for what, use := range map[string]func(t *testing.T, env *Environment, precision string) error{
		"predict": func(t *testing.T, env *Environment, precision string) error {
			p, err := NewPredictor(inBFloat16(t, env), PredictOptions{View: oneView, Top: 1, Batch: 1, Threads: 1, Precision: precision})
			if err != nil {
				return err
			}
			defer p.Close()
			if err := p.Files(t.Context(), []string{picture}, each); err != nil {
				return err
			}
			return p.Stream(t.Context(), strings.NewReader(picture+"\n"), each)
		},
		"embed": func(t *testing.T, env *Environment, precision string) error {
			e, err := NewEmbedder(inBFloat16(t, env), PredictOptions{View: oneView, Batch: 1, Threads: 1, Precision: precision})
			if err != nil {
				return err
			}
			defer e.Close()
			_, err = e.Files(t.Context(), []string{picture}, nil)
			return err
		},
		"explain": func(t *testing.T, env *Environment, precision string) error {
			_, err := Explain(t.Context(), inBFloat16(t, env), []string{picture}, filepath.Join(t.TempDir(), "x.png"), ExplainOptions{Top: 1, Threads: 1, Precision: precision})
			return err
		},
		"speech": func(t *testing.T, env *Environment, precision string) error {
			m := smallSpeech(t, "frame")
			m.env, m.Precision = env, graph.BFloat16
			if err := m.Compute(precision); err != nil {
				return err
			}
			s, err := m.applied(m.Spec, 1, corpus.Shape{N: 1, Frames: 8})
			if err == nil {
				s.Close()
			}
			return err
		},
	} {
		for precision, want := range map[string]graph.Precision{"": graph.BFloat16, "float32": graph.Float32, "bfloat16": graph.BFloat16} {
			env, asked := listening()
			if err := use(t, env, precision); err != nil {
				t.Errorf("%s, %q: %v", what, precision, err)
			}
			inPrecision(t, what+" "+precision, *asked, 1, want)
		}
		env, _ := listening()
		if err := use(t, env, "bfloat"); !isUsage(err) || !strings.Contains(err.Error(), `did you mean "bfloat16"`) {
			t.Errorf("%s in bfloat: %v", what, err)
		}
	}
}

func TestBenchmarksMeasureInThePrecisionThatTheySay(t *testing.T) {
	type said struct {
		Precision string
		Peak      *float64 `json:"percent_of_peak"`
	}
	for what, bench := range map[string]func(env *Environment, precision string) (any, error){
		"train": func(env *Environment, precision string) (any, error) {
			return Bench(env, BenchOptions{Mode: "train", Arch: "tiny-a", Batch: 2, Threads: 1, Steps: 1, Precision: precision})
		},
		"part": func(env *Environment, precision string) (any, error) {
			return Bench(env, BenchOptions{Mode: "train", Arch: "tiny-a", Batch: 2, Threads: 1, Steps: 1, Precision: precision, Trainable: "head"})
		},
		"infer": func(env *Environment, precision string) (any, error) {
			return Bench(env, BenchOptions{Mode: "infer", Arch: "tiny-a", Batch: 2, Threads: 1, Steps: 1, Precision: precision})
		},
		"scale": func(env *Environment, precision string) (any, error) {
			o := ScaleOptions{Arch: "tiny-a", Batch: 2, Threads: 1, Precision: precision}
			list, err := newScaleBenches(env, o)
			for _, b := range list {
				b.machine.Close()
			}
			return BenchReport{Precision: precision}, err
		},
	} {
		for precision, want := range map[string]graph.Precision{"": graph.Float32, "bfloat16": graph.BFloat16} {
			env, asked := listening()
			r, err := bench(env, precision)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			inPrecision(t, what, *asked, 1, want)
			b, err := json.Marshal(r)
			var got said
			if err == nil {
				err = json.Unmarshal(b, &got)
			}
			if err != nil || what != "scale" && got.Precision != want.String() {
				t.Errorf("%s in %q says %q (%v)", what, precision, got.Precision, err)
			}
			if got.Peak != nil && want != graph.Float32 {
				t.Errorf("%s in %q: %v %% of the peak of float32", what, precision, *got.Peak)
			}
		}
		env, _ := listening()
		if _, err := bench(env, "int8"); !isUsage(err) {
			t.Errorf("%s in int8: %v", what, err)
		}
	}
}

// TestARunSaysItsPrecisionAndKeepsIt until it is allowed to change: the error of the test split is
// eval's to the last digit.
func TestARunSaysItsPrecisionAndKeepsIt(t *testing.T) {
	data := photos(t)
	run := halfway(t, photoConfig(data, "train.precision=bfloat16"))
	says := func(step, meta, env string) {
		t.Helper()
		f, err := weights.Open(filepath.Join(run, "checkpoints", step+".safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		m, err := eval.ReadModel(f)
		if err != nil || f.Meta["resnet.precision"] != meta || m.Precision.String() != env {
			t.Errorf("the checkpoint says %q, and is read as %v (%v)", f.Meta["resnet.precision"], m.Precision, err)
		}
		e, err := checkpoint.ReadEnv(run)
		if err != nil || e.Precision != env {
			t.Errorf("env.json says %q, want %q (%v)", e.Precision, env, err)
		}
	}
	says("step-000004", "bfloat16", "bfloat16")
	_, err := resume(t, run, Allow{}, "train.precision=float32")
	if !isUsage(err) || !strings.Contains(err.Error(), "train.precision: bfloat16 -> float32") || !strings.Contains(err.Error(), "--allow-config-change") {
		t.Errorf("resumed in float32: %v", err)
	}
	if _, err := resume(t, run, Allow{Config: true}, "train.precision=float32"); err != nil {
		t.Fatal(err)
	}
	says("step-000006", "", "float32")
	// The config.yaml of a run of before the key was there does not have it.
	edit(t, filepath.Join(run, checkpoint.ConfigFile), "  precision: float32\n", "")
	if l, err := LoadRun(run); err != nil || l.Train.Precision != "float32" {
		t.Errorf("%v, %v", l, err)
	}
	_, err = resume(t, run, Allow{}, "train.precision=bfloat16")
	if !isUsage(err) || !strings.Contains(err.Error(), "train.precision: float32 -> bfloat16") {
		t.Errorf("resumed in bfloat16: %v", err)
	}
}

// inBFloat16Kernels multiplies bfloat16 by kernels of that name until the test ends.
func inBFloat16Kernels(t *testing.T, name string) {
	t.Helper()
	before := kernel.ActiveBF16()
	t.Cleanup(func() { _ = kernel.UseBF16(before) })
	if err := kernel.UseBF16(name); err != nil {
		t.Fatal(err)
	}
}

// TestKernelsAreNamedByAllThatTheResultsDependOn in env.json, in what ranks compare, and in the
// digest of features.
func TestKernelsAreNamedByAllThatTheResultsDependOn(t *testing.T) {
	for _, name := range kernel.AvailableBF16() {
		inBFloat16Kernels(t, name)
		want := kernel.Active()
		if name != "generic" {
			want += "+" + name
		}
		if got := Kernels(graph.BFloat16); got != want || Kernels(graph.Float32) != kernel.Active() {
			t.Errorf("%s: %s, of float32 %s", name, got, Kernels(graph.Float32))
		}
	}
}

func TestTheTapeComputesInFloat32Alone(t *testing.T) {
	m := inBFloat16(t, &Environment{Machine: "tape"})
	p, err := NewPredictor(m, PredictOptions{View: oneView, Top: 1, Batch: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	err = p.Files(context.Background(), []string{"../../testdata/classifier/boot.png"}, func(Prediction) error { return nil })
	if !isUsage(err) || !strings.Contains(err.Error(), "--precision float32") {
		t.Errorf("%v", err)
	}
}
