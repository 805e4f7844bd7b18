package datasets

import (
	"context"
	"io"
	"runtime"
	"sync"
)

// LoaderOptions are what a Loader delivers.
type LoaderOptions struct {
	Split      Split
	Batch      int    // images; the last batch of an epoch has what is left, unless DropLast
	Seed       uint64 // keys order and augmentation
	Shuffle    bool   // a new order each epoch; else the data set's
	DropLast   bool   // leave out a last batch that is not full
	Balanced   bool   // with Shuffle: draw each image of a class drawn evenly (SamplingBalanced)
	Augment    Augment
	Normalizer Normalizer
	// View, unless it is nil, is how images become the input, in place of the data set's
	// configuration and of Normalizer. Nothing is augmented then.
	View       *Preprocessing
	Workers    int // goroutines; 0 means one, for images of any size one a processor
	StartEpoch int // where to begin, both counted from 0
	StartBatch int // batches of StartEpoch to leave out, up to a whole epoch
	Share      Share
	Epochs     int // the epoch to end before, counted from 0 whatever StartEpoch; 0 means never
	// OnSkip is called once for each training image that does not decode and is left out
	// (Config.OnCorrupt); it may be nil. It is called by the loader's goroutines, one at a time.
	OnSkip func(id string, err error)
}

// Share is a part of a sequence of batches: of every Of batches, counted from where a loader
// begins, Count from First on. The zero value is all of them.
type Share struct{ First, Count, Of int }

// Whole reports whether nothing is left out.
func (s Share) Whole() bool { return s.Of == 0 || s.Count == s.Of }

// Has reports whether the batch in place at of the sequence belongs to the share.
func (s Share) Has(at int) bool {
	return s.Whole() || at%s.Of >= s.First && at%s.Of < s.First+s.Count
}

// at is the place in the sequence of batch n of the share.
func (s Share) at(n int) int {
	if s.Whole() {
		return n
	}
	return n/s.Count*s.Of + s.First + n%s.Count
}

// of is the number of the first total batches that belong to the share.
func (s Share) of(total int) int {
	if s.Whole() {
		return total
	}
	return total/s.Of*s.Count + min(max(total%s.Of-s.First, 0), s.Count)
}

func (s Share) valid() bool {
	return s == Share{} || s.First >= 0 && s.Count >= 1 && s.First <= s.Of-s.Count
}

// Batch is one batch of a Loader.
type Batch struct {
	X      []float32 // [N, C, H, W], normalised and augmented
	Labels []int32   // [N]
	Index  []int     // [N] which images of the split
	N      int
	Epoch  int // counted from 0
	Step   int // position in the epoch, counted from 0

	// Other [N] are the labels of the images that were mixed into those of Labels, which have the
	// part Share, and nil where nothing was.
	Other []int32
	Share float64

	// Lengths [N] are the true frames of each utterance of a batch of sequences, whose X is [N, C,
	// F, Frames] with zeros past them; its Labels are [N·Frames], -1 past the end and where there
	// is none, or [N] for whole utterances. nil for images.
	Lengths []int32
	Frames  int
}

// Loader prepares batches ahead of its reader with goroutines of its own. The batches are a
// function of (seed, epoch, step) alone: the number of workers and the point of starting change
// nothing.
//
// Next, Recycle and Close are called by one goroutine. Always Close a loader.
type Loader struct {
	ds    *Dataset
	view  Preprocessing
	opt   LoaderOptions
	prep  *preparer
	size  int // values in an image
	steps int // batches in an epoch
	total int // batches in all from the start, or -1

	ahead chan struct{}   // a token for each batch that is being prepared or waits to be read
	slots []chan prepared // batch number n arrives in slot n mod len
	free  chan *Batch
	done  chan struct{}
	close sync.Once
	wg    sync.WaitGroup

	taken int // batches delivered
	err   error

	mu      sync.Mutex // guards the rest: what to prepare next
	started int        // batches handed to workers
	order   sampler
}

type prepared struct {
	batch *Batch
	err   error
}

// NewLoader starts a loader. It fails with ErrConfig if the options do not fit the data set.
func NewLoader(ds *Dataset, o LoaderOptions) (*Loader, error) {
	o.Workers = Workers(ds.info.Name, o.Workers)
	o.Augment = o.Augment.withDefaults()
	steps, err := o.check(ds)
	if err != nil {
		return nil, err
	}
	if err := checkAugment(o.Augment, ds); err != nil {
		return nil, err
	}
	view := ds.Preprocessing(o.Normalizer)
	if o.View != nil {
		if o.Augment.drawsAny() {
			return nil, faultf(ErrConfig, "loader: a view of evaluation is not augmented")
		}
		view = *o.View
	}
	if err := view.Check(); err != nil {
		return nil, err
	}
	side := view.Side()
	l := &Loader{
		ds: ds, view: view, opt: o, size: view.Channels * side * side,
		prep:  newPreparer(view.Normalizer, o.Augment, view.Channels, side, side),
		steps: steps, total: -1, order: newSampler(ds, o),
		ahead: make(chan struct{}, o.Workers+1), slots: make([]chan prepared, o.Workers+1),
		free: make(chan *Batch, o.Workers+2), done: make(chan struct{}),
	}
	if o.Epochs > 0 {
		l.total = o.Share.of(max(0, (o.Epochs-o.StartEpoch)*l.steps-o.StartBatch))
	}
	for i := range l.slots {
		l.slots[i] = make(chan prepared, 1)
	}
	for range o.Workers {
		l.wg.Go(l.work)
	}
	return l, nil
}

// check fails where the options do not fit the data set, whatever becomes of its images. It gives
// the number of batches in an epoch.
func (o LoaderOptions) check(ds *Dataset) (steps int, err error) {
	n := ds.Len(o.Split)
	switch {
	case o.Batch < 1:
		return 0, faultf(ErrConfig, "loader: a batch of %d images", o.Batch)
	case o.Workers < 0 || o.StartEpoch < 0 || o.StartBatch < 0 || o.Epochs < 0 || o.Augment.Pad < 0:
		return 0, faultf(ErrConfig, "loader: negative option: %d workers, start %d/%d, %d epochs, pad %d", o.Workers, o.StartEpoch, o.StartBatch, o.Epochs, o.Augment.Pad)
	case !o.Share.valid():
		return 0, faultf(ErrConfig, "loader: batches %d to %d of every %d", o.Share.First, o.Share.First+o.Share.Count-1, o.Share.Of)
	case n == 0:
		return 0, faultf(ErrConfig, "%s: split %q has no images", ds.info.Name, o.Split)
	case o.DropLast && n < o.Batch:
		return 0, faultf(ErrConfig, "%s: split %q has %d images, less than one batch of %d", ds.info.Name, o.Split, n, o.Batch)
	}
	steps = Steps(n, o.Batch, o.DropLast)
	if o.StartBatch > steps {
		return 0, faultf(ErrConfig, "loader: start at batch %d of an epoch of %d", o.StartBatch, steps)
	}
	return steps, nil
}

// Workers is the number of goroutines that prepare the batches of a data set: n, or where that is 0
// one, for images of any size one a processor: decoding costs so much that a single one would hold
// the network up.
func Workers(name string, n int) int {
	switch {
	case n != 0:
		return n
	case AnySize(name):
		return runtime.GOMAXPROCS(0)
	}
	return 1
}

// checkAugment fails if the augmentation does not fit the images.
func checkAugment(a Augment, ds *Dataset) error {
	info, size := ds.info, ds.about.view.Size
	switch {
	case a.anySize() && !ds.about.anySize:
		return faultf(ErrConfig, "%s: data.augment.crop is %s, which is for images of any size (imagenet, packed, folder, parquet, webdataset)", info.Name, a.Crop)
	case a.Crop == CropShorterSide && a.ShorterMin < size:
		return faultf(ErrConfig, "%s: data.augment.shorter_min is %d, and a crop of data.size %d does not fit into that", info.Name, a.ShorterMin, size)
	case a.Color > 0 && info.Channels != 3:
		return faultf(ErrConfig, "%s: data.augment.color needs red, green and blue, and the images have %d channel(s)", info.Name, info.Channels)
	}
	return nil
}

// Steps is the number of batches in an epoch of n images.
func Steps(n, batch int, dropLast bool) int {
	if dropLast {
		return n / batch
	}
	return (n + batch - 1) / batch
}

// Steps is the number of batches in an epoch.
func (l *Loader) Steps() int { return l.steps }

// Next waits for the next batch, which is the caller's until it is given to Recycle. After the last
// one it returns io.EOF; after an image that does not read, that error, again and again; after
// Close, ErrClosed. Cancelling ctx loses no batch.
func (l *Loader) Next(ctx context.Context) (*Batch, error) {
	select {
	case <-l.done:
		return nil, ErrClosed
	default:
	}
	if l.err != nil {
		return nil, l.err
	}
	if l.taken == l.total {
		return nil, io.EOF
	}
	select {
	case p := <-l.slots[l.taken%len(l.slots)]:
		l.taken++
		<-l.ahead
		if p.err != nil {
			l.err = p.err
			return nil, p.err
		}
		return p.batch, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Recycle gives a batch back, so that its memory serves a later one. A batch that is not given back
// is left to the garbage collector.
func (l *Loader) Recycle(b *Batch) {
	if b == nil {
		return
	}
	select {
	case l.free <- b:
	default:
	}
}

// Close stops the workers and waits for them. It may be called twice.
func (l *Loader) Close() {
	l.close.Do(func() { close(l.done) })
	l.wg.Wait()
}

// work prepares batches until there are no more. A token is taken before a number, so the numbers
// in work are always the next ones to be read and no two share a slot.
func (l *Loader) work() {
	w := &worker{l: l, image: make([]byte, l.size)}
	for {
		select {
		case l.ahead <- struct{}{}:
		case <-l.done:
			return
		}
		b, number := l.dispatch()
		if b == nil {
			return
		}
		err := w.fill(b)
		l.slots[number%len(l.slots)] <- prepared{b, err}
	}
}

// dispatch takes the next batch number and sets down which images are in it.
func (l *Loader) dispatch() (*Batch, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	number := l.started
	if number == l.total {
		return nil, 0
	}
	l.started++
	at := l.opt.StartBatch + l.opt.Share.at(number)
	epoch, step := l.opt.StartEpoch+at/l.steps, at%l.steps
	n := l.ds.Len(l.opt.Split)
	order := l.order.of(epoch)
	b := l.buffer()
	b.Epoch, b.Step, b.Other = epoch, step, nil
	b.N = min(l.opt.Batch, n-step*l.opt.Batch)
	b.X, b.Labels, b.Index = b.X[:b.N*l.size], b.Labels[:b.N], b.Index[:b.N]
	for j := range b.Index {
		b.Index[j] = step*l.opt.Batch + j
		if order != nil {
			b.Index[j] = int(order[b.Index[j]])
		}
	}
	return b, number
}

// buffer takes a used batch, or makes one: a few times in all, if the reader recycles.
func (l *Loader) buffer() *Batch {
	select {
	case b := <-l.free:
		return b
	default:
	}
	n := min(l.opt.Batch, l.ds.Len(l.opt.Split))
	return &Batch{X: make([]float32, n*l.size), Labels: make([]int32, n), Index: make([]int, n)}
}
