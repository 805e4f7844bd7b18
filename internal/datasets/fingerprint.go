package datasets

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"path"
	"sync"

	"golang.org/x/text/unicode/norm"
)

// MaxContents is how many bytes of image files, of Parquet files and of stored features of speech a
// digest of contents is taken of at most. Files that are larger together are known by their names
// and sizes, Parquet files also by samples.
const MaxContents = 64 << 20

// A Fingerprint tells the contents of a data set from others without reading all of a large one.
// It is of the splits as the files give them, before any image is held out, and holds nothing of
// the machine: the same files elsewhere, also packed in an archive, have the same.
type Fingerprint map[Split]SplitPrint

// SplitPrint is the fingerprint of a split. Digests are in hex.
type SplitPrint struct {
	N     int    `json:"n"`     // images or utterances
	Names string `json:"names"` // of their names, without folders, and classes, in their order
	Sizes string `json:"sizes"` // of their sizes
	// Contents is of what is in them: of a pack and of Parquet files, of all splits together; ""
	// where that would mean to read more than MaxContents, or where one does not read.
	Contents string `json:"contents,omitempty"`
}

// What two fingerprints of a split differ in, the first that applies.
const (
	SameData     = ""
	OtherNumber  = "number"
	OtherNames   = "names or labels"
	OtherSizes   = "sizes"
	OtherContent = "contents"
)

// Differs says what q has otherwise than p.
func (p SplitPrint) Differs(q SplitPrint) string {
	switch {
	case p.N != q.N:
		return OtherNumber
	case p.Names != q.Names:
		return OtherNames
	case p.Sizes != q.Sizes:
		return OtherSizes
	case p.Contents != q.Contents && p.Contents != "" && q.Contents != "":
		return OtherContent
	}
	return SameData
}

// A Digest sums up values of a Fingerprint; each is written with its length, so that no two lists
// of values look alike.
type Digest struct{ h hash.Hash }

// NewDigest has seen no values.
func NewDigest() Digest { return Digest{sha256.New()} }

// Text adds a text.
func (d Digest) Text(s string) {
	d.Number(int64(len(s)))
	_, _ = d.h.Write([]byte(s)) // a hash never fails
}

// Number adds a number.
func (d Digest) Number(n int64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	_, _ = d.h.Write(b[:])
}

// Bytes adds bytes.
func (d Digest) Bytes(b []byte) {
	d.Number(int64(len(b)))
	_, _ = d.h.Write(b)
}

// Sum is the digest, 32 hex digits.
func (d Digest) Sum() string { return hex.EncodeToString(d.h.Sum(nil)[:16]) }

// Fingerprint looks at the files of every split: see the type. A folder of a million images is a
// million questions to the file system; nothing is decoded. Of images in memory it is of the pixels
// as they are held, and of a pack of its manifest, which has the digests of all of it. It is taken
// once, when it is asked for first.
func (d *Dataset) Fingerprint(ctx context.Context) (Fingerprint, error) {
	return d.print.Of(ctx, d.src.fingerprint)
}

// Printed holds a fingerprint once it has been taken.
type Printed struct {
	mu    sync.Mutex
	print Fingerprint
}

// Of is the fingerprint that was taken, or takes it.
func (p *Printed) Of(ctx context.Context, take func(context.Context) (Fingerprint, error)) (f Fingerprint, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.print == nil {
		p.print, err = take(ctx)
	}
	return p.print, err
}

func (a *array) fingerprint(context.Context) (Fingerprint, error) {
	f := Fingerprint{}
	for _, s := range []Split{Train, Test} {
		r := a.split(s)
		names, sizes, contents := NewDigest(), NewDigest(), NewDigest()
		names.Bytes(r.labels)
		for _, n := range []int{a.c, a.h, a.w} {
			sizes.Number(int64(n))
		}
		contents.Bytes(r.pixels)
		f[s] = SplitPrint{len(r.labels), names.Sum(), sizes.Sum(), contents.Sum()}
	}
	return f, nil
}

func (p *photoSet) fingerprint(ctx context.Context) (Fingerprint, error) {
	f, total := Fingerprint{}, int64(0)
	for _, s := range []Split{Train, Val, Test} {
		list := p.split(s)
		if list.count() == 0 {
			continue
		}
		each := make([]int64, list.count())
		if err := p.every(ctx, len(each), func(i int, _ *scratch) error {
			var err error
			if each[i], err = list.size(i); err != nil {
				each[i] = -1 // data.on_corrupt decides about it when it is read
			}
			return nil
		}); err != nil {
			return nil, err
		}
		names, all := NewDigest(), NewDigest()
		for i, size := range each {
			names.Number(int64(list.label(i)))
			names.Text(norm.NFC.String(p.names[list.label(i)]))
			names.Text(norm.NFC.String(path.Base(list.id(i))))
			all.Number(size)
			total += size
		}
		f[s] = SplitPrint{N: len(each), Names: names.Sum(), Sizes: all.Sum(), Contents: p.stamp}
	}
	if p.stamp != "" || total > MaxContents {
		return f, nil
	}
	for s, print := range f {
		list, sums := p.split(s), make([][sha256.Size]byte, print.N)
		if err := p.every(ctx, print.N, func(i int, sc *scratch) error {
			data, err := list.read(i, sc.file)
			sc.file, sums[i] = data, sha256.Sum256(data)
			return err
		}); ctx.Err() != nil {
			return nil, err
		} else if err != nil {
			continue // data.on_corrupt decides about what does not read
		}
		contents := NewDigest()
		for _, sum := range sums {
			contents.Bytes(sum[:])
		}
		print.Contents = contents.Sum()
		f[s] = print
	}
	return f, nil
}

// every calls do for the images 0 to n-1, several at a time, and returns the error of the first
// that has one.
func (p *photoSet) every(ctx context.Context, n int, do func(i int, sc *scratch) error) error {
	errs := make([]error, n)
	parallel(n, func() func(i int) {
		var sc scratch
		return func(i int) {
			if errs[i] = ctx.Err(); errs[i] == nil {
				errs[i] = do(i, &sc)
			}
		}
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
