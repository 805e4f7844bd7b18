package experiment

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
)

// ServiceOptions say how a Service looks at pictures and computes.
type ServiceOptions struct {
	View eval.ViewOptions
	// Form is what it gives of a picture: eval.Plain, logits; eval.Features; eval.Maps.
	Form    eval.Form
	Batch   int           // views computed together
	Delay   time.Duration // how long the first of some pictures waits for others
	Threads int           // of the network, and pictures decoded at a time; 0 means all cores
	// Computed is told how many pictures were computed together. It may be nil.
	Computed func(images int)
}

// A Service computes pictures for many callers at once: some are decoded while others are computed.
// With a Batch of 1 what it gives of a picture does not depend on what others ask. Close it.
type Service struct {
	Model    *Model
	Protocol eval.Protocol

	names    []string
	batcher  *eval.Batcher
	decoding chan struct{} // holds one for each picture in the making
}

// NewService makes a Service of a network of images.
func NewService(m *Model, o ServiceOptions) (*Service, error) {
	if m.Spec.Family == blocks.FamilySpeech {
		return nil, config.Usagef("%s is a network of speech, and pictures are asked for", m.Named)
	}
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	m.sayAssumed()
	p, err := o.View.Protocol(m.Model)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Named, err)
	}
	return &Service{
		Model: m, Protocol: p, names: m.ShownNames(), decoding: make(chan struct{}, o.Threads),
		batcher: eval.NewBatcher(m.Model, p, eval.BatcherOptions{
			ScorerOptions: eval.ScorerOptions{Form: o.Form, Factory: m.factory(o.Threads), Batch: o.Batch}, Delay: o.Delay, Computed: o.Computed,
		}),
	}, nil
}

// View says in words how a picture is seen.
func (s *Service) View() string {
	view := s.Protocol.String()
	if s.Model.Spec.InputChannels == 1 {
		view += ", colours as luma"
	}
	return view
}

// Close ends the computing: callers who wait fail with eval.ErrClosed.
func (s *Service) Close() { s.batcher.Close() }

// Warm makes the machines before the first picture comes.
func (s *Service) Warm(ctx context.Context) error {
	if len(s.Protocol.Scales) > 0 {
		return nil // a machine for each size, whatever sizes come
	}
	return s.batcher.Warm(ctx, s.Protocol.Height, s.Protocol.Width)
}

// Guesses are the top likeliest classes of an image file whose bytes are given. bad is why the
// picture has none, and err what ends all.
func (s *Service) Guesses(ctx context.Context, image []byte, name string, top int) (guesses []eval.Guess, bad, err error) {
	scores, bad, err := s.Scores(ctx, func() (datasets.Picture, error) { return s.Model.Preprocessing.DecodeBytes(image, name) })
	if bad != nil || err != nil {
		return nil, bad, err
	}
	if err := s.Model.FiniteOutputs(name, "the logit of class", scores); err != nil {
		return nil, nil, err
	}
	return eval.Top(scores, top, s.names), nil, nil
}

// Names are the names of the classes for people: see Model.ShownNames.
func (s *Service) Names() []string { return s.names }

// FiniteOutputs fails with eval.ErrNonFinite where an output of the network for a picture or a
// recording is not; what says what an output is.
func (m *Model) FiniteOutputs(place, what string, outputs []float32) error {
	for i, z := range outputs {
		if z-z != 0 {
			return fmt.Errorf("%s: %s: %w: %s %d is %v", m.Named, place, eval.ErrNonFinite, what, i, z)
		}
	}
	return nil
}

// Scores are what the network gives of the picture that decode makes, which may be called later, in
// turn with others. bad is why this picture has none, and err what ends all.
func (s *Service) Scores(ctx context.Context, decode func() (datasets.Picture, error)) (scores []float32, bad, err error) {
	cuts, bad, err := s.cuts(ctx, decode)
	if bad != nil || err != nil {
		return nil, bad, err
	}
	scores, err = s.batcher.Scores(ctx, cuts)
	return scores, nil, err
}

func (s *Service) cuts(ctx context.Context, decode func() (datasets.Picture, error)) (cuts []eval.Cut, bad, err error) {
	select {
	case s.decoding <- struct{}{}:
		defer func() { <-s.decoding }()
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	cuts, bad = eval.PictureCuts(s.Protocol, s.Model.Preprocessing, func(int) (datasets.Picture, error) { return decode() })(0)
	return cuts, bad, nil
}

// Read are the Scores of an image file that r holds. name is for messages.
func (s *Service) Read(ctx context.Context, r io.Reader, name string) (scores []float32, bad, err error) {
	return s.Scores(ctx, func() (datasets.Picture, error) { return s.Model.Preprocessing.Decode(r, name) })
}
