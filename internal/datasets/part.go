package datasets

import "maps"

// Part is the data set with n images of a split in place of all, drawn so that each class gives
// about the same part of its own; the same n gives the same images. It is d itself where the split
// has no more than n.
func (d *Dataset) Part(s Split, n int) *Dataset {
	if n >= d.Len(s) {
		return d
	}
	v := d.views[s]
	p := &Dataset{
		info: d.Info(), src: d.src, about: d.about, views: maps.Clone(d.views), meanImages: d.meanImages, dir: d.dir,
		corrupt: corruptImages{skip: d.corrupt.skip, before: d.corrupt.before},
	}
	p.views[s] = v.of(Stratified(d.labels(v), len(d.info.Classes), float64(n), 0))
	p.info.Train, p.info.Val, p.info.Test = p.Len(Train), p.Len(Val), p.Len(Test)
	return p
}
