package datasets

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"resnet/internal/datasets/parquet"
	"resnet/internal/input"
	"resnet/internal/text"
)

// maxParquetCache bounds the decoded pages that are kept, bytes.
const maxParquetCache = 64 << 20

// openParquet opens the Parquet files of a data set as the Hugging Face hub has them:
//
//	DIR/data/train-00000-of-00005.parquet, or without data/
//	DIR/train/0000.parquet, as in the hub's converted branch, also in a configuration's folder
//
// and the same of validation and test. The images are in the order of the files, and read in place.
func openParquet(ctx context.Context, c Config) (source, error) {
	if c.Dir == "" {
		return nil, faultf(ErrConfig, "parquet: set data.dir to the folder that holds data/train-00000-of-00001.parquet")
	}
	dir, err := resolveDir(c.Name, c.Dir)
	if err != nil {
		return nil, err
	}
	names, err := parquetFiles(dir)
	if err != nil {
		return nil, err
	}
	splits, err := parquetSplits(dir, names)
	if err != nil {
		return nil, err
	}
	set, err := newPhotoSet(c, nil)
	if err != nil {
		return nil, err
	}
	o := parquetOpening{photoSet: set, dir: dir, cache: parquet.NewCache(maxParquetCache)}
	for _, s := range []Split{Train, Val, Test} {
		if err := o.open(ctx, s, splits[s]); err != nil {
			return nil, err
		}
	}
	if err := o.finish(ctx); err != nil {
		return nil, err
	}
	set.noteClasses()
	return set, set.trainOn(c, dir)
}

// parquetFiles lists the Parquet files in and below dir, at most three folders down: paths with
// slashes, sorted.
func parquetFiles(dir string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return openFault("parquet: "+p, err, "has it been moved?")
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if p != dir && (isRubbish(d.Name()) || strings.Count(rel, "/") > 2) {
				return fs.SkipDir
			}
			return nil
		}
		if !isRubbish(d.Name()) && strings.EqualFold(path.Ext(rel), ".parquet") {
			names = append(names, rel)
		}
		return nil
	})
	return names, err
}

// holdsParquet reports whether there is a Parquet file in or below a folder.
func holdsParquet(dirs []string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool {
		names, _ := parquetFiles(dir) // what cannot be read has been reported
		return len(names) > 0
	})
}

var shardName = regexp.MustCompile(`^(.*)-(\d+)-of-(\d+)\.parquet$`)

// parquetSplits sorts files into splits: by the word that their name begins with, else by a folder.
// What names no split is training. It fails for a part of several that is not there.
func parquetSplits(dir string, names []string) (map[Split][]string, error) {
	if len(names) == 0 {
		return nil, faultf(ErrMissing, "parquet: %s holds no Parquet files: data.dir is the folder of data/train-00000-of-00001.parquet", dir)
	}
	splits, configs, shards := map[Split][]string{}, map[string]bool{}, map[string]int{}
	for _, name := range names {
		folder, base := path.Split(name)
		if m := shardName.FindStringSubmatch(name); m != nil {
			shards[m[1]+"-of-"+m[3]]++
		}
		word := base[:strings.IndexAny(base+".", "-_.")]
		s, ok := splitNamed(word)
		var config []string
		for _, part := range strings.Split(strings.Trim(folder, "/"), "/") {
			if of, isSplit := splitNamed(part); isSplit && !ok {
				s, ok = of, true
			} else if !isSplit && part != "data" {
				config = append(config, part)
			}
		}
		configs[path.Join(config...)] = true
		s = cmp.Or(s, Train)
		splits[s] = append(splits[s], name)
	}
	if len(configs) > 1 {
		var found []string
		for c := range configs {
			found = append(found, cmp.Or(c, "."))
		}
		slices.Sort(found)
		return nil, faultf(ErrConfig, "parquet: %s holds several configurations of a data set: set data.dir to one of %s", dir, listed(found, len(found), ", "))
	}
	for shard, n := range shards {
		at := strings.LastIndex(shard, "-of-")
		if want, err := strconv.Atoi(shard[at+len("-of-"):]); err != nil || n != want {
			return nil, faultf(ErrMissing, "parquet: %s: %d of the %s files %s-…-of-%s.parquet are there: is the download complete?", dir, n, shard[at+len("-of-"):], shard[:at], shard[at+len("-of-"):])
		}
	}
	return splits, nil
}

// parquetOpening fills a set.
type parquetOpening struct {
	*photoSet
	dir   string
	cache *parquet.Cache
	named string // the file that the names of the classes are of
	most  int64  // largest label
	bytes int64  // of all files
	files []*os.File
	// opened are the files' indexes, in the same order.
	opened []*parquet.File
}

// open adds a split: the rows that have a label. A split without any is left out.
func (o *parquetOpening) open(ctx context.Context, s Split, names []string) error {
	list := &parquetList{set: o.name, dir: o.dir, cache: o.cache}
	rows, without, first := 0, 0, ""
	for k, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := o.openFile(name)
		if err != nil {
			return err
		}
		list.files, list.names = append(list.files, f), append(list.names, name)
		for row := range f.Rows {
			label := int64(parquet.NoLabel)
			if f.Labels != nil {
				label = f.Labels[row]
			}
			place := fmt.Sprintf("%s, row %d", filepath.Join(o.dir, filepath.FromSlash(name)), row)
			switch {
			case label == parquet.NoLabel:
				if without++; without == 1 {
					first = place
				}
				continue
			case label < 0 || label >= maxParquetClasses || o.names != nil && label >= int64(len(o.names)):
				return faultf(ErrData, "parquet: %s: label %d of %d classes", place, label, cmp.Or(len(o.names), maxParquetClasses))
			}
			o.most = max(o.most, label)
			list.rows = append(list.rows, parquetRow{int32(k), int32(row), int32(label)})
		}
		rows += f.Rows
		f.Labels = nil // they are in the list now
	}
	switch {
	case without > 0 && without == rows:
		o.notes = append(o.notes, fmt.Sprintf("none of the %s of %s has a label (%s is the first): they are left out", text.Count(rows, "image"), s, first))
		return nil
	case without > 0:
		o.notes = append(o.notes, fmt.Sprintf("left out: %s of %s without a label, the first %s", text.Count(without, "image"), s, first))
	}
	if rows > 0 {
		o.splits[s] = list
	}
	return nil
}

// maxParquetClasses bounds the classes of labels without names.
const maxParquetClasses = 1 << 16

// openFile opens a file, which stays open, and takes the names of its classes.
func (o *parquetOpening) openFile(name string) (*parquet.File, error) {
	place := filepath.Join(o.dir, filepath.FromSlash(name))
	in, err := input.Open(place)
	if err != nil {
		return nil, openFault("parquet: "+place, err, "has it been moved?")
	}
	st, err := in.Stat()
	if err != nil {
		return nil, fmt.Errorf("parquet: %s: %w", place, err)
	}
	f, err := parquet.Open(in, st.Size())
	if err != nil {
		head := make([]byte, 512)
		n, _ := in.ReadAt(head, 0)
		in.Close()
		if kind, _ := kindOf(head[:n]); kind != "" && kind != "Parquet" {
			return nil, faultf(ErrData, "parquet: %s: it is %s", place, kind)
		}
		return nil, fmt.Errorf("parquet: %s: %w", place, err)
	}
	switch {
	case f.Classes == nil:
	case o.names == nil && o.most >= int64(len(f.Classes)):
		return nil, faultf(ErrData, "parquet: %s: %d classes, and a file before it has label %d", place, len(f.Classes), o.most)
	case o.names == nil:
		o.names, o.named = f.Classes, place
	case !slices.Equal(o.names, f.Classes):
		return nil, faultf(ErrData, "parquet: %s: its classes are not those of %s", place, o.named)
	}
	o.bytes += st.Size()
	o.files, o.opened = append(o.files, in), append(o.opened, f)
	return f, nil
}

// finish names classes that have none, gives the validation images to a test split that is missing,
// and takes the digest of the files: of all of small ones, of large ones of what parquet.Digest
// takes, with samples of MaxContents together.
func (o *parquetOpening) finish(ctx context.Context) error {
	if len(o.splits) == 0 {
		return faultf(ErrData, "parquet: %s: no images with labels: a column of labels is called label, labels or fine_label", o.dir)
	}
	if o.splits[Test] == nil && o.splits[Val] != nil {
		o.splits[Test] = o.splits[Val]
		delete(o.splits, Val)
	}
	for k := 0; o.named == "" && k <= int(o.most); k++ {
		o.names = append(o.names, strconv.Itoa(k))
	}
	h := sha256.New()
	if err := o.digest(ctx, h); err != nil {
		return err
	}
	o.stamp = fmt.Sprintf("%x", h.Sum(nil)[:16])
	return nil
}

// digest gives a hash what is in the files.
func (o *parquetOpening) digest(ctx context.Context, h hash.Hash) error {
	if o.bytes > MaxContents {
		pages := 0
		for _, f := range o.opened {
			pages += f.Pages()
		}
		for k, f := range o.opened {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := f.Digest(h, min(MaxContents/max(pages, 1), maxSample)); err != nil {
				return fmt.Errorf("parquet: %s: %w", o.files[k].Name(), err)
			}
		}
		return nil
	}
	for _, f := range o.files {
		if _, err := io.Copy(h, contextReader{ctx, io.NewSectionReader(f, 0, MaxContents)}); err != nil {
			return fmt.Errorf("parquet: %s: %w", f.Name(), err)
		}
	}
	return nil
}

// maxSample bounds the bytes of a page that a digest is taken of.
const maxSample = 1 << 20

// parquetRow is an image: its file, its row there, its label.
type parquetRow struct{ file, row, label int32 }

// parquetList is a split whose images are rows of Parquet files.
type parquetList struct {
	set, dir string
	cache    *parquet.Cache
	files    []*parquet.File
	names    []string // paths from dir, with slashes
	rows     []parquetRow
}

func (l *parquetList) count() int      { return len(l.rows) }
func (l *parquetList) label(i int) int { return int(l.rows[i].label) }

func (l *parquetList) id(i int) string {
	return fmt.Sprintf("%s#%d", l.names[l.rows[i].file], l.rows[i].row)
}

func (l *parquetList) place(i int) string {
	r := l.rows[i]
	return fmt.Sprintf("%s, row %d", filepath.Join(l.dir, filepath.FromSlash(l.names[r.file])), r.row)
}

// size is that of the page that holds the image: the images' own are known when pages are decoded.
func (l *parquetList) size(i int) (int64, error) {
	r := l.rows[i]
	return l.files[r.file].PageBytes(int(r.row))
}

func (l *parquetList) read(i int, buf []byte) ([]byte, error) {
	r := l.rows[i]
	data, err := l.files[r.file].Image(l.cache, int(r.row))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %s: %w", l.set, l.place(i), err)
	case data == nil:
		return nil, faultf(ErrData, "%s: %s: there is no image: it is null, or its file is beside (path) and not in the column (bytes)", l.set, l.place(i))
	case len(data) > maxImageFile:
		return nil, faultf(ErrData, "%s: %s: %d bytes, and an image may have %d", l.set, l.place(i), len(data), maxImageFile)
	}
	return append(buf[:0], data...), nil
}

func (l *parquetList) state(i int) (string, error) {
	r := l.rows[i]
	s, err := input.StateOfFile(filepath.Join(l.dir, filepath.FromSlash(l.names[r.file])))
	return fmt.Sprint(s), err
}

// verifyParquet decodes every image.
func verifyParquet(ctx context.Context, dir string) ([]FileReport, error) {
	src, err := openParquet(ctx, Config{Name: "parquet", Dir: dir})
	if err != nil {
		return nil, err
	}
	return verifyPhotos(ctx, src.(*photoSet), dir)
}
