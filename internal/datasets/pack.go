package datasets

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"

	"resnet/internal/input"
)

// A pack is a folder that Pack writes once, for fast epochs: images resized beforehand, one file
// after another.
//
//	train.data, test.data, …     the encoded images, without anything between them
//	train.index, …               for each image: its name after its length, label and size
//	                             as uvarints, CRC-32C of its bytes
//	pack.json                    written last: the kind of pack, size and SHA-256 of the others
//
// The order and the labels are those of the data set that was packed, and names are its names, so
// that a training on the pack draws the same images in the same order.
const (
	packManifest = "pack.json"
	packVersion  = 1
	// maxPackIndex bounds an index: 4 Mi images with the longest names.
	maxPackIndex = 2 << 30
	// maxPackManifest bounds pack.json, which names the classes.
	maxPackManifest = 16 << 20
)

// packHead is pack.json.
type packHead struct {
	Version int    `json:"version"`
	Set     string `json:"set"`     // the data set that was packed
	Shorter int    `json:"shorter"` // no image's shorter side is longer, pixels
	Quality int    `json:"quality"` // JPEG quality of the images that were made smaller
	// Orientation is that of the preprocessing of the set that was packed: where it is obeyed, the
	// packed images are upright. "" in packs of programs that did not know it.
	Orientation string   `json:"orientation,omitempty"`
	Classes     []string `json:"classes"`
	// Skipped names the images that did not decode and were left out.
	Skipped []string            `json:"skipped"`
	Splits  map[Split]packSplit `json:"splits"`
}

type packSplit struct {
	Images      int    `json:"images"`
	DataBytes   int64  `json:"data_bytes"`
	DataSHA256  string `json:"data_sha256"`
	IndexBytes  int64  `json:"index_bytes"`
	IndexSHA256 string `json:"index_sha256"`
}

// parseHead reads pack.json. The sizes in it are compared with the files before anything
// is allocated.
func parseHead(text []byte) (packHead, error) {
	var h packHead
	if err := json.Unmarshal(text, &h); err != nil {
		return h, faultf(ErrData, "%w", err)
	}
	switch {
	case h.Version != packVersion:
		return h, faultf(ErrData, "version %d, and this program reads %d", h.Version, packVersion)
	case len(h.Classes) == 0 || len(h.Classes) > 1<<20:
		return h, faultf(ErrData, "%d classes", len(h.Classes))
	case len(h.Splits) == 0:
		return h, faultf(ErrData, "no splits")
	}
	for s, p := range h.Splits {
		if s != Train && s != Val && s != Test {
			return h, faultf(ErrData, "split %q is none of train, val and test", s)
		}
		if p.Images < 1 || p.Images > maxMembers || p.DataBytes < 0 || p.IndexBytes < 0 || p.IndexBytes > maxPackIndex || int64(p.Images) > p.IndexBytes {
			return h, faultf(ErrData, "split %s: %d images, an index of %d bytes, %d bytes of data", s, p.Images, p.IndexBytes, p.DataBytes)
		}
	}
	return h, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// packList is a split of a pack.
type packList struct {
	f       *os.File // open as long as the data set
	names   []string
	labels  []int32
	offsets []int64 // one more than images
	sums    []uint32
}

func (l *packList) count() int      { return len(l.names) }
func (l *packList) label(i int) int { return int(l.labels[i]) }
func (l *packList) id(i int) string { return l.names[i] }

func (l *packList) place(i int) string {
	return fmt.Sprintf("%s: %s (byte offset %d)", l.f.Name(), l.names[i], l.offsets[i])
}

func (l *packList) size(i int) (int64, error) { return l.offsets[i+1] - l.offsets[i], nil }

func (l *packList) state(i int) (string, error) {
	return fmt.Sprint(l.offsets[i+1]-l.offsets[i], l.sums[i]), nil
}

func (l *packList) read(i int, buf []byte) ([]byte, error) {
	buf = grow(buf, int(l.offsets[i+1]-l.offsets[i]))
	if _, err := l.f.ReadAt(buf, l.offsets[i]); err != nil {
		return nil, streamFault(err, "packed: %s", l.place(i))
	}
	if crc32.Checksum(buf, castagnoli) != l.sums[i] {
		return nil, faultf(ErrData, "packed: %s: its checksum is wrong: `resnet data verify packed` lists what is damaged; pack again", l.place(i))
	}
	return buf, nil
}

// parsePackIndex reads an index of so many images, whose data have so many bytes.
func parsePackIndex(data []byte, images, classes int, dataBytes int64) (*packList, error) {
	l := &packList{names: make([]string, 0, images), labels: make([]int32, 0, images), offsets: make([]int64, 1, images+1), sums: make([]uint32, 0, images)}
	text := string(data) // that the names are parts of
	at := 0
	number := func() (uint64, bool) {
		v, n := binary.Uvarint(data[at:])
		at += max(n, 0)
		return v, n > 0
	}
	for k := range images {
		length, ok := number()
		if !ok || length > maxMemberName || int(length) > len(data)-at {
			return nil, faultf(ErrData, "image %d: its name", k)
		}
		name := text[at : at+int(length)]
		at += int(length)
		label, okLabel := number()
		size, okSize := number()
		if !okLabel || !okSize || label >= uint64(classes) || size > maxImageFile || len(data)-at < 4 {
			return nil, faultf(ErrData, "image %d: label %d of %d classes, %d bytes", k, label, classes, size)
		}
		end := l.offsets[k] + int64(size)
		if end > dataBytes {
			return nil, faultf(ErrData, "image %d: ends at byte %d of %d", k, end, dataBytes)
		}
		l.names, l.labels, l.offsets = append(l.names, name), append(l.labels, int32(label)), append(l.offsets, end)
		l.sums = append(l.sums, binary.LittleEndian.Uint32(data[at:]))
		at += 4
	}
	if at != len(data) || l.offsets[images] != dataBytes {
		return nil, faultf(ErrData, "%d bytes behind the last image, and its end is at %d of %d", len(data)-at, l.offsets[images], dataBytes)
	}
	return l, nil
}

// openPacked opens a pack.
func openPacked(_ context.Context, c Config) (source, error) {
	dir, err := resolveDir(c.Name, c.Dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, packManifest)
	if !fileThere(path) {
		return nil, faultf(ErrMissing, "packed: %s is not there: `resnet data pack NAME --out %s` writes it; a packing that was interrupted begins again", path, dir)
	}
	text, err := readBounded(path, maxPackManifest)
	if err != nil {
		return nil, err
	}
	head, err := parseHead(text)
	if err != nil {
		return nil, fmt.Errorf("packed: %s: %w", path, err)
	}
	sum := sha256.Sum256(text)
	set, err := newPhotoSet(c, head.Classes)
	if err != nil {
		return nil, err
	}
	set.meanImages, set.stamp = sampleImages, hex.EncodeToString(sum[:])
	if c.Orientation == "" {
		set.view.Orientation = cmp.Or(head.Orientation, OrientStored)
	}
	if head.Set == "imagenet" {
		set.fixed = &imagenetNormalizer
	}
	for _, s := range []Split{Train, Val, Test} {
		p, ok := head.Splits[s]
		if !ok {
			continue
		}
		l, err := openPackSplit(dir, s, p, len(head.Classes))
		if err != nil {
			return nil, err
		}
		set.splits[s] = l
	}
	if head.Shorter < set.view.Resize {
		set.notes = append(set.notes, fmt.Sprintf("the pack's images have a shorter side of at most %d pixels, and an evaluation enlarges them to %d", head.Shorter, set.view.Resize))
	}
	if n := len(head.Skipped); n > 0 {
		set.notes = append(set.notes, fmt.Sprintf("%d images did not decode when it was packed and are not in it; the first is %s", n, head.Skipped[0]))
	}
	return set, set.trainOn(c, dir)
}

func openPackSplit(dir string, s Split, p packSplit, classes int) (*packList, error) {
	index := filepath.Join(dir, string(s)+".index")
	text, err := readBounded(index, maxPackIndex)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != p.IndexSHA256 || int64(len(text)) != p.IndexBytes {
		return nil, faultf(ErrData, "packed: %s: its checksum is not that of %s: pack again", index, packManifest)
	}
	l, err := parsePackIndex(text, p.Images, classes, p.DataBytes)
	if err != nil {
		return nil, fmt.Errorf("packed: %s: %w", index, err)
	}
	path := filepath.Join(dir, string(s)+".data")
	if !fileThere(path) {
		return nil, faultf(ErrMissing, "packed: %s is not there: pack again", path)
	}
	if l.f, err = input.Open(path); err != nil {
		return nil, openFault("packed: "+path, err, "has it been moved?")
	}
	if st, err := l.f.Stat(); err != nil || st.Size() != p.DataBytes {
		l.f.Close()
		return nil, faultf(ErrData, "packed: %s: not the %d bytes that %s says: pack again", path, p.DataBytes, packManifest)
	}
	return l, nil
}

// verifyPacked compares the files with their digests and decodes every image.
func verifyPacked(ctx context.Context, dir string) ([]FileReport, error) {
	src, err := openPacked(ctx, Config{Name: "packed", Dir: dir})
	if err != nil {
		return nil, err
	}
	text, err := readBounded(filepath.Join(dir, packManifest), maxPackManifest)
	if err != nil {
		return nil, err
	}
	head, err := parseHead(text)
	if err != nil {
		return nil, err
	}
	var out []FileReport
	for _, s := range []Split{Train, Val, Test} {
		p, ok := head.Splits[s]
		if !ok {
			continue
		}
		path, want := filepath.Join(dir, string(s)+".data"), "sha256:"+p.DataSHA256
		got, err := digestWhole(ctx, path, want)
		if err != nil {
			return nil, err
		}
		r := FileReport{Path: path, Status: StatusOK}
		if !strings.EqualFold(got, want) {
			r.Status, r.Detail = StatusBad, "its checksum is not that of "+packManifest
		}
		out = append(out, r)
	}
	images, err := verifyPhotos(ctx, src.(*photoSet), dir)
	return append(out, images...), err
}
