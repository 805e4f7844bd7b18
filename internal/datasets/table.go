package datasets

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// Table is what a network makes of the images of a split, a row for each.
type Table struct {
	Width  int       // values of a row
	Rows   []float32 // [N, Width]
	Labels []int32   // [N]
}

// TableLoader gives the batches that a Loader with the same options gives, with rows of tables in
// the place of images. Next, Recycle and Close are called by one goroutine.
type TableLoader struct {
	opt     LoaderOptions
	order   sampler
	n       int
	steps   int
	at      int // batches since the first of StartEpoch
	open    func(ctx context.Context, view int) (*Table, error)
	table   *Table // of the view below
	view    int
	returns []*Batch
}

// NewTableLoader makes a loader of tables, which open gives for the view of an epoch: see
// Augment.Views. It asks for the next one when the first batch of an epoch needs it; where that
// fails, the batch can be asked for again. Of the options, those that make images have no
// influence. It fails with ErrConfig where NewLoader does, for images that are mixed, and for a
// share of the batches.
func NewTableLoader(ds *Dataset, o LoaderOptions, open func(ctx context.Context, view int) (*Table, error)) (*TableLoader, error) {
	switch {
	case o.Augment.mixes():
		return nil, faultf(ErrConfig, "%s: images of a batch that are mixed have no features of their own", ds.info.Name)
	case !o.Share.Whole():
		return nil, faultf(ErrConfig, "%s: a table gives all batches, and not a share of the batches", ds.info.Name)
	}
	steps, err := o.check(ds)
	if err != nil {
		return nil, err
	}
	return &TableLoader{opt: o, order: newSampler(ds, o), n: ds.Len(o.Split), steps: steps, at: o.StartBatch, open: open, view: -1}, nil
}

// Next is that of Loader.
func (l *TableLoader) Next(ctx context.Context) (*Batch, error) {
	epoch, step := l.opt.StartEpoch+l.at/l.steps, l.at%l.steps
	if l.opt.Epochs > 0 && epoch >= l.opt.Epochs {
		return nil, io.EOF
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if view := l.opt.Augment.view(epoch); l.table == nil || view != l.view {
		table, err := l.open(ctx, view)
		if err != nil {
			return nil, err
		}
		if len(table.Labels) != l.n || len(table.Rows) != l.n*table.Width {
			return nil, fmt.Errorf("a table of %d rows for %d images", len(table.Labels), l.n)
		}
		l.table, l.view = table, view
	}
	b := l.buffer()
	b.Epoch, b.Step, b.N = epoch, step, min(l.opt.Batch, l.n-step*l.opt.Batch)
	w := l.table.Width
	b.X, b.Labels, b.Index = b.X[:b.N*w], b.Labels[:b.N], b.Index[:b.N]
	order := l.order.of(epoch)
	for j := range b.Index {
		i := step*l.opt.Batch + j
		if order != nil {
			i = int(order[i])
		}
		b.Index[j], b.Labels[j] = i, l.table.Labels[i]
		copy(b.X[j*w:(j+1)*w], l.table.Rows[i*w:(i+1)*w])
	}
	l.at++
	return b, nil
}

func (l *TableLoader) buffer() *Batch {
	if k := len(l.returns); k > 0 {
		b := l.returns[k-1]
		l.returns = l.returns[:k-1]
		return b
	}
	n := min(l.opt.Batch, l.n)
	return &Batch{X: make([]float32, n*l.table.Width), Labels: make([]int32, n), Index: make([]int, n)}
}

// Recycle is that of Loader.
func (l *TableLoader) Recycle(b *Batch) {
	if b != nil {
		l.returns = append(l.returns, b)
	}
}

// Close has nothing to stop.
func (*TableLoader) Close() {}

// StateOf is a digest of which images a split has, in their order, with their labels, and of the
// state of their files: it changes when one of them may have changed.
func (d *Dataset) StateOf(ctx context.Context, s Split) (string, error) {
	digest := NewDigest()
	set, files := d.src.(*photoSet)
	v := d.views[s]
	states := make([]string, v.n)
	if files {
		list := set.split(v.from)
		if err := set.every(ctx, v.n, func(i int, _ *scratch) (err error) {
			states[i], err = list.state(v.at(i))
			return err
		}); err != nil {
			return "", err
		}
	} else {
		f, err := d.Fingerprint(ctx)
		if err != nil {
			return "", err
		}
		digest.Text(fmt.Sprint(f[v.from]))
	}
	for i, state := range states {
		digest.Text(strings.ToValidUTF8(d.ID(s, i), "?"))
		digest.Number(int64(d.Label(s, i)))
		digest.Text(state)
	}
	return digest.Sum(), nil
}
