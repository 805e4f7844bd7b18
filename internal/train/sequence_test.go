package train

import (
	"context"
	"math"
	"strings"
	"testing"

	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph"
)

func TestLabelsThatAreMissingCountNothing(t *testing.T) {
	logits := []float32{1, 2, 3, 1, 9, 9, 0, 0, 5, 4}
	wrong, counted := countWrong(logits, []int32{1, -1, 0, 1, -1})
	if wrong != 1 || counted != 3 {
		t.Errorf("%d wrong of %d, want 1 of 3", wrong, counted)
	}
}

// frameMachine gives a loss and logits by the number of labels it is shown.
type frameMachine struct {
	toyMachine
	frames int
	losses []float64
}

func (m *frameMachine) Train(_ []float32, labels []int32, _ graph.StepOptions) (graph.Result, error) {
	m.calls++
	res := graph.Result{Logits: make([]float32, 3*len(labels))} // class 0 everywhere
	labelled := 0
	for _, l := range labels {
		if l >= 0 {
			labelled++
		}
	}
	res.Loss = 1 / float64(labelled)
	m.losses = append(m.losses, res.Loss)
	return res, nil
}

// frameLoader gives batches of two shapes by turns: 2 x 3 frames of which 5 are labelled, and 1 x 6
// of which 2 are.
type frameLoader struct{ step int }

func (l *frameLoader) Next(context.Context) (*datasets.Batch, error) {
	l.step++
	if l.step%2 == 1 {
		return &datasets.Batch{N: 2, Frames: 3, Lengths: []int32{3, 2}, Labels: []int32{0, 1, 0, 0, 0, -1}}, nil
	}
	return &datasets.Batch{N: 1, Frames: 6, Lengths: []int32{4}, Labels: []int32{1, -1, -1, 2, -1, -1}}, nil
}
func (*frameLoader) Recycle(*datasets.Batch) {}
func (*frameLoader) Close()                  {}

// TestFramesCountEquallyWhateverBatchTheyAreIn: the error and the loss are means over frames, and
// each batch goes to the machine of its shape.
func TestFramesCountEquallyWhateverBatchTheyAreIn(t *testing.T) {
	cfg := toyConfig()
	cfg.Iterations, cfg.Batch = 4, 2
	plan, err := NewSequencePlan(cfg, eval.Config{Every: 4}, 3, 2)
	must(t, err)
	if got := plan.ImagesPerStep(); got != 2 { // 3 utterances in 2 batches
		t.Errorf("%d utterances a step", got)
	}
	plan.UtteranceErrors = true
	dir := t.TempDir()
	params := toyParams()
	machines := map[int]*frameMachine{3: {frames: 3}, 6: {frames: 6}}
	var rows []Row
	_, err = Run(t.Context(), Options{
		Plan: plan, Params: params, Store: &memStore{}, Control: NewControl(), Dir: dir,
		MachineFor: func(b *datasets.Batch) (graph.Machine, error) { return machines[b.Frames], nil },
		Loader:     func(context.Context, int, int, datasets.Share) (Loader, error) { return &frameLoader{}, nil },
		Evaluate: func(context.Context) (Evaluation, error) {
			u := 12.5
			return Evaluation{Test: &Metrics{Loss: 1, Error: 40, UtteranceError: &u}}, nil
		},
		Hooks: Hooks{OnEval: func(r Row, _ Progress) { rows = append(rows, r) }},
	})
	must(t, err)
	if csv := readFile(t, dir, MetricsFile); !strings.Contains(csv, ",test_utterance_error\n") || !strings.HasSuffix(csv, ",40.0000,,,12.5000\n") {
		t.Errorf("metrics.csv:\n%s", csv)
	}
	if machines[3].calls != 2 || machines[6].calls != 2 {
		t.Errorf("%d and %d batches, want 2 and 2", machines[3].calls, machines[6].calls)
	}
	// Of 5 + 2 labelled frames 1 + 2 are not of class 0; both batches have a summed loss of 1.
	if len(rows) != 1 || !(math.Abs(rows[0].Train.Error-100*3./7) <= 1e-9) || !(math.Abs(rows[0].Train.Loss-2./7) <= 1e-9) {
		t.Errorf("%+v", rows[0].Train)
	}
}

func TestAPlanOfSequencesNeedsABatch(t *testing.T) {
	if _, err := NewSequencePlan(toyConfig(), eval.Config{}, 100, 0); err == nil {
		t.Error("a plan without batches")
	}
}

func TestTheLargestLogitIsTheClassAndTheFirstOfEquals(t *testing.T) {
	for _, c := range []struct {
		logits         []float32
		labels         []int32
		wrong, counted int
	}{
		{nil, nil, 0, 0},
		{[]float32{1, 2}, []int32{1}, 0, 1}, // a batch of one
		{[]float32{1, 2}, []int32{0}, 1, 1},
		{[]float32{3, 3, 3}, []int32{0}, 0, 1},
		{[]float32{3, 3, 3}, []int32{1}, 1, 1},
		{[]float32{-3, -1, -2, 0, 5, 5}, []int32{1, 2}, 1, 2},
		{[]float32{9, 0, 0, 9}, []int32{-1, 1}, 0, 1},
	} {
		if wrong, counted := countWrong(c.logits, c.labels); wrong != c.wrong || counted != c.counted {
			t.Errorf("%v for %v: %d wrong of %d, want %d of %d", c.logits, c.labels, wrong, counted, c.wrong, c.counted)
		}
	}
}
