package datasets

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"resnet/internal/atomicfile"
	"resnet/internal/folderlock"
)

// PackOptions say how a pack is made.
type PackOptions struct {
	Dir     string // to write to; it must not hold a pack
	Shorter int    // images with a longer shorter side are resized to it, as by Pillow's BILINEAR
	Quality int    // of JPEG, for images that are made smaller, or are no plain JPEG; 1 to 100
	// OnProgress is called with the number of images done; it may be nil.
	OnProgress func(done, total int)

	fs atomicfile.FS // nil means atomicfile.OS
}

// PackReport is what Pack made.
type PackReport struct {
	Dir     string        `json:"dir"`
	Images  map[Split]int `json:"images"`
	Bytes   int64         `json:"bytes"`
	Resized int           `json:"resized"`
	Skipped []string      `json:"skipped"`
}

// Pack writes a data set whose images have sizes of their own as a pack. The folder is locked
// meanwhile: it fails with folderlock.ErrLocked where another process packs into it. An image that
// needs no change is copied byte for byte. One that does not decode ends it with ErrData, or is
// left out and named where the data set's Config.OnCorrupt says skip and it is a training image.
// What an interrupted packing leaves is no pack, and is removed by the next one.
func Pack(ctx context.Context, d *Dataset, o PackOptions) (PackReport, error) {
	if !d.about.anySize {
		return PackReport{}, faultf(ErrConfig, "%s: its images have one size: there is nothing to pack", d.info.Name)
	}
	if o.Shorter < 1 || o.Shorter > maxSize || o.Quality < 1 || o.Quality > 100 {
		return PackReport{}, faultf(ErrConfig, "pack: a shorter side of %d pixels and a quality of %d: want 1 to %d and 1 to 100", o.Shorter, o.Quality, maxSize)
	}
	onDisk := o.fs == nil
	if onDisk {
		o.fs = atomicfile.OS
	}
	if err := o.fs.MkdirAll(o.Dir, atomicfile.DirPerm); err != nil {
		return PackReport{}, atomicfile.Error(fmt.Errorf("pack: %w", err))
	}
	if err := o.vacant(); err != nil { // before the lock, which a folder that is only read has not
		return PackReport{}, err
	}
	if onDisk {
		lock, err := folderlock.Acquire(filepath.Join(o.Dir, ".pack.lock"), "packing into this folder")
		if err != nil {
			return PackReport{}, err
		}
		defer func() { _ = lock.Release() }() // a lock without a holder is free
		if err := o.vacant(); err != nil {
			return PackReport{}, err
		}
	}
	if _, err := atomicfile.Sweep(o.fs, o.Dir, packKind); err != nil {
		return PackReport{}, fmt.Errorf("pack: %w", err)
	}
	p := packer{ctx: ctx, d: d, o: o, report: PackReport{Dir: o.Dir, Images: map[Split]int{}, Skipped: []string{}}}
	head := packHead{Version: packVersion, Set: d.info.Name, Shorter: o.Shorter, Quality: o.Quality, Orientation: d.about.view.Orientation, Classes: d.info.Classes, Splits: map[Split]packSplit{}}
	for _, s := range []Split{Train, Val, Test} {
		p.total += d.Len(s)
	}
	for _, s := range []Split{Train, Val, Test} {
		if d.Len(s) == 0 {
			continue
		}
		split, err := p.split(s)
		if err != nil {
			return PackReport{}, err
		}
		head.Splits[s] = split
		p.report.Images[s] = split.Images
		p.report.Bytes += split.DataBytes + split.IndexBytes
	}
	head.Skipped = p.report.Skipped
	text, err := json.MarshalIndent(head, "", "  ")
	if err != nil {
		return PackReport{}, err
	}
	return p.report, atomicfile.WriteFile(o.fs, filepath.Join(o.Dir, packManifest), packKind, append(text, '\n'))
}

// vacant refuses a folder that holds a pack.
func (o PackOptions) vacant() error {
	if _, err := os.Lstat(filepath.Join(o.Dir, packManifest)); err == nil {
		return faultf(ErrConfig, "pack: %s holds a pack already: choose another folder, or delete it", o.Dir)
	}
	return nil
}

// packer packs one split after another.
type packer struct {
	ctx         context.Context
	d           *Dataset
	o           PackOptions
	report      PackReport
	done, total int
}

// packed is an image as it is written.
type packed struct {
	data    []byte
	resized bool
	err     error
}

// packRound is how many images a processor encodes between two writes: they are held in memory
// meanwhile.
const packRound = 16

func (p *packer) split(s Split) (packSplit, error) {
	data, err := newPackFile(p.o.fs, filepath.Join(p.o.Dir, string(s)+".data"))
	if err != nil {
		return packSplit{}, err
	}
	defer data.Discard()
	index, err := newPackFile(p.o.fs, filepath.Join(p.o.Dir, string(s)+".index"))
	if err != nil {
		return packSplit{}, err
	}
	defer index.Discard()
	workers := runtime.GOMAXPROCS(0)
	round := make([]packed, workers*packRound)
	scratches := make([]scratch, workers)
	images := 0
	for from := 0; from < p.d.Len(s); from += len(round) {
		if err := p.ctx.Err(); err != nil {
			return packSplit{}, err
		}
		part := round[:min(len(round), p.d.Len(s)-from)]
		var group sync.WaitGroup
		for w := range workers {
			group.Go(func() {
				for k := w; k < len(part); k += workers {
					part[k] = p.encode(&scratches[w], s, from+k)
				}
			})
		}
		group.Wait()
		for k, image := range part {
			i := from + k
			if image.err != nil {
				if err := p.d.skip(s, i, image.err, func(id string, _ error) { p.report.Skipped = append(p.report.Skipped, id) }); err != nil {
					return packSplit{}, err
				}
				continue
			}
			var entry []byte
			name := p.d.ID(s, i)
			if len(name) > maxMemberName {
				return packSplit{}, faultf(ErrData, "%s: %.60q…: a name of %d bytes, and %d at most are possible", p.d.info.Name, name, len(name), maxMemberName)
			}
			entry = binary.AppendUvarint(entry, uint64(len(name)))
			entry = append(entry, name...)
			entry = binary.AppendUvarint(entry, uint64(p.d.Label(s, i)))
			entry = binary.AppendUvarint(entry, uint64(len(image.data)))
			entry = binary.LittleEndian.AppendUint32(entry, crc32.Checksum(image.data, castagnoli))
			if err := errors.Join(data.write(image.data), index.write(entry)); err != nil {
				return packSplit{}, err
			}
			images++
			if image.resized {
				p.report.Resized++
			}
		}
		if p.done += len(part); p.o.OnProgress != nil {
			p.o.OnProgress(p.done, p.total)
		}
	}
	if err := errors.Join(data.Commit(), index.Commit()); err != nil {
		return packSplit{}, err
	}
	return packSplit{Images: images, DataBytes: data.size, DataSHA256: data.digest(), IndexBytes: index.size, IndexSHA256: index.digest()}, nil
}

// encode makes image i as it is packed: its own bytes where they are a grey or YCbCr JPEG that is
// small enough and upright, or a JPEG of it.
func (p *packer) encode(sc *scratch, s Split, i int) packed {
	v, exif := p.d.views[s], p.d.about.view.turns(p.d.about.view)
	img, err := p.d.src.decode(sc, v.from, v.at(i), exif)
	if err != nil {
		return packed{err: err}
	}
	defer sc.release()
	w, h := img.size()
	if min(w, h) <= p.o.Shorter && plainJPEG(sc.file, exif) {
		return packed{data: bytes.Clone(sc.file)}
	}
	resized := min(w, h) > p.o.Shorter
	var picture Picture
	if resized {
		w, h = shorterTo(w, h, p.o.Shorter)
		picture = part(img, filterOf(Bilinear), w, h, 0, 0, w, h)
	} else {
		picture = whole(img)
	}
	rgba := image.NewRGBA(image.Rect(0, 0, picture.Width, picture.Height))
	for k := range picture.Width * picture.Height {
		copy(rgba.Pix[4*k:4*k+3], picture.Pix[3*k:3*k+3])
		rgba.Pix[4*k+3] = 255
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, rgba, &jpeg.Options{Quality: p.o.Quality}); err != nil {
		return packed{err: err}
	}
	return packed{data: b.Bytes(), resized: resized}
}

// packKind is what the temporary names of a pack's files say (see atomicfile).
const packKind = "pack"

// packFile is a file of a pack while it is written.
type packFile struct {
	*atomicfile.File
	sum  hash.Hash
	size int64
}

func newPackFile(fsys atomicfile.FS, path string) (*packFile, error) {
	_ = fsys.Remove(path + ".tmp") // what an interrupted packing of former versions has left
	f, err := atomicfile.Create(fsys, path, packKind)
	if err != nil {
		return nil, err
	}
	return &packFile{File: f, sum: sha256.New()}, nil
}

func (p *packFile) write(b []byte) error {
	p.sum.Write(b)
	p.size += int64(len(b))
	_, err := p.Write(b)
	return err
}

func (p *packFile) digest() string { return hex.EncodeToString(p.sum.Sum(nil)) }
