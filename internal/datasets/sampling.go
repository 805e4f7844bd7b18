package datasets

// draw makes the order of an epoch: a permutation or, balanced, as many images of classes drawn
// evenly, each of its class's images evenly. That is a draw with replacement by weights of 1 over
// the number of images of the class.
func (l *Loader) draw(epoch int) {
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
