package experiment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/train"
	"resnet/internal/train/collective"
)

// ranked trains on n ranks that are goroutines; change may alter what a rank is started with.
func ranked(t *testing.T, n int, dir string, sets []string, change func(rank int, tr *Training)) []error {
	t.Helper()
	errs := make([]error, n)
	var group sync.WaitGroup
	for rank, g := range collective.NewLocal(n) {
		l, err := config.Load(config.Input{File: "quickstart", Sets: sets})
		if err != nil {
			t.Fatal(err)
		}
		x, err := New(t.Context(), &Environment{Version: "v1"}, l, 1, NewDataSets())
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Divide(train.Ranks{Group: g, Host: fmt.Sprint("node", rank), Wire: collective.Float32, Code: func(error) int { return 65 }}, 1); err != nil {
			t.Fatal(err)
		}
		tr := &Training{Experiment: x, Watcher: quiet{}, Control: train.NewControl()}
		if rank == 0 {
			tr.Dir = dir
		}
		if change != nil {
			change(rank, tr)
		}
		group.Go(func() {
			if _, errs[rank] = tr.Run(t.Context()); errs[rank] != nil {
				g.Abort(1) // as a process that ends
			}
		})
	}
	group.Wait()
	return errs
}

// rankedSets is a training of twelve updates with an evaluation whose last batch is not full.
var rankedSets = []string{
	"model.depth=8", "data.downsample=4", "data.limit=64", "data.validation=20", "train.batch=4", "train.accumulate=4", "train.epochs=0", "train.iterations=6",
	"train.schedule.drop.at_epochs=1", "train.checkpoint.every=3", "train.checkpoint.keep=0", "eval.every=3", "eval.batch=16", "eval.train_set=true",
}

// sameRun compares the reproducible files of two run folders.
func sameRun(t *testing.T, want, got string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(want, "checkpoints", "*.safetensors"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range append(names, filepath.Join(want, "metrics.csv")) {
		rel, _ := filepath.Rel(want, name)
		a, errA := os.ReadFile(name)
		b, errB := os.ReadFile(filepath.Join(got, rel))
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Errorf("%s differs (%v, %v)", rel, errA, errB)
		}
	}
}

func TestRanksWriteTheFilesOfOneProcess(t *testing.T) {
	whole := t.TempDir()
	if err := errors.Join(ranked(t, 1, whole, rankedSets, nil)...); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{2, 4} {
		dir := t.TempDir()
		if err := errors.Join(ranked(t, n, dir, rankedSets, nil)...); err != nil {
			t.Fatal(err)
		}
		sameRun(t, whole, dir)
		// From the checkpoint in the middle, which the first rank alone can read.
		for _, name := range []string{"step-000006.safetensors", "step-000006.state.safetensors", "step-000006.json"} {
			if err := os.Remove(filepath.Join(dir, "checkpoints", name)); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(ranked(t, 6-n, dir, rankedSets, func(_ int, tr *Training) { tr.Resume = true })...); err != nil {
			t.Fatal(err)
		}
		sameRun(t, whole, dir)
	}
}

func TestTheOddRankIsNamedBeforeTheTrainingBegins(t *testing.T) {
	for want, change := range map[string]func(tr *Training){
		"rank 2 of 4 on node2 is version v2, the others v1":                     func(tr *Training) { tr.env.Version = "v2" },
		"rank 2 of 4 on node2 has --workers 2, the others 1":                    func(tr *Training) { tr.Workers = 2 },
		"rank 2 of 4 on node2 has train.precision=bfloat16, the others float32": func(tr *Training) { tr.Train.Precision = "bfloat16" },
		"rank 2 of 4 on node2 has train.seed=7, the others 1":                   func(tr *Training) { tr.Train.Seed = 7 },
		"rank 2 of 4 on node2 has other data files than the oth":                func(tr *Training) { tr.data = otherData{tr.data} },
	} {
		dir := t.TempDir()
		for rank, err := range ranked(t, 4, dir, rankedSets, func(rank int, tr *Training) {
			if rank == 2 {
				change(tr)
			}
		}) {
			if !isUsage(err) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "kernels") {
				t.Errorf("rank %d: %v, want %s", rank, err, want)
			}
		}
		if HoldsRun(dir) {
			t.Errorf("%s: a run was begun", want)
		}
	}
	odd := differences([]hello{
		{Place: collective.Place{Rank: 0, Size: 3, Host: "a"}, Kernels: "avx2"},
		{Place: collective.Place{Rank: 1, Size: 3, Host: "b"}, Kernels: "avx512"},
		{Place: collective.Place{Rank: 2, Size: 3, Host: "c"}, Kernels: "avx512"},
	})
	if len(odd) != 1 || !strings.HasPrefix(odd[0], "rank 0 of 3 on a has avx2 kernels, the others avx512: set RESNET_CPU") {
		t.Errorf("%q", odd)
	}
}

func TestRanksThatCannotShareAnUpdateAreToldHowManyCan(t *testing.T) {
	l, err := config.Load(config.Input{File: "quickstart", Sets: rankedSets})
	if err != nil {
		t.Fatal(err)
	}
	x, err := New(t.Context(), &Environment{}, l, 1, NewDataSets())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ranks, workers int
		want           string
	}{{3, 1, "3 ranks: 3 workers cannot"}, {2, 4, "2 ranks with --workers 4: 8 workers cannot"}, {1, 8, "--workers 8: 8 workers cannot"}} {
		err := x.Divide(train.Ranks{Group: collective.NewLocal(c.ranks)[0]}, c.workers)
		if !isUsage(err) || !strings.HasPrefix(err.Error(), c.want) || !strings.HasSuffix(err.Error(), "1, 2, 4 can") {
			t.Error(err)
		}
	}
}

// TestRanksHaveAPlaceForWhatGoesBetweenThem: beside as many threads as there are places for, the
// sums of gradients would wait for Go's scheduler instead of running beside the backward pass.
func TestRanksHaveAPlaceForWhatGoesBetweenThem(t *testing.T) {
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	l, err := config.Load(config.Input{File: "quickstart", Sets: rankedSets})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ ranks, threads, workers, want int }{{1, 1, 1, 1}, {2, 1, 1, 3}, {2, 1, 2, 4}, {1, 2, 2, 4}, {2, 4, 1, 6}} {
		x, err := New(t.Context(), &Environment{}, l, c.threads, NewDataSets())
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Divide(train.Ranks{Group: collective.NewLocal(c.ranks)[0]}, c.workers); err != nil {
			t.Fatal(err)
		}
		if got := runtime.GOMAXPROCS(0); got != c.want {
			t.Errorf("%d ranks, %d threads, %d workers: GOMAXPROCS is %d, want %d", c.ranks, c.threads, c.workers, got, c.want)
		}
	}
}

// otherData are the same images from other files.
type otherData struct{ data }

func (d otherData) fingerprint(ctx context.Context) (datasets.Fingerprint, error) {
	f, err := d.data.fingerprint(ctx)
	p := f[datasets.Train]
	p.Sizes += "0"
	f[datasets.Train] = p
	return f, err
}
