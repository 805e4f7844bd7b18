package train

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"resnet/internal/eval"
	"resnet/internal/eval/report"
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

func TestEventsThatCannotBeWrittenAreOneWarning(t *testing.T) {
	r := eventsRun(t, t.TempDir())
	if err := os.Mkdir(filepath.Join(r.o.Dir, tensorboard.File), 0o755); err != nil {
		t.Fatal(err)
	}
	s, err := r.run()
	must(t, err)
	if s.State.Step != 120 {
		t.Errorf("ended at %d", s.State.Step)
	}
	n := 0
	for _, m := range r.msgs {
		if m.Warning && strings.Contains(m.Text, "without these events") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d warnings: %v", n, r.msgs)
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
	if last := h[len(h)-1]; last.TrainEvalError == nil || math.Abs(*last.TrainEvalError-m.Error/2) > 1e-4 {
		t.Errorf("last row %s, want the error %v", lines[len(lines)-2], m.Error/2)
	}
}
