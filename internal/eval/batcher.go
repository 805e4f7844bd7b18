package eval

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrClosed says that a Batcher has been closed.
var ErrClosed = errors.New("the network has been closed")

// BatcherOptions are those of a Batcher.
type BatcherOptions struct {
	ScorerOptions
	// Delay is how long the first of some images waits for others, unless Batch of them have come.
	// With 0 an image waits for the computation in hand alone.
	Delay time.Duration
	// Computed is told how many images were computed together. It may be nil.
	Computed func(images int)
}

// A Batcher computes the scores of images that come from many goroutines, several images together
// where several wait. Close it.
type Batcher struct {
	scorer *Scorer
	o      BatcherOptions
	asked  chan *asked
	done   chan struct{} // closed when nothing is computed any more
	stop   context.CancelFunc
	once   sync.Once
}

// asked is an image whose scores somebody waits for.
type asked struct {
	ctx    context.Context
	cuts   []Cut
	scores []float32
	err    error
	ready  chan struct{}
}

// NewBatcher makes a Batcher of a model and a protocol, as NewScorer makes a Scorer.
func NewBatcher(m *Model, p Protocol, o BatcherOptions) *Batcher {
	o.Batch, o.Two = max(1, o.Batch), true
	ctx, stop := context.WithCancel(context.Background())
	b := &Batcher{scorer: NewScorer(m, p, o.ScorerOptions), o: o, asked: make(chan *asked), done: make(chan struct{}), stop: stop}
	go b.work(ctx)
	return b
}

// Scores are those of Scorer.Score for the cuts of one image. Many goroutines may wait for theirs
// at once. It fails when ctx is done, with ErrClosed after Close, and as the network does.
func (b *Batcher) Scores(ctx context.Context, cuts []Cut) ([]float32, error) {
	a := &asked{ctx: ctx, cuts: cuts, ready: make(chan struct{})}
	select {
	case b.asked <- a:
	case <-b.done:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case <-a.ready:
		return a.scores, a.err
	case <-ctx.Done(): // what is being computed is computed for nobody
		return nil, ctx.Err()
	}
}

// Warm makes the machines for views of height x width before the first of them comes, with black
// ones.
func (b *Batcher) Warm(ctx context.Context, height, width int) error {
	for _, n := range []int{b.scorer.together(height, width), 1} {
		cuts := make([]Cut, n)
		for i := range cuts {
			cuts[i] = Cut{height, width, make([]byte, b.scorer.model.Spec.InputChannels*height*width)}
		}
		if _, err := b.Scores(ctx, cuts); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the computing: images that wait fail with ErrClosed. It may be called twice.
func (b *Batcher) Close() {
	b.once.Do(b.stop)
	<-b.done
}

func (b *Batcher) work(ctx context.Context) {
	defer close(b.done)
	defer b.scorer.Close()
	for {
		select {
		case first := <-b.asked:
			b.compute(ctx, b.gather(ctx, first))
		case <-ctx.Done():
			return
		}
	}
}

// gather takes the images that wait, up to a batch, and waits for more up to the delay.
func (b *Batcher) gather(ctx context.Context, first *asked) []*asked {
	all, views := []*asked{first}, len(first.cuts)
	var late <-chan time.Time
	if b.o.Delay > 0 {
		timer := time.NewTimer(b.o.Delay)
		defer timer.Stop()
		late = timer.C
	}
	for views*b.scorer.protocol.flips() < b.o.Batch {
		var next *asked
		if late == nil {
			select {
			case next = <-b.asked:
			default:
				return all
			}
		} else {
			select {
			case next = <-b.asked:
			case <-late:
				return all
			case <-ctx.Done():
				return all
			}
		}
		all, views = append(all, next), views+len(next.cuts)
	}
	return all
}

// compute answers those who still wait.
func (b *Batcher) compute(ctx context.Context, all []*asked) {
	var window []pending
	var waiting []*asked
	for _, a := range all {
		if a.err = a.ctx.Err(); a.err != nil {
			close(a.ready)
			continue
		}
		waiting, window = append(waiting, a), append(window, pending{cuts: a.cuts})
	}
	err := ctx.Err()
	if err != nil {
		err = ErrClosed
	} else {
		err = b.scorer.compute(ctx, window)
		if ctx.Err() != nil {
			err = ErrClosed
		}
	}
	if b.o.Computed != nil && err == nil {
		b.o.Computed(len(waiting))
	}
	for i, a := range waiting {
		if a.err = err; err == nil {
			a.scores = b.scorer.combined(nil, window[i])
		}
		close(a.ready)
	}
}
