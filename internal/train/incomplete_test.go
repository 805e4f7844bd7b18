package train

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/atomicfile"
	"resnet/internal/eval"
)

// blocked is a run whose metrics.csv cannot be written, and its obstacle.
func blocked(t *testing.T) (r *toyRun, obstacle string) {
	t.Helper()
	dir := t.TempDir()
	obstacle = filepath.Join(dir, MetricsFile)
	must(t, os.Mkdir(obstacle, 0o755)) // opening a folder for writing fails, also for root
	return newToy(t, toyConfig(), eval.Config{Every: 4}, dir), obstacle
}

// undisturbed is the metrics.csv of the same run without an obstacle.
func undisturbed(t *testing.T) string {
	t.Helper()
	r := newToy(t, toyConfig(), eval.Config{Every: 4}, t.TempDir())
	_, err := r.run()
	must(t, err)
	return readFile(t, r.o.Dir, MetricsFile)
}

func TestARunThatEndsWithoutItsRowsSaysSoAndResumingAddsThem(t *testing.T) {
	r, obstacle := blocked(t)
	s, err := r.run()
	var incomplete *IncompleteError
	if !errors.As(err, &incomplete) || !errors.Is(err, atomicfile.ErrIO) || !strings.Contains(err.Error(), "metrics.csv lacks 6 rows") {
		t.Errorf("it ended with %v", err)
	}
	if !s.State.Finished || r.store.last() != 23 {
		t.Errorf("the training is not whole: %+v", s)
	}
	again := newToy(t, toyConfig(), eval.Config{Every: 4}, r.o.Dir).resumeFrom(r.store, 23)
	if _, err := again.run(); !errors.As(err, &incomplete) {
		t.Errorf("resumed with the obstacle there still: %v", err)
	}
	must(t, os.Remove(obstacle))
	for range 2 { // a second time there is nothing to add
		again = newToy(t, toyConfig(), eval.Config{Every: 4}, r.o.Dir).resumeFrom(r.store, 23)
		s, err = again.run()
		must(t, err)
		if got, want := readFile(t, r.o.Dir, MetricsFile), undisturbed(t); got != want || !s.AlreadyFinished {
			t.Errorf("it is\n%s\nwant\n%s", got, want)
		}
	}
}

// TestRowsThatWereNotWrittenOutliveAKill: they are in the checkpoints, and rows that were written
// after the checkpoint that is resumed are not added twice.
func TestRowsThatWereNotWrittenOutliveAKill(t *testing.T) {
	for _, from := range []int{8, 12, 16} {
		r, obstacle := blocked(t)
		r.o.Plan.Config.Checkpoint.Every = 4
		r.o.Hooks.OnEval = func(row Row, _ Progress) {
			if row.Step == 12 { // the row is tried again at 16
				must(t, os.Remove(obstacle))
			}
		}
		_, err := r.stopAt(18).run()
		if !errors.Is(err, ErrStopped) {
			t.Fatal(err)
		}
		if lines := strings.Count(readFile(t, r.o.Dir, MetricsFile), "\n"); lines != 5 {
			t.Fatalf("%d lines at the stop", lines)
		}
		again := newToy(t, toyConfig(), eval.Config{Every: 4}, r.o.Dir).resumeFrom(r.store, from)
		_, err = again.run()
		must(t, err)
		if got, want := readFile(t, r.o.Dir, MetricsFile), undisturbed(t); got != want {
			t.Errorf("resumed at %d it is\n%s\nwant\n%s", from, got, want)
		}
	}
}

// TestRowsAreNotWrittenToADevice: it would swallow them, or never end.
func TestRowsAreNotWrittenToADevice(t *testing.T) {
	for _, device := range []string{"/dev/null", "/dev/zero"} {
		if _, err := os.Stat(device); err != nil {
			t.Skip(err)
		}
		r := newToy(t, toyConfig(), eval.Config{Every: 4}, t.TempDir())
		must(t, os.Symlink(device, filepath.Join(r.o.Dir, MetricsFile)))
		if _, err := r.run(); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: %v", device, err)
		}
	}
}

func TestAStopWithRowsThatWereNotWrittenWarnsLast(t *testing.T) {
	r, _ := blocked(t)
	if _, err := r.stopAt(10).run(); !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	if n := len(r.msgs); n != 2 || !r.msgs[1].Warning || !strings.Contains(r.msgs[1].Text, "metrics.csv lacks 2 rows") {
		t.Errorf("%+v", r.msgs)
	}
}

func TestATableThatIsRemovedOrReplacedGetsItsRowsAnew(t *testing.T) {
	for name, disturb := range map[string]func(path string){
		"removed": func(path string) { must(t, os.Remove(path)) },
		"replaced by an earlier copy": func(path string) {
			must(t, os.Rename(path, path+".old"))
			b, err := os.ReadFile(path + ".old")
			must(t, err)
			must(t, os.WriteFile(path, b[:len(b)-40], 0o644)) // cut within a row
		},
		"cut": func(path string) { must(t, os.Truncate(path, 120)) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newToy(t, toyConfig(), eval.Config{Every: 4}, t.TempDir())
			r.o.Hooks.OnEval = func(row Row, _ Progress) {
				if row.Step == 12 {
					disturb(filepath.Join(r.o.Dir, MetricsFile))
				}
			}
			_, err := r.run()
			must(t, err)
			if got, want := readFile(t, r.o.Dir, MetricsFile), undisturbed(t); got != want {
				t.Errorf("it is\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestRowsThatAreNowhereAreMissed(t *testing.T) {
	r := newToy(t, toyConfig(), eval.Config{Every: 4}, t.TempDir())
	if _, err := r.stopAt(10).run(); !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	must(t, os.Remove(filepath.Join(r.o.Dir, MetricsFile)))
	again := newToy(t, toyConfig(), eval.Config{Every: 4}, r.o.Dir).resumeFrom(r.store, 10)
	_, err := again.run()
	must(t, err)
	if len(again.msgs) != 1 || !again.msgs[0].Warning || !strings.Contains(again.msgs[0].Text, "no row of step 8") {
		t.Errorf("%+v", again.msgs)
	}
}

func TestACheckpointThatIsSavedAgainKeepsWhatWasMeasured(t *testing.T) {
	r := newToy(t, toyConfig(), eval.Config{Every: 4}, "")
	r.o.Resume = &Resume{State: State{Format: 1, Step: 8, Batches: 8, Evaluated: 8}, Momentum: nil, Evaluation: &Evaluation{Test: &Metrics{Error: 12.5}}}
	r.o.Resume.Momentum = NewStepper(r.o.Plan.Config.Optimizer, r.params, 0).Tensors()
	r.o.Control.SaveNow()
	r.o.Plan.Config.Checkpoint.Every = 1
	r.o.Plan.Iterations = 8
	_, err := r.run()
	must(t, err)
	if e := r.store.snaps[8].eval; e == nil || e.Test.Error != 12.5 {
		t.Errorf("%+v", e)
	}
}
