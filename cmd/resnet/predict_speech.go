package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/datasets/speech"
	"resnet/internal/datasets/speech/corpus"
	"resnet/internal/eval"
	"resnet/internal/graph"
)

// hearing classifies recordings, one at a time.
type hearing struct {
	a        *app
	net      *model
	front    corpus.Frontend
	spec     blocks.Spec
	adapted  *speech.Transform // of the speaker, or nil
	machines *eval.Sequencer
}

func newHearing(a *app, net *model, threads int) (*hearing, error) {
	front, err := net.frontend()
	if err != nil {
		return nil, err
	}
	if err := net.fitsFrames(front.Fbank().Dim() * (1 + front.Deltas)); err != nil {
		return nil, fmt.Errorf("%w: a network that was trained on stored features: use `%s speech posteriors`", err, a.self)
	}
	h := &hearing{a: a, net: net, front: front, spec: net.Spec.WithOutput(blocks.OutputFrame)}
	h.machines, err = a.sequencer(h.spec, net.Params, graph.Eval, eval.Plain, threads)
	return h, err
}

// adapt takes the transform of the speaker that is named, if one is.
func (h *hearing) adapt(o *predictOptions) error {
	by, err := h.net.transforms(o.adaptation)
	if err != nil || by == nil {
		return err
	}
	t, ok := by[o.speaker]
	if !ok {
		return fmt.Errorf("%s: %w: it has no transform for the speaker %q: it has %s", o.adaptation, datasets.ErrData, o.speaker, strings.Join(slices.Sorted(maps.Keys(by)), ", "))
	}
	h.adapted = &t
	return nil
}

// scores are the means of the frames' logits of a recording.
func (h *hearing) scores(path string) ([]float32, error) {
	if err := regularFile(path); err != nil {
		return nil, err
	}
	static, err := corpus.ReadRecording(path, h.front.Fbank())
	if err != nil {
		return nil, err
	}
	f, err := h.front.Finish(static, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if h.adapted != nil {
		if err := h.adapted.Apply(f); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	t := eval.RoundFrames(f.Frames)
	b := &datasets.Batch{X: make([]float32, f.Dim*t), N: 1, Lengths: []int32{int32(f.Frames)}, Frames: t}
	corpus.Transpose(b.X, f.Data, f.Dim, t)
	logits, err := h.machines.InferSequences(b)
	if err != nil {
		return nil, err
	}
	k := h.spec.Classes
	mean := make([]float64, k)
	for at, z := range logits[:f.Frames*k] {
		mean[at%k] += float64(z) / float64(f.Frames)
	}
	out := make([]float32, k)
	for c, z := range mean {
		if math.IsNaN(z) || math.IsInf(z, 0) {
			return nil, fmt.Errorf("%s: %s: %w: the logit of class %d is %v", h.net.named, path, eval.ErrNonFinite, c, z)
		}
		out[c] = float32(z)
	}
	return out, nil
}

func (h *hearing) close() { h.machines.Close() }

// regularFile refuses what is no file to read whole: a pipe would wait for its writer.
func regularFile(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &missingError{fmt.Errorf("%s: no such recording", path)}
	case err != nil:
		return &ioError{err}
	case !info.Mode().IsRegular():
		return &badImageError{fmt.Errorf("%s: not a regular file", path)}
	}
	return nil
}

// heard is what predict says of a recording.
type heard struct {
	Recording string       `json:"recording"`
	Top       []eval.Guess `json:"top,omitempty"`
	Error     string       `json:"error,omitempty"`
}

// predictSpeech classifies recordings: files, those of folders, or those named on standard input.
func predictSpeech(ctx context.Context, a *app, o *predictOptions, net *model, args []string) error {
	h, err := newHearing(a, net, o.threads)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.adapt(o); err != nil {
		return err
	}
	if args[0] == "-" {
		return h.stream(ctx, o)
	}
	paths, err := filesOf(recordingEndings, args)
	if err != nil {
		return err
	}
	var failed error
	all := []heard{}
	if !o.json {
		fmt.Fprintf(a.out, "%s (%s), whole recordings\n", eval.Printable(net.Spec.Name), eval.Printable(net.named))
	}
	for _, path := range paths {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r, err := h.hear(path, o.top)
		if fatal(err) {
			return err
		}
		if failed == nil {
			failed = err
		}
		if all = append(all, r); o.json {
			continue
		}
		if err := h.print(r); err != nil {
			return err
		}
	}
	if o.json {
		doc := struct {
			Model      string  `json:"model"`
			Checkpoint string  `json:"checkpoint"`
			Recordings []heard `json:"recordings"`
		}{net.Spec.Name, net.named, all}
		if err := eval.WriteJSON(a.out, doc); err != nil {
			return err
		}
	}
	if failed != nil {
		return &silentError{failed}
	}
	return nil
}

// fatal reports whether an error is the network's and not a recording's.
func fatal(err error) bool {
	return errors.Is(err, eval.ErrNonFinite) || errors.Is(err, graph.ErrShape)
}

// hear classifies a recording. Its error is in the result as well.
func (h *hearing) hear(path string, top int) (heard, error) {
	scores, err := h.scores(path)
	if err != nil {
		return heard{Recording: path, Error: strings.TrimPrefix(err.Error(), path+": ")}, err
	}
	return heard{Recording: path, Top: eval.Top(scores, top, h.net.Classes)}, nil
}

func (h *hearing) print(r heard) error {
	if r.Error != "" {
		h.a.say("%s: %s", eval.Printable(r.Recording), eval.Printable(r.Error))
		return nil
	}
	_, err := io.WriteString(h.a.out, guesses(r.Recording, r.Top))
	return err
}

// stream answers each path on standard input with a line of JSON.
func (h *hearing) stream(ctx context.Context, o *predictOptions) error {
	var failed error
	err := eachPath(ctx, h.a.in, func(path string) error {
		r, err := h.hear(path, o.top)
		if fatal(err) {
			return err
		}
		if failed == nil {
			failed = err
		}
		text, err := eval.JSONLine(r)
		if err != nil {
			return err
		}
		if _, err := h.a.out.Write(text); err != nil {
			return &ioError{err}
		}
		return nil
	})
	if err == nil && failed != nil {
		return &silentError{failed}
	}
	return err
}

// eachPath calls f for every line of the input. Empty lines are left out.
func eachPath(ctx context.Context, in io.Reader, f func(path string) error) error {
	lines, end := make(chan string), make(chan error, 1)
	go func() { // it may wait for the input for ever; it ends with the process
		scan := bufio.NewScanner(in)
		scan.Buffer(nil, maxPathLine)
		for scan.Scan() {
			select {
			case lines <- strings.TrimSuffix(scan.Text(), "\r"):
			case <-ctx.Done():
				return
			}
		}
		end <- scan.Err()
	}()
	for {
		select {
		case path := <-lines:
			if path == "" {
				continue
			}
			if err := f(path); err != nil {
				return err
			}
		case err := <-end:
			if err != nil {
				return &ioError{fmt.Errorf("standard input: %w", err)}
			}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
