package parquet

import (
	"container/list"
	"encoding/binary"
	"fmt"
	"io"
	"sort"
	"sync"

	"github.com/parquet-go/parquet-go/format"

	"resnet/internal/datasets/fault"
)

// Cache holds decoded pages, those used last, of any number of files: rows of small images that are
// read at random share their pages. It is shared by all readers, so that its bound does not grow
// with their number.
type Cache struct {
	most int64 // bytes

	mu    sync.Mutex
	bytes int64
	used  *list.List // of *cached, the last used first
	pages map[cacheKey]*list.Element
}

type cacheKey struct {
	file *File
	at   int64
}

type cached struct {
	key    cacheKey
	values [][]byte
	bytes  int64
}

// NewCache holds so many bytes at most. A page that is larger is decoded for each row.
func NewCache(most int64) *Cache {
	return &Cache{most: most, used: list.New(), pages: map[cacheKey]*list.Element{}}
}

func (c *Cache) get(key cacheKey) (*cached, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.pages[key]
	if !ok {
		return nil, false
	}
	c.used.MoveToFront(e)
	return e.Value.(*cached), true
}

func (c *Cache) put(p *cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, twice := c.pages[p.key]; twice || p.bytes > c.most {
		return
	}
	c.pages[p.key] = c.used.PushFront(p)
	for c.bytes += p.bytes; c.bytes > c.most; {
		last := c.used.Back()
		old := c.used.Remove(last).(*cached)
		delete(c.pages, old.key)
		c.bytes -= old.bytes
	}
}

// page finds the page of a row: its row group, its place there, and the row's place in it.
func (f *File) page(row int) (g, k, at int, err error) {
	if row < 0 || row >= f.Rows {
		return 0, 0, 0, fault.Dataf("row %d of %d", row, f.Rows)
	}
	g = sort.Search(len(f.starts), func(g int) bool { return f.starts[g] > row }) - 1
	row -= f.starts[g]
	pages := f.groups[g].pages
	k = sort.Search(len(pages), func(k int) bool { return int(pages[k].row) > row }) - 1
	return g, k, row - int(pages[k].row), nil
}

// PageBytes is the stored size of the page that holds a row.
func (f *File) PageBytes(row int) (int64, error) {
	g, k, _, err := f.page(row)
	if err != nil {
		return 0, err
	}
	return int64(f.groups[g].pages[k].size), nil
}

// Image is the encoded image of a row, nil for null. It is a part of a decoded page and must not be
// changed.
func (f *File) Image(c *Cache, row int) ([]byte, error) {
	g, k, at, err := f.page(row)
	if err != nil {
		return nil, err
	}
	group := f.groups[g]
	key := cacheKey{f, group.pages[k].at}
	p, ok := c.get(key)
	if !ok {
		if p, err = f.decodePage(c, group, group.pages[k]); err != nil {
			return nil, fmt.Errorf("row group %d: column %q: %w", g, f.images.name, err)
		}
		p.key = key
		c.put(p)
	}
	return p.values[at], nil
}

// valueBytes is what the place of a value takes in memory.
const valueBytes = 24

func (f *File) decodePage(c *Cache, group chunk, page pageRef) (*cached, error) {
	col := f.images
	col.codec = group.codec
	p := &cached{bytes: int64(page.full) + valueBytes*int64(page.values)}
	var dictionary [][]byte
	if d := group.dictionary; d != nil && page.encoding != format.Plain {
		entry, ok := c.get(cacheKey{f, d.at})
		if !ok {
			flat := col
			flat.maxLevel = 0
			values, _, err := pageValues(&flat, f.in, *d, nil, binaries)
			if err != nil {
				return nil, err
			}
			entry = &cached{cacheKey{f, d.at}, values, int64(d.full) + valueBytes*int64(d.values)}
			c.put(entry)
		}
		dictionary = entry.values
		p.bytes += entry.bytes // which it keeps in memory, cached or not
	}
	var there []bool
	var err error
	if p.values, there, err = pageValues(&col, f.in, page, dictionary, binaries); err != nil {
		return nil, err
	}
	if there == nil && len(p.values) != int(page.values) {
		return nil, fault.Dataf("the page at byte offset %d: %d values of %d", page.at, len(p.values), page.values)
	}
	return p, nil
}

// Pages is how many pages of images the file has, dictionaries with them.
func (f *File) Pages() int {
	n := 0
	for _, g := range f.groups {
		n += len(g.stored())
	}
	return n
}

// stored are the pages of a chunk with its dictionary.
func (c chunk) stored() []pageRef {
	if c.dictionary == nil {
		return c.pages
	}
	return append([]pageRef{*c.dictionary}, c.pages...)
}

// Digest writes what tells the file's contents from others without reading them all: its footer,
// the place, the sizes and the checksum of each page of images, and up to sample stored bytes from
// the middle of each.
func (f *File) Digest(to io.Writer, sample int) error {
	buf := make([]byte, max(int(f.footer), sample))
	add := func(n int, at int64) error {
		if err := readAt(f.in, buf[:n], at); err != nil {
			return err
		}
		_, err := to.Write(buf[:n])
		return err
	}
	if err := add(int(f.footer), f.size); err != nil {
		return err
	}
	for _, g := range f.groups {
		for _, p := range g.stored() {
			if err := binary.Write(to, binary.LittleEndian, []int64{p.at, int64(p.size), int64(p.full), int64(p.values), int64(p.crc)}); err != nil {
				return err
			}
			n := min(sample, int(p.size))
			if err := add(n, p.at+int64(int(p.size)-n)/2); err != nil {
				return err
			}
		}
	}
	return nil
}
