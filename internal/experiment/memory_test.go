package experiment

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/datasets/speech"
	"resnet/internal/eval"
	"resnet/internal/system"
	"resnet/internal/train/checkpoint"
)

// inGroup makes a folder stand for a machine with a control group of limit bytes, as Slurm makes
// one, and returns the file that sets it.
func inGroup(t testing.TB, limit string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"proc/meminfo":                             "MemTotal: 24000000 kB\nMemAvailable: 23000000 kB\n",
		"proc/self/cgroup":                         "0::/slurm/job_7\n",
		"proc/self/mountinfo":                      "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
		"sys/fs/cgroup/slurm/job_7/memory.max":     limit + "\n",
		"sys/fs/cgroup/slurm/job_7/memory.current": "100\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(system.UseTree(root))
	return "/sys/fs/cgroup/slurm/job_7/memory.max"
}

func TestMemoryIsLimitedByTheFlagOrTheTightestLimit(t *testing.T) {
	file := inGroup(t, "3000000100")
	e := &Environment{}
	for name, c := range map[string]struct {
		limit int64
		needs []need
		want  string // "" means that it fits
	}{
		"fits": {0, []need{{"train.batch", 10, 2e9, ""}, {"eval.batch", 5, 1e9, ""}}, ""},
		"the largest is named, and how far it goes": {
			0,
			[]need{{"eval.batch", 5, 1e9, ""}, {"train.batch", 10, 4e9, "or so"}, {bytes: 1e9}},
			"train.batch: 10 needs at least 4 GB of memory, 6 GB with what else is needed, and the control group (" + file + ") leaves 3 GB of 3 GB: at most about 2 fit (or so)",
		},
		"what cannot be lowered is never named": {
			0,
			[]need{{"eval.batch", 5, 1e9, ""}, {bytes: 9e9}},
			"eval.batch: 5 needs at least 1 GB of memory, 10 GB with what else is needed, and the control group (" + file + ") leaves 3 GB of 3 GB: lower it",
		},
		"beyond all numbers": {
			0, []need{{"data.workers", math.MaxInt, math.Inf(1), ""}}, "data.workers: 9,223,372,036,854,775,807 needs at least 4.61e+06 TB of memory",
		},
		"the flag comes first": {5e9, []need{{"train.batch", 10, 4e9, ""}}, ""},
		"beyond the flag":      {5e9, []need{{"train.batch", 10, 6e9, ""}}, "train.batch: 10 needs at least 6 GB of memory, and --max-memory is 5 GB: at most about 8 fit"},
	} {
		err := e.allowed(c.limit).check(c.needs...)
		if c.want == "" && err != nil || c.want != "" && (!isUsage(err) || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	system.UseTree(t.TempDir())
	if err := new(Environment).allowed(0).check(need{"train.batch", 1, 1e30, ""}); !isUsage(err) || !strings.Contains(err.Error(), "not known") {
		t.Errorf("where nothing is known: %v", err)
	}
}

// TestEveryPartOfATrainingCounts: each of three keys alone makes it too large for the group.
func TestEveryPartOfATrainingCounts(t *testing.T) {
	file := inGroup(t, "1000000000")
	for _, set := range []string{"eval.batch=3000000", "data.workers=100000", "train.batch=2400"} {
		sets := []string{set}
		if !strings.HasPrefix(set, "train.batch") {
			sets = append(sets, "train.batch=64")
		}
		x := tinyExperiment(t, append(sets, "model.depth=110")...)
		err := x.CheckLeastMemory(0)
		key, _, _ := strings.Cut(set, "=")
		if !isUsage(err) || !strings.HasPrefix(err.Error(), key+": ") || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", set, err)
		}
	}
	if err := tinyExperiment(t).CheckLeastMemory(0); err != nil {
		t.Error(err)
	}
}

func TestAMeasurementIsRefusedByItsBatch(t *testing.T) {
	for _, arch := range []string{"resnet20", "wrbn"} {
		file := inGroup(t, "300000000")
		_, err := Bench(&Environment{}, BenchOptions{Mode: "train", Arch: arch, Batch: 4000, Frames: 300, Threads: 1, Steps: 1})
		if !isUsage(err) || !strings.HasPrefix(err.Error(), "--batch: 4,000 needs at least ") || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", arch, err)
		}
	}
}

// TestWhatTheMachinesTakeCounts: the estimate fits, and what compiling then finds does not.
func TestWhatTheMachinesTakeCounts(t *testing.T) {
	x := tinyExperiment(t, "train.batch=64", "eval.batch=1")
	needs, err := x.data.leastMemory()
	if err != nil {
		t.Fatal(err)
	}
	limit := 1.
	for _, n := range needs {
		limit += n.bytes
	}
	_, err = (&Training{Experiment: x, Dir: t.TempDir(), Memory: int64(limit)}).Estimate(context.Background())
	if !isUsage(err) || !strings.HasPrefix(err.Error(), "train.batch: 64 needs ") || !strings.Contains(err.Error(), "--max-memory is ") {
		t.Error(err)
	}
	if _, err := (&Training{Experiment: x, Dir: t.TempDir()}).Estimate(context.Background()); err != nil {
		t.Error(err)
	}
}

// TestATrainingUpdatesWithItsThreads: --threads is for updates too, whatever cores there are.
func TestATrainingUpdatesWithItsThreads(t *testing.T) {
	x := tinyExperiment(t)
	x.Threads = 3
	training := &Training{Experiment: x, Dir: t.TempDir()}
	r, err := training.prepare(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if got := training.options(r, nil).Threads; got != 3 {
		t.Errorf("%d threads, want 3", got)
	}
}

// tinyExperiment is the quickstart's, made ready.
func tinyExperiment(t *testing.T, sets ...string) *Experiment {
	t.Helper()
	l, err := config.Load(config.Input{File: "quickstart", Sets: sets})
	if err != nil {
		t.Fatal(err)
	}
	x, err := New(context.Background(), &Environment{}, l, 1, NewDataSets())
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestTheMeanImageCounts: it is measured before anything else is made.
func TestTheMeanImageCounts(t *testing.T) {
	dir := t.TempDir()
	picture, err := os.ReadFile("../../testdata/images/source.png")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/1.png"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file := inGroup(t, "100000000")
	for set, want := range map[string]string{
		"data.size=4096":         "data.size: 4,096 needs at least ",
		"model.input_size=4096":  "model.input_size: 4,096 needs at least ",
		"model.input_size=16384": "data.size: 16384, and 4096 at most are possible",
	} {
		l, err := config.Load(config.Input{File: "quickstart", Sets: []string{"data.name=folder", "data.dir=" + dir, "data.downsample=1", "data.validation=0", "train.batch=2", set}})
		if err != nil {
			t.Fatal(err)
		}
		err = bounded(t, set, func() error {
			_, err := New(context.Background(), &Environment{}, l, 1, NewDataSets())
			return err
		})
		if err == nil || !strings.HasPrefix(err.Error(), want) || isUsage(err) && !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", set, err)
		}
	}
}

// TestThreadsThatReadAheadCount: each has a batch.
func TestThreadsThatReadAheadCount(t *testing.T) {
	file := inGroup(t, "500000000")
	_, err := Measure(context.Background(), &Environment{}, []string{"../../testdata/runs/v1"}, MeasureOptions{
		Split: datasets.Test, Batch: 1000, Threads: 1024, View: eval.ViewOptions{Crops: eval.CropsOne, Combine: eval.CombineSoftmax},
	})
	if !isUsage(err) || !strings.HasPrefix(err.Error(), "--threads: 1,024 needs at least ") || !strings.Contains(err.Error(), file) {
		t.Errorf("eval: %v", err)
	}
	data := datasets.DefaultConfig()
	data.Name, data.Augment = "fashion-sample", datasets.Augment{}
	_, err = BenchData(context.Background(), &Environment{}, BenchDataOptions{Data: data, Batch: 5000, Threads: 1024, Seconds: 0.01})
	if !isUsage(err) || !strings.HasPrefix(err.Error(), "--threads: 1,024 needs at least ") || !strings.Contains(err.Error(), file) {
		t.Errorf("bench data: %v", err)
	}
}

// TestARecordingThatDoesNotFitIsBadData: the others are classified.
func TestARecordingThatDoesNotFitIsBadData(t *testing.T) {
	file := inGroup(t, "3000100")
	r, err := newRecordings(smallSpeech(t, blocks.OutputFrame), PredictOptions{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	for frames, fits := range map[int]bool{100: true, 20_000: false} {
		_, bad, err := r.compute(speech.NewFeatures(frames, 12))
		if err != nil || (bad == nil) != fits || bad != nil && (!errors.Is(bad, datasets.ErrData) || isUsage(bad) || !strings.Contains(bad.Error(), file)) {
			t.Errorf("%d frames: %v, %v", frames, bad, err)
		}
	}
}

// TestAllPartsOfATrainingTogetherCount: each machine fits by itself, and a byte is missing for all
// of them with parameters and data.
func TestAllPartsOfATrainingTogetherCount(t *testing.T) {
	x := tinyExperiment(t, "train.batch=64", "eval.batch=64")
	free := &Training{Experiment: x, Dir: t.TempDir()}
	r, err := free.prepare(context.Background(), checkpoint.View(free.Dir, nil))
	if err != nil {
		t.Fatal(err)
	}
	all, _, _ := free.values(r.params)
	sum := 0.
	for _, n := range append(x.data.needs(r.trainer, r.evaluator), free.parameters(all)) {
		sum += n.bytes
	}
	r.close()
	for _, c := range []struct {
		limit   int64
		refused bool
	}{{int64(sum), false}, {int64(sum) - 1, true}} {
		tight := &Training{Experiment: tinyExperiment(t, "train.batch=64", "eval.batch=64"), Dir: t.TempDir(), Memory: c.limit}
		r, err := tight.prepare(context.Background(), checkpoint.View(tight.Dir, nil))
		if err == nil {
			r.close()
		}
		if isUsage(err) != c.refused {
			t.Errorf("%d bytes of %.0f: %v", c.limit, sum, err)
		}
	}
}
