package datasets

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"resnet/internal/input"
)

const (
	devkitArchive = "ILSVRC2012_devkit_t12.tar.gz"
	truthName     = "ILSVRC2012_validation_ground_truth.txt"
	metaName      = "meta.mat"
	// maxDevkit bounds what is unpacked of the development kit (2.5 MB), maxTruth its list of
	// labels (200 KB).
	maxDevkit = 256 << 20
	maxTruth  = 16 << 20
)

// devkit is the part of the development kit that gives the validation images their labels.
type devkit struct {
	place string
	rank  map[int]int // ILSVRC2012_ID to the rank of the sorted WordNet ID
	truth []int       // the ILSVRC2012_ID of each validation image, in the order of their numbers
}

// findDevkit reads the development kit in dir: the archive, its folder, or the two files alone. It
// is nil where there is none.
func findDevkit(dir string) (*devkit, error) {
	archive := filepath.Join(dir, devkitArchive)
	if fileThere(archive) {
		files, err := untarDevkit(archive)
		if err != nil {
			return nil, fmt.Errorf("imagenet: %s: %w", archive, err)
		}
		return newDevkit(archive, files[metaName], files[truthName])
	}
	for _, sub := range []string{"ILSVRC2012_devkit_t12/data", "data", "."} {
		folder := filepath.Join(dir, filepath.FromSlash(sub))
		meta, truth := filepath.Join(folder, metaName), filepath.Join(folder, truthName)
		if !fileThere(meta) || !fileThere(truth) {
			continue
		}
		a, err := readBounded(meta, maxMAT)
		if err != nil {
			return nil, err
		}
		b, err := readBounded(truth, maxTruth)
		if err != nil {
			return nil, err
		}
		return newDevkit(folder, a, b)
	}
	return nil, nil
}

// readBounded reads a regular file of at most so many bytes.
func readBounded(path string, most int64) ([]byte, error) {
	data, err := input.Read(path, most)
	if err != nil {
		return nil, openFault("imagenet: "+path, err, "has it been moved?")
	}
	return data, nil
}

// untarDevkit takes meta.mat and the ground truth out of the archive, into memory. Nothing is
// written.
func untarDevkit(archive string) (map[string][]byte, error) {
	f, err := input.Open(archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readDevkit(f)
}

// readDevkit is untarDevkit of an open archive.
func readDevkit(r io.Reader) (map[string][]byte, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, faultf(ErrData, "not a gzip archive: %w", err)
	}
	t := tar.NewReader(&io.LimitedReader{R: z, N: maxDevkit})
	wanted := map[string]int64{metaName: maxMAT, truthName: maxTruth}
	found := map[string][]byte{}
	for len(found) < len(wanted) {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return nil, archiveFault(err, "the development kit")
		}
		name := path.Base(h.Name)
		most, ok := wanted[name]
		if !ok || h.Typeflag != tar.TypeReg || found[name] != nil {
			continue
		}
		if h.Size > most {
			return nil, faultf(ErrData, "entry %q: %d bytes, and %d at most are read", h.Name, h.Size, most)
		}
		data, err := io.ReadAll(io.LimitReader(t, most))
		if err != nil {
			return nil, archiveFault(err, h.Name)
		}
		found[name] = data
	}
	for name := range wanted {
		if found[name] == nil {
			return nil, faultf(ErrData, "holds no %s", name)
		}
	}
	return found, nil
}

// newDevkit parses the two files. The 1000 classes must be ILSVRC-2012's.
func newDevkit(place string, meta, truth []byte) (*devkit, error) {
	rows, err := readSynsets(meta)
	if err != nil {
		return nil, fmt.Errorf("imagenet: %s: %s: %w", place, metaName, err)
	}
	k := &devkit{place: place, rank: map[int]int{}}
	for _, r := range rows {
		if r.children > 0 {
			continue // a group of classes
		}
		rank := wnidRank(r.wnid)
		if rank < 0 {
			return nil, faultf(ErrData, "imagenet: %s: %s: class %d is %q, which is not one of ILSVRC-2012", place, metaName, r.id, r.wnid)
		}
		if _, twice := k.rank[r.id]; twice {
			return nil, faultf(ErrData, "imagenet: %s: %s: class %d is there twice", place, metaName, r.id)
		}
		k.rank[r.id] = rank
	}
	if n, want := len(k.rank), len(imagenetClasses()); n != want {
		return nil, faultf(ErrData, "imagenet: %s: %s: %d classes without subclasses, want %d", place, metaName, n, want)
	}
	for line := range bytes.Lines(truth) {
		text := strings.TrimSpace(string(line))
		if text == "" {
			continue
		}
		id, err := strconv.Atoi(text)
		if _, known := k.rank[id]; err != nil || !known {
			return nil, faultf(ErrData, "imagenet: %s: %s: line %d: %.40q is not the ILSVRC2012_ID of a class", place, truthName, len(k.truth)+1, text)
		}
		k.truth = append(k.truth, id)
	}
	return k, nil
}
