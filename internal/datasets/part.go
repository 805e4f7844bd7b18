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
	labels := make([]int32, v.n)
	for i := range labels {
		labels[i] = int32(d.src.label(v.from, v.at(i)))
	}
	list := Stratified(labels, len(d.info.Classes), float64(n), 0)
	for k, i := range list {
		list[k] = int32(v.at(int(i)))
	}
	p := &Dataset{
		info: d.Info(), src: d.src, about: d.about, views: maps.Clone(d.views), meanImages: d.meanImages, dir: d.dir,
		corrupt: corruptImages{skip: d.corrupt.skip, before: d.corrupt.before},
	}
	p.views[s] = view{v.from, list, len(list)}
	p.info.Train, p.info.Val, p.info.Test = p.Len(Train), p.Len(Val), p.Len(Test)
	return p
}
