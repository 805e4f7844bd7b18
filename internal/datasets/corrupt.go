package datasets

import (
	"errors"
	"sync"
)

// corruptImages counts the training images that do not decode, for Config.OnCorrupt skip.
type corruptImages struct {
	skip bool

	before int // left out when the set was opened

	mu   sync.Mutex
	seen map[int]bool // images of the training split
}

// maxCorrupt is how many of n images may be left out: 0.1 %, and one of a small set.
func maxCorrupt(n int) int { return max(1, n/1000) }

// skip decides what becomes of image i, which failed with err: nil means that it is left out. Only
// training images that are there and do not decode are: an evaluation counts every image, and a
// folder that cannot be read is no bad image.
func (d *Dataset) skip(s Split, i int, err error, report func(id string, err error)) error {
	if !d.corrupt.skip || s != Train || !errors.Is(err, ErrData) {
		return err
	}
	c := &d.corrupt
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen[i] {
		return nil
	}
	if c.seen == nil {
		c.seen = map[int]bool{}
	}
	c.seen[i] = true
	if most := maxCorrupt(d.Len(s)); c.before+len(c.seen) > most {
		return faultf(ErrData, "%s: more than %d of %d training images do not decode, and data.on_corrupt skips 0.1 %% at most; the last: %w", d.info.Name, most, d.Len(s), err)
	}
	if report != nil {
		report(d.ID(s, i), err)
	}
	return nil
}

// Skipped counts the training images that have been left out so far.
func (d *Dataset) Skipped() int {
	d.corrupt.mu.Lock()
	defer d.corrupt.mu.Unlock()
	return d.corrupt.before + len(d.corrupt.seen)
}
