package train

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"resnet/internal/eval"
	"resnet/internal/eval/report"
	"resnet/internal/graph"
	"resnet/internal/train/tensorboard"
)

func eventsRun(t *testing.T, dir string) *toyRun {
	cfg := toyConfig()
	cfg.TensorBoard = true
	cfg.Iterations, cfg.Checkpoint.Every = 120, 7
	r := newToy(t, cfg, eval.Config{Every: 10, TrainSet: true}, dir)
	stopped := time.Unix(1, 0)
	// The only thing in the file that is not the training's.
	r.o.Now = func() time.Time { return stopped }
	return r
}

func TestEventsOfAResumedRunAreThoseOfAnUninterruptedOne(t *testing.T) {
	whole := eventsRun(t, t.TempDir())
	_, err := whole.run()
	must(t, err)
	want := readFile(t, whole.o.Dir, tensorboard.File)
	for _, tag := range []string{"batch/loss", "batch/rate", "train/error", "validation/error", "test/loss", "test/top5_error", "training_set/error", "epoch"} {
		if !strings.Contains(want, tag) {
			t.Errorf("no event of %s", tag)
		}
	}
	for _, k := range []int{9, 10, 50, 99} {
		dir := t.TempDir()
		first := eventsRun(t, dir).stopAt(k)
		if _, err := first.run(); !errors.Is(err, ErrStopped) {
			t.Fatal(err)
		}
		// A run that was killed resumes from an earlier step than it reached.
		for _, from := range []int{first.store.order[0], first.store.last()} {
			second := eventsRun(t, dir).resumeFrom(first.store, from)
			if _, err := second.run(); err != nil {
				t.Fatal(err)
			}
			if got := readFile(t, dir, tensorboard.File); got != want {
				t.Errorf("stopped at %d, resumed at %d: %d bytes of events, want %d", k, from, len(got), len(want))
			}
		}
	}
}

func TestASplitThatIsNotThereHasNoEvents(t *testing.T) {
	r := eventsRun(t, t.TempDir())
	r.val = false
	_, err := r.run()
	must(t, err)
	file := readFile(t, r.o.Dir, tensorboard.File)
	if strings.Contains(file, "validation/") || len(scalars(t, file, "test/error")) != 12 {
		t.Errorf("%d events of the test split, or some of one that is not there", len(scalars(t, file, "test/error")))
	}
}

func TestEventsThatCannotBeWrittenAreOneWarning(t *testing.T) {
	r := eventsRun(t, t.TempDir())
	if err := os.Mkdir(filepath.Join(r.o.Dir, tensorboard.File), 0o755); err != nil {
		t.Fatal(err)
	}
	r.o.Plan.Config.OnNonfinite = NonfiniteRollback // which opens the file again
	bad := true
	r.machine.fault = faultAt(31, func(_ *toyMachine, res *graph.Result) {
		if bad {
			res.Loss = math.NaN()
		}
		bad = false
	})
	s, err := r.run()
	var incomplete *IncompleteError
	if !errors.As(err, &incomplete) || !strings.Contains(err.Error(), tensorboard.File+" lacks 14 events") {
		t.Errorf("a run without its events ended with %v", err)
	}
	if s.State.Step != 120 || s.State.Rollbacks != 1 || !s.State.Finished {
		t.Errorf("ended at %d", s.State.Step)
	}
	n := 0
	for _, m := range r.msgs {
		if m.Warning && strings.Contains(m.Text, "events are added when the file can be written again") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d warnings: %v", n, r.msgs)
	}
}

// TestEventsAreAddedWhenTheFileCanBeWrittenAgain: of an obstacle that goes away in the middle of
// the run, nothing can be seen in the file.
func TestEventsAreAddedWhenTheFileCanBeWrittenAgain(t *testing.T) {
	whole := eventsRun(t, t.TempDir())
	_, err := whole.run()
	must(t, err)
	r := eventsRun(t, t.TempDir())
	blocker := filepath.Join(r.o.Dir, tensorboard.File)
	must(t, os.Mkdir(blocker, 0o755))
	evals := 0
	r.o.Hooks.OnEval = func(Row, Progress) {
		if evals++; evals == 7 {
			must(t, os.Remove(blocker))
		}
	}
	_, err = r.run()
	must(t, err)
	if readFile(t, r.o.Dir, tensorboard.File) != readFile(t, whole.o.Dir, tensorboard.File) {
		t.Error("events are missing, or in another order")
	}
}

func TestTheTrainingSetsColumnsAreThereWhenAskedFor(t *testing.T) {
	r := eventsRun(t, t.TempDir())
	_, err := r.run()
	must(t, err)
	lines := strings.Split(readFile(t, r.o.Dir, MetricsFile), "\n")
	if !strings.HasSuffix(lines[0], ",test_top5,train_eval_loss,train_eval_error") {
		t.Errorf("header %s", lines[0])
	}
	h, err := report.ReadHistory(filepath.Join(r.o.Dir, MetricsFile))
	must(t, err)
	m := toyEvaluate(r.params)
	if last := h[len(h)-1]; last.TrainEvalError == nil || !(math.Abs(*last.TrainEvalError-m.Error/2) <= 1e-4) {
		t.Errorf("last row %s, want the error %v", lines[len(lines)-2], m.Error/2)
	}
}

// scalars finds the values of a tag in an event file: after the tag, field 2 as a float32.
func scalars(t *testing.T, file, tag string) (values []float64) {
	t.Helper()
	mark := string([]byte{0x0a, byte(len(tag))}) + tag + "\x15"
	for _, after := range strings.Split(file, mark)[1:] {
		values = append(values, float64(math.Float32frombits(binary.LittleEndian.Uint32([]byte(after)))))
	}
	return values
}

func TestEventsAreTheFiguresOfMetricsCSV(t *testing.T) {
	r := eventsRun(t, t.TempDir())
	var batches [][3]float64 // error, loss and rate of every fiftieth update
	r.o.Hooks.OnStep = func(p Progress) {
		if p.Step%50 == 0 {
			batches = append(batches, [3]float64{p.Error, p.Loss, p.Rate})
		}
	}
	_, err := r.run()
	must(t, err)
	file := readFile(t, r.o.Dir, tensorboard.File)
	lines := strings.Split(strings.TrimSpace(readFile(t, r.o.Dir, MetricsFile)), "\n")
	for i, column := range strings.Split(lines[0], ",") {
		tag, ok := map[string]string{
			"epoch": "epoch", "rate": "rate", "train_loss": "train/loss", "train_error": "train/error", "val_loss": "validation/loss",
			"val_error": "validation/error", "val_top5": "validation/top5_error", "test_loss": "test/loss", "test_error": "test/error",
			"test_top5": "test/top5_error", "train_eval_loss": "training_set/loss", "train_eval_error": "training_set/error",
		}[column]
		if !ok && column != "step" {
			t.Errorf("column %s has no event", column)
		}
		if !ok {
			continue
		}
		got := scalars(t, file, tag)
		if len(got) != len(lines)-1 {
			t.Errorf("%s: %d values, %d rows", tag, len(got), len(lines)-1)
			continue
		}
		for k, line := range lines[1:] {
			want, err := strconv.ParseFloat(strings.Split(line, ",")[i], 64)
			must(t, err)
			if !(math.Abs(got[k]-want) <= 1e-4+1e-6*math.Abs(want)) {
				t.Errorf("%s of row %d is %v, metrics.csv has %v", tag, k, got[k], want)
			}
		}
	}
	for j, tag := range []string{"batch/error", "batch/loss", "batch/rate"} {
		got := scalars(t, file, tag)
		if len(got) != 2 || len(batches) != 2 {
			t.Fatalf("%s: %d values of %d", tag, len(got), len(batches))
		}
		for k := range got {
			if !(math.Abs(got[k]-batches[k][j]) <= 1e-5*(1+batches[k][j])) {
				t.Errorf("%s at update %d is %v, want %v", tag, 50*(k+1), got[k], batches[k][j])
			}
		}
	}
}
