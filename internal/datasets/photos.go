package datasets

import (
	"cmp"
	"fmt"
	"slices"
)

// photos are the encoded images of one split, in an order of their own. Its methods may be called
// by several goroutines at once.
type photos interface {
	count() int
	label(i int) int
	// id names image i, the same on every machine; place names it on this one, for
	// messages.
	id(i int) string
	place(i int) string
	// size is the length of the file, bytes.
	size(i int) (int64, error)
	// read gives the file's contents, in buf if there is room: valid until buf is used again.
	read(i int, buf []byte) ([]byte, error)
	// state changes with the contents of image i, without reading them where that can be told.
	state(i int) (string, error)
}

// photoSet is a source of images that have sizes of their own and are decoded when they are asked
// for: those of folders, archives and packs.
type photoSet struct {
	name   string
	names  []string
	splits map[Split]photos
	properties
}

// newPhotoSet makes a set without images, with the view of the configuration.
func newPhotoSet(c Config, names []string) (*photoSet, error) {
	view, err := c.View(cmp.Or(c.Channels, 3), imageSize)
	if err != nil {
		return nil, err
	}
	return &photoSet{name: c.Name, names: names, splits: map[Split]photos{}, properties: properties{view: view, anySize: true}}, nil
}

func (p *photoSet) split(s Split) photos {
	if l, ok := p.splits[s]; ok && l != nil {
		return l
	}
	return noPhotos{}
}

func (p *photoSet) classes() []string        { return p.names }
func (p *photoSet) count(s Split) int        { return p.split(s).count() }
func (p *photoSet) label(s Split, i int) int { return p.split(s).label(i) }
func (p *photoSet) id(s Split, i int) string { return p.split(s).id(i) }

func (p *photoSet) place(s Split, i int) string { return p.split(s).place(i) }
func (p *photoSet) about() properties           { return p.properties }

// image makes the central view.
func (p *photoSet) image(sc *scratch, s Split, i int, dst []byte) error {
	img, err := p.decode(sc, s, i, p.view.turns(p.view))
	if err != nil {
		return err
	}
	defer sc.release()
	p.view.show(sc, img, p.view.centre(img.size()), dst)
	return nil
}

// decode reads and decodes image i. The contents of its file are in sc.file then. The caller
// releases sc when it needs the image no more.
func (p *photoSet) decode(sc *scratch, s Split, i int, exif bool) (rows, error) {
	list := p.split(s)
	data, err := list.read(i, sc.file)
	if err != nil {
		return nil, err
	}
	sc.file = data
	img, err := decode(sc, data, exif)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", p.name, list.place(i), err)
	}
	return img, nil
}

// noPhotos is a split without images.
type noPhotos struct{}

func (noPhotos) count() int                       { return 0 }
func (noPhotos) label(int) int                    { return 0 }
func (noPhotos) id(int) string                    { return "" }
func (noPhotos) place(int) string                 { return "" }
func (noPhotos) size(int) (int64, error)          { return 0, nil }
func (noPhotos) state(int) (string, error)        { return "", faultf(ErrMissing, "no images") }
func (noPhotos) read(int, []byte) ([]byte, error) { return nil, faultf(ErrMissing, "no images") }

// firstOfEach orders images so that any first part has about as many of each class: by rank within
// their class, then as they are.
func firstOfEach(all []int32, label func(i int32) int, classes int) {
	seen := make([]int, classes)
	rank := make(map[int32]int, len(all))
	for _, i := range all {
		l := label(i)
		rank[i] = seen[l]
		seen[l]++
	}
	slices.SortStableFunc(all, func(a, b int32) int { return rank[a] - rank[b] })
}
