package datasets

import (
	"cmp"
	"context"
	"slices"

	"resnet/internal/fielderr"
)

// Split names a part of a data set.
type Split string

// The parts. Val is what Config.Validation holds out of the training images, or a folder's own val/
// beside test/.
const (
	Train Split = "train"
	Val   Split = "val"
	Test  Split = "test"
)

// Info describes an open data set.
type Info struct {
	Name     string   `json:"name"`
	Title    string   `json:"title"`
	Classes  []string `json:"classes"`
	Channels int      `json:"channels"`
	Height   int      `json:"height"` // pixels, as Image delivers them
	Width    int      `json:"width"`
	Train    int      `json:"train"` // images, after Val is taken out and Config.Limit applied
	Val      int      `json:"val"`
	Test     int      `json:"test"`
}

// source is what a reader provides. Its methods may be called by several goroutines at once. The
// number of images of a split that it does not have is 0.
type source interface {
	classes() []string
	count(s Split) int
	label(s Split, i int) int
	// image writes image i as properties.view shows it: [C, H, W] bytes, row-major.
	image(sc *scratch, s Split, i int, dst []byte) error
	// decode gives image i at its own size, valid until sc is used again, and upright where exif
	// says that its EXIF orientation is obeyed.
	decode(sc *scratch, s Split, i int, exif bool) (rows, error)
	// id names image i, the same on every machine: a file name, or a file name and
	// record. place names it on this one.
	id(s Split, i int) string
	place(s Split, i int) string
	about() properties
	fingerprint(ctx context.Context) (Fingerprint, error)
}

// properties are what distinguishes one kind of source from another.
type properties struct {
	view Preprocessing // how images become the input, without a Normalizer
	// anySize says that images have sizes of their own. They are decoded when asked for, and sorted
	// by class.
	anySize bool
	notes   []string
	// meanImages is how many images the normaliser is measured on when the configuration does not
	// say; 0 means all.
	meanImages int
	fixed      *Normalizer // what the kind channel-mean-std means, or nil where it is measured
	stamp      string      // changes with the contents, where that is known
	// parts are, of a set whose images are all under Train, those of each split; else nil.
	parts   map[Split][]int32
	leftOut int // training images that cannot be read and are not counted any more
}

// Dataset is an open data set: images with labels, in up to three splits. Its methods may be called
// by several goroutines at once.
type Dataset struct {
	info       Info
	src        source
	about      properties
	views      map[Split]view
	meanImages int
	corrupt    corruptImages
	print      Printed
	dir        string // of the configuration
	identity   identified
}

// view selects images of a source: those of split from, all or those listed.
type view struct {
	from Split
	list []int32 // nil: all
	n    int
}

func (v view) at(i int) int {
	if v.list == nil {
		return i
	}
	return int(v.list[i])
}

// of selects the images at these places of v; the list becomes that of the result.
func (v view) of(list []int32) view {
	for k, i := range list {
		list[k] = int32(v.at(int(i)))
	}
	return view{v.from, list, len(list)}
}

// Open reads or indexes the data set that c names and checks its files: sizes, record counts and
// label ranges of all of them, before anything else happens, but not digests (Verify does), so that
// a converted copy in the right layout works. The seed draws the validation split. An empty c.Dir
// means DefaultDir(c.Name).
//
// It fails with ErrMissing (naming the file and how to get it), ErrData (naming file, record and
// byte offset) or ErrConfig.
func Open(ctx context.Context, c Config, seed uint64) (*Dataset, error) {
	if errs := c.Validate(); len(errs) > 0 {
		return nil, fielderr.Join(errs)
	}
	e, err := lookup(c.Name)
	if err != nil {
		return nil, err
	}
	src, err := e.open(ctx, c)
	if err != nil {
		return nil, err
	}
	return newDataset(c, e.title, src, seed)
}

func newDataset(c Config, title string, src source, seed uint64) (*Dataset, error) {
	d := &Dataset{src: src, dir: c.Dir, about: src.about(), meanImages: c.MeanImages, corrupt: corruptImages{skip: c.OnCorrupt == CorruptSkip}, views: map[Split]view{
		Train: {from: Train, n: src.count(Train)},
		Val:   {from: Val, n: src.count(Val)},
		Test:  {from: Test, n: src.count(Test)},
	}}
	d.corrupt.before = d.about.leftOut
	if parts := d.about.parts; parts != nil {
		for s := range d.views {
			d.views[s] = view{Train, parts[s], len(parts[s])}
		}
	}
	if c.Validation > 0 {
		if err := d.holdOut(c, seed); err != nil {
			return nil, err
		}
	}
	if t := d.views[Train]; c.Limit > 0 && c.Limit < t.n {
		d.views[Train] = d.limit(t, c.Limit)
	}
	side := d.about.view.Side()
	d.info = Info{
		Name: c.Name, Title: title, Classes: src.classes(), Channels: d.about.view.Channels, Height: side, Width: side,
		Train: d.views[Train].n, Val: d.views[Val].n, Test: d.views[Test].n,
	}
	return d, nil
}

// holdOut moves c.Validation training images, drawn by seed, to the validation split. Both keep the
// source's order.
func (d *Dataset) holdOut(c Config, seed uint64) error {
	t := d.views[Train]
	if d.views[Val].n > 0 {
		return faultf(ErrConfig, "%s: the folder has validation images of its own beside its test images: set data.validation to 0, or move its val/ away", c.Name)
	}
	n := Portion(c.Validation, t.n)
	if n >= t.n {
		return faultf(ErrConfig, "%s: data.validation is %v, and there are %d training images: none would be left", c.Name, c.Validation, t.n)
	}
	var val []int32
	if c.Effective().Draw == DrawStratified {
		val = stratified(d.labels(t), len(d.src.classes()), float64(n), streamValidation, seed)
	} else {
		order := make([]int32, t.n)
		g := newDraws(streamValidation, seed, 0, 0)
		g.permute(order)
		val = order[:n:n]
		slices.Sort(val)
	}
	train := without(t.n, val)
	d.views[Val], d.views[Train] = t.of(val), t.of(train)
	return nil
}

// Effective is the configuration with what its empty choices mean: two that say the same in other
// words are equal then.
func (c Config) Effective() Config {
	if c.Orientation == "" {
		c.Orientation = cmp.Or(registry()[c.Name].orientation, OrientStored)
	}
	if c.Draw == "" || c.Validation == 0 {
		c.Draw = DrawUniform
		if c.Validation > 0 && (c.Validation < 1 || AnySize(c.Name)) {
			c.Draw = DrawStratified
		}
	}
	return c
}

// limit keeps the first n images of v, except where the source sorts by class: there the first
// n/classes of each, so that none is lost.
func (d *Dataset) limit(v view, n int) view {
	all := make([]int32, v.n)
	for i := range all {
		all[i] = int32(v.at(i))
	}
	if d.about.anySize {
		firstOfEach(all, func(i int32) int { return d.src.label(v.from, int(i)) }, len(d.src.classes()))
		slices.Sort(all[:n])
	}
	return view{v.from, all[:n:n], n}
}

// Info describes the data set.
func (d *Dataset) Info() Info {
	info := d.info
	info.Classes = slices.Clone(info.Classes)
	return info
}

// Divided reports whether the images have no splits of their own: a table or a draw divides them.
func (d *Dataset) Divided() bool { return d.about.parts != nil }

// Notes are remarks on what was found when the data set was opened, in sentences without a full
// stop: classes that are missing, an index that could not be kept. None of them keeps it from being
// used.
func (d *Dataset) Notes() []string { return slices.Clone(d.about.notes) }

// Len is the number of images in a split; 0 where there is none of that name.
func (d *Dataset) Len(s Split) int { return d.views[s].n }

// Image writes image i of a split to dst as [C, H, W] bytes, row-major, and returns its label in
// [0, classes). It fails with ErrData for a file that does not decode, naming it.
func (d *Dataset) Image(s Split, i int, dst []byte) (label int, err error) {
	return d.view(new(scratch), s, i, d.about.view, dst)
}

// Label is the label of image i of a split, which must exist. It reads no file.
func (d *Dataset) Label(s Split, i int) int {
	v := d.views[s]
	return d.src.label(v.from, v.at(i))
}

// labels are those of the images that v selects.
func (d *Dataset) labels(v view) []int32 {
	labels := make([]int32, v.n)
	for i := range labels {
		labels[i] = int32(d.src.label(v.from, v.at(i)))
	}
	return labels
}

// ID names image i of a split, which must exist: the file's path within the folder, or file#record.
func (d *Dataset) ID(s Split, i int) string {
	v := d.views[s]
	return d.src.id(v.from, v.at(i))
}
