package datasets

import "resnet/internal/datasets/pixel"

// worker is one goroutine of a loader, with its buffers.
type worker struct {
	l     *Loader
	image []byte // [C, H, W]
	sc    scratch
	edit  pixel.Editor
	rows  []float32 // of the image that is mixed into the first of a batch
}

// fill reads and prepares the images of b.
func (w *worker) fill(b *Batch) error {
	for j := range b.Index {
		select {
		case <-w.l.done:
			return ErrClosed
		default:
		}
		if err := w.sample(b, j); err != nil {
			return err
		}
	}
	w.mix(b)
	return nil
}

// sample makes image j of a batch, or puts another one in the place of one that does not decode, if
// the data set allows it.
func (w *worker) sample(b *Batch, j int) error {
	l := w.l
	i := b.Index[j]
	err := w.prepare(b, j, i)
	if err == nil {
		return nil
	}
	if err := l.ds.skip(l.opt.Split, i, err, l.opt.OnSkip); err != nil {
		return err
	}
	// The one that takes its place depends on seed, epoch and sample alone, as everything does.
	g := newDraws(streamSubstitute, l.opt.Seed, uint64(l.opt.Augment.view(b.Epoch)), uint64(i))
	for range maxSubstitutes {
		other := g.below(l.ds.Len(l.opt.Split))
		if err = w.prepare(b, j, other); err == nil {
			b.Index[j] = other
			return nil
		}
		if err := l.ds.skip(l.opt.Split, other, err, l.opt.OnSkip); err != nil {
			return err
		}
	}
	return err
}

// maxSubstitutes is how often another image is drawn; at most one in a thousand may be corrupt.
const maxSubstitutes = 10

// prepare writes image i, normalised and augmented, to place j of a batch.
func (w *worker) prepare(b *Batch, j, i int) error {
	l := w.l
	dst := b.X[j*l.size : (j+1)*l.size]
	key, view := i, l.opt.Augment.view(b.Epoch)
	if l.opt.Balanced && l.opt.Augment.Views == 0 {
		key = b.Step*l.opt.Batch + j // an image may come several times, each with draws of its own
	}
	if !l.opt.Augment.anySize() {
		label, err := l.ds.view(&w.sc, l.opt.Split, i, l.view, w.image)
		if err != nil {
			return err
		}
		b.Labels[j] = int32(label)
		w.change(view, key)
		l.prep.augmented(dst, w.image, l.opt.Seed, view, key)
		w.erase(dst, view, key)
		return nil
	}
	from, k, err := l.ds.place(l.opt.Split, i)
	if err != nil {
		return err
	}
	img, err := l.ds.src.decode(&w.sc, from, k, l.view.turns(l.ds.about.view))
	if err != nil {
		return err
	}
	defer w.sc.release()
	g := newDraws(streamAugment, l.opt.Seed, uint64(view), uint64(key))
	width, height := img.size()
	l.view.show(&w.sc, img, l.opt.Augment.draw(&g, width, height, l.view.Size), w.image)
	flip := l.opt.Augment.Flip && g.below(2) == 1
	b.Labels[j] = int32(l.ds.src.label(from, k))
	w.change(view, key)
	l.prep.view(dst, w.image, flip, g.colorNoise(l.opt.Augment.Color))
	w.erase(dst, view, key)
	return nil
}
