package corpus

import (
	"context"
	"io"
	"sync"

	"resnet/internal/datasets"
	"resnet/internal/datasets/fault"
)

// LoaderOptions say what a Loader delivers.
type LoaderOptions struct {
	Split  datasets.Split
	Shapes []Shape // of the batches, sorted by frames; the last holds the longest utterance
	// Once gives every utterance once, in order, with what is left in a batch that is not full;
	// else full batches in an order drawn by seed for each epoch, without end.
	Once bool
	// Every gives every utterance in each epoch: an epoch may end in a batch that is not full. It
	// is for orders drawn by seed; Once has it anyway.
	Every bool
	// Only are the indices of the utterances that are delivered; nil means all of the split.
	Only       []int
	Seed       uint64
	Maps       int  // C, by which the values of a frame are divided: [C, F]
	Utterances bool // labels of utterances [N] instead of frames [N·T]
	StartEpoch int  // where to begin, both counted from 0
	StartBatch int
}

// Loader prepares batches ahead of its reader in a goroutine of its own. The batches are a function
// of (seed, epoch, step) alone. Next, Recycle and Close are called by one goroutine. Always Close a
// loader.
type Loader struct {
	o     *Corpus
	opt   LoaderOptions
	plan  *planner
	ready chan prepared
	free  chan *datasets.Batch
	done  chan struct{}
	close sync.Once
	wg    sync.WaitGroup
	err   error
}

type prepared struct {
	batch *datasets.Batch
	err   error
}

// ahead is how many batches wait for their reader.
const ahead = 2

// PerEpoch is the number of batches in a training epoch of shapes.
func (o *Corpus) PerEpoch(shapes []Shape) int {
	p := newPlanner(o.Lengths(datasets.Train), shapes)
	p.trainable()
	return p.perEpoch()
}

// TrainShapes are those of the training split's batches; the last one is cut down to what there is.
func (o *Corpus) TrainShapes(l Limits) []Shape {
	lengths := o.Lengths(datasets.Train)
	p := newPlanner(lengths, Shapes(lengths, o.cfg.Buckets, l))
	p.trainable()
	return p.shapes
}

// NewLoader starts a loader.
func (o *Corpus) NewLoader(opt LoaderOptions) (*Loader, error) {
	n := o.Len(opt.Split)
	switch {
	case n == 0:
		return nil, fault.Errorf(fault.ErrConfig, "%s: split %q has no utterances", o.info.Name, opt.Split)
	case len(opt.Shapes) == 0 || opt.StartEpoch < 0 || opt.StartBatch < 0:
		return nil, fault.Errorf(fault.ErrConfig, "loader: %d shapes, start %d/%d", len(opt.Shapes), opt.StartEpoch, opt.StartBatch)
	case opt.Maps < 1 || o.info.Dim%opt.Maps != 0:
		return nil, fault.Errorf(fault.ErrConfig, "frames of %d values are not %d maps of one size: set model.channels to the static features and their differences", o.info.Dim, opt.Maps)
	}
	lengths := o.Lengths(opt.Split)
	longest := opt.Shapes[len(opt.Shapes)-1].Frames
	for i, t := range lengths {
		if t > longest {
			return nil, fault.Errorf(fault.ErrConfig, "loader: utterance %s has %d frames, the longest shape %d", o.ID(opt.Split, i), t, longest)
		}
	}
	plan := newPlanner(lengths, opt.Shapes)
	if opt.Only != nil {
		plan.restrict(opt.Only)
	}
	plan.every = opt.Every
	l := &Loader{
		o: o, opt: opt, plan: plan,
		ready: make(chan prepared, ahead), free: make(chan *datasets.Batch, ahead+2), done: make(chan struct{}),
	}
	if !opt.Once && !opt.Every && l.plan.perEpoch() == 0 {
		return nil, fault.Errorf(fault.ErrConfig, "%s: %d utterances are less than one batch: lower train.batch", o.info.Name, n)
	}
	l.wg.Go(l.work)
	return l, nil
}

// Next waits for the next batch, which is the caller's until it is given to Recycle. After the last
// one it returns io.EOF; after an utterance that does not read, that error, again and again; after
// Close, datasets.ErrClosed. Cancelling ctx loses no batch.
func (l *Loader) Next(ctx context.Context) (*datasets.Batch, error) {
	select {
	case <-l.done:
		return nil, datasets.ErrClosed
	default:
	}
	if l.err != nil {
		return nil, l.err
	}
	select {
	case p := <-l.ready:
		if p.err != nil {
			l.err = p.err
			return nil, p.err
		}
		return p.batch, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Recycle gives a batch back, so that its memory serves a later one.
func (l *Loader) Recycle(b *datasets.Batch) {
	if b == nil {
		return
	}
	select {
	case l.free <- b:
	default:
	}
}

// Close stops the loader. It may be called twice.
func (l *Loader) Close() {
	l.close.Do(func() { close(l.done) })
	l.wg.Wait()
}

// work prepares batches until there are no more, or the loader is closed.
func (l *Loader) work() {
	start := l.opt.StartBatch
	for epoch := l.opt.StartEpoch; ; epoch++ {
		list := l.batches(epoch)
		for step := start; step < len(list); step++ {
			b, err := l.fill(list[step])
			if b != nil {
				b.Epoch, b.Step = epoch, step
			}
			if !l.deliver(prepared{b, err}) || err != nil {
				return
			}
		}
		start = max(0, start-len(list))
		if l.opt.Once {
			l.deliver(prepared{nil, io.EOF})
			return
		}
	}
}

func (l *Loader) batches(epoch int) []batch {
	if l.opt.Once {
		return l.plan.once()
	}
	return l.plan.epoch(func(part int, p []int32) {
		datasets.PermuteUtterances(p, l.opt.Seed, uint64(epoch), uint64(part))
	})
}

func (l *Loader) deliver(p prepared) bool {
	select {
	case l.ready <- p:
		return true
	case <-l.done:
		return false
	}
}

// fill reads the utterances of a batch.
func (l *Loader) fill(list batch) (*datasets.Batch, error) {
	n, t := len(list.items), list.shape.Frames
	b := l.buffer()
	b.N, b.Frames = n, t
	b.X = resize(b.X, n*l.o.info.Dim*t)
	clear(b.X)
	b.Lengths, b.Index = resize(b.Lengths, n), resize(b.Index, n)
	labels := n * t
	if l.opt.Utterances {
		labels = n
	}
	b.Labels = resize(b.Labels, labels)
	for i := range b.Labels {
		b.Labels[i] = NoLabel
	}
	for j, u := range list.items {
		select {
		case <-l.done:
			return nil, datasets.ErrClosed
		default:
		}
		if err := l.utterance(b, j, int(u)); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// utterance puts utterance i of the split into place j of a batch.
func (l *Loader) utterance(b *datasets.Batch, j, i int) error {
	frames, t := l.o.Frames(l.opt.Split, i), b.Frames
	var labels []int32
	if l.opt.Utterances {
		b.Labels[j] = int32(l.o.Label(l.opt.Split, i))
	} else {
		labels = b.Labels[j*t : j*t+frames]
	}
	f, err := l.o.Read(l.opt.Split, i, labels)
	if err != nil {
		return err
	}
	b.Index[j], b.Lengths[j] = i, int32(frames)
	Transpose(b.X[j*f.Dim*t:(j+1)*f.Dim*t], f.Data, f.Dim, t)
	return nil
}

// Transpose writes frames [T', D] as [D, T], T' <= T; what is behind an utterance stays as it is. D
// = C·F: the maps are one after another in a frame, so that [D, T] is [C, F, T].
func Transpose(dst, frames []float32, dim, t int) {
	for k := 0; k*dim < len(frames); k++ {
		for d, v := range frames[k*dim : (k+1)*dim] {
			dst[d*t+k] = v
		}
	}
}

func (l *Loader) buffer() *datasets.Batch {
	select {
	case b := <-l.free:
		return b
	default:
		return &datasets.Batch{}
	}
}

// resize returns a slice of n elements over the same memory where that is enough. What is in it is
// left over.
func resize[E any](s []E, n int) []E {
	if cap(s) < n {
		return make([]E, n)
	}
	return s[:n]
}
