package datasets

// sampler draws the order of a split's images in each epoch.
type sampler struct {
	ds      *Dataset
	opt     LoaderOptions
	order   []int32   // the images of epoch shuffled
	classes [][]int32 // for balanced sampling: the images of each class that has any
	epoch   int       // which order is for, or -1
}

func newSampler(ds *Dataset, o LoaderOptions) sampler { return sampler{ds: ds, opt: o, epoch: -1} }

// of is the order of an epoch, valid until the next call; nil is that of the data set.
func (l *sampler) of(epoch int) []int32 {
	if !l.opt.Shuffle {
		return nil
	}
	if l.order == nil {
		l.order = make([]int32, l.ds.Len(l.opt.Split))
	}
	if l.epoch != epoch {
		l.draw(epoch)
	}
	return l.order
}

// draw makes the order of an epoch: a permutation or, balanced, as many images of classes drawn
// evenly, each of its class's images evenly. That is a draw with replacement by weights of 1 over
// the number of images of the class.
func (l *sampler) draw(epoch int) {
	l.epoch = epoch
	if !l.opt.Balanced {
		g := newDraws(streamOrder, l.opt.Seed, uint64(epoch), 0)
		g.permute(l.order)
		return
	}
	if l.classes == nil {
		all := make([][]int32, len(l.ds.info.Classes))
		for i := range l.order {
			k := l.ds.Label(l.opt.Split, i)
			all[k] = append(all[k], int32(i))
		}
		for _, images := range all {
			if len(images) > 0 {
				l.classes = append(l.classes, images)
			}
		}
	}
	g := newDraws(streamBalance, l.opt.Seed, uint64(epoch), 0)
	for i := range l.order {
		images := l.classes[g.below(len(l.classes))]
		l.order[i] = images[g.below(len(images))]
	}
}

// ClassCounts are the numbers of images of each class of a split.
func (d *Dataset) ClassCounts(s Split) []int {
	counts := make([]int, len(d.info.Classes))
	for i := range d.Len(s) {
		counts[d.Label(s, i)]++
	}
	return counts
}
