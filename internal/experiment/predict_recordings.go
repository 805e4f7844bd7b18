package experiment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/datasets/speech"
	"resnet/internal/datasets/speech/corpus"
	"resnet/internal/datasets/speech/recording"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
	"resnet/internal/text"
)

// recordings classifies recordings, one at a time.
type recordings struct {
	m         *Model
	front     corpus.Frontend
	spec      blocks.Spec
	transform *speech.Transform // of the speaker, or nil
	computing sync.Mutex
	machines  *eval.Sequencer
}

func newRecordings(m *Model, o PredictOptions) (*recordings, error) {
	front, err := m.frontend()
	if err != nil {
		return nil, err
	}
	if err := m.fitsFrames(front.Fbank().Dim() * (1 + front.Deltas)); err != nil {
		return nil, fmt.Errorf("%w: a network that was trained on stored features: use `%s speech posteriors`", err, m.env.Self)
	}
	r := &recordings{m: m, front: front, spec: m.Spec.WithOutput(blocks.OutputFrame)}
	if r.machines, err = m.applied(r.spec, o.Threads); err != nil {
		return nil, err
	}
	by, err := m.transforms(o.Adaptation)
	if err != nil || by == nil {
		return r, err
	}
	t, ok := by[o.Speaker]
	if !ok {
		return nil, fmt.Errorf("%s: %w: it has no transform for the speaker %q: it has %s", o.Adaptation, datasets.ErrData, o.Speaker,
			strings.Join(slices.Sorted(maps.Keys(by)), ", "))
	}
	r.transform = &t
	return r, nil
}

func (*recordings) kinds() []string                  { return recording.Kinds() }
func (*recordings) label(p *Prediction, path string) { p.Recording = path }
func (r *recordings) names() []string                { return r.m.Classes }

func (r *recordings) close() { r.machines.Close() }

// read makes the features of a recording.
func (r *recordings) read(path string) (f speech.Features, err error) {
	static, err := corpus.ReadRecording(path, r.front)
	if errors.Is(err, fs.ErrNotExist) {
		return f, missingf("%s: no such recording", path)
	}
	if err != nil {
		return f, err
	}
	f, err = r.front.Finish(static, nil)
	if err == nil && r.transform != nil {
		err = r.transform.Apply(f)
	}
	if err != nil {
		return f, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

func (r *recordings) scores(_ context.Context, path string) (scores []float32, bad, err error) {
	f, bad := r.read(path)
	if bad != nil {
		return nil, bad, nil
	}
	return r.compute(f)
}

// compute are the means of the frames' logits of a recording.
func (r *recordings) compute(f speech.Features) (scores []float32, bad, err error) {
	r.computing.Lock()
	defer r.computing.Unlock()
	t := eval.RoundFrames(f.Frames)
	b := &datasets.Batch{X: make([]float32, f.Dim*t), N: 1, Lengths: []int32{int32(f.Frames)}, Frames: t}
	corpus.Transpose(b.X, f.Data, f.Dim, t)
	logits, err := r.machines.InferSequences(b)
	if errors.Is(err, graph.ErrShape) { // the network's fault, not the recording's
		return nil, nil, err
	}
	if large := new(schedule.TooLargeError); errors.As(err, &large) {
		return nil, fmt.Errorf("%w: its %d frames need at least %s of memory, and %s: cut it", datasets.ErrData, f.Frames, text.Bytes(large.Need), r.m.env.allowed(0).why), nil
	}
	if err != nil {
		return nil, err, nil
	}
	return meanLogits(logits[:f.Frames*r.spec.Classes], r.spec.Classes), nil, nil
}

// meanLogits is the mean over frames of logits [frames, k], taken in float64.
func meanLogits(logits []float32, k int) []float32 {
	frames := len(logits) / k
	mean := make([]float64, k)
	for at, z := range logits {
		mean[at%k] += float64(z) / float64(frames)
	}
	out := make([]float32, k)
	for c, z := range mean {
		out[c] = float32(z)
	}
	return out
}

func (r *recordings) all(ctx context.Context, paths []string, each func(string, []float32, error) error) error {
	for _, path := range paths {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		scores, bad, err := r.scores(ctx, path)
		if err != nil {
			return err
		}
		if err := each(path, scores, bad); err != nil {
			return err
		}
	}
	return nil
}
