package datasets

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"resnet/internal/input"
	"resnet/internal/text"
)

// Bounds of a label's file, bytes, and of labels without names.
const (
	maxLabelFile  = 64 << 10
	maxTarClasses = 1 << 16
	maxTarShards  = 1 << 16 // as tarList numbers them
)

// openWebdataset opens the shards of a data set as the webdataset library writes them: archives in
// which the image key.jpg (or another format) stands with its label, key.cls (a whole number as
// text) or key.json (an object with "cls" or "label"). A shard belongs to the split that its folder
// or a word of its name names (train-000000.tar, imagenet-val-000003.tar), or else to training.
// classes.txt names the classes; without it they are numbers. Images are in the order of the shards
// and read in place.
func openWebdataset(ctx context.Context, c Config) (source, error) {
	if c.Dir == "" {
		return nil, faultf(ErrConfig, "webdataset: set data.dir to the folder that holds the shards (train-000000.tar, …)")
	}
	dir, err := resolveDir(c.Name, c.Dir)
	if err != nil {
		return nil, err
	}
	shards, err := tarShards(dir)
	if err != nil {
		return nil, err
	}
	set, err := newPhotoSet(c, nil)
	if err != nil {
		return nil, err
	}
	if file := filepath.Join(dir, "classes.txt"); fileThere(file) {
		if set.names, err = readClasses(file); err != nil {
			return nil, err
		}
	}
	o := shardOpening{set, 0}
	for _, s := range []Split{Train, Val, Test} {
		if err := o.open(ctx, s, dir, shards[s]); err != nil {
			return nil, err
		}
	}
	if len(set.splits) == 0 {
		return nil, faultf(ErrData, "webdataset: %s: no image with a label: KEY.jpg has its label in KEY.cls or KEY.json", dir)
	}
	if set.splits[Test] == nil && set.splits[Val] != nil {
		set.splits[Test] = set.splits[Val]
		delete(set.splits, Val)
	}
	if set.names == nil {
		for k := range o.most + 1 {
			set.names = append(set.names, strconv.Itoa(k))
		}
	}
	set.noteClasses()
	return set, set.trainOn(c, dir)
}

// tarShards lists the archives in dir and its folders by their splits, each sorted.
func tarShards(dir string) (map[Split][]string, error) {
	shards := map[Split][]string{}
	n := 0
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return openFault("webdataset: "+p, err, "has it been moved?")
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		if rel = filepath.ToSlash(rel); d.IsDir() {
			if p != dir && (isRubbish(d.Name()) || strings.Count(rel, "/") > 0) {
				return fs.SkipDir
			}
			return nil
		}
		if isRubbish(d.Name()) || !strings.EqualFold(path.Ext(rel), ".tar") {
			return nil
		}
		if n++; n > maxTarShards {
			return faultf(ErrData, "webdataset: %s: more than %d shards", dir, maxTarShards)
		}
		s := splitOfShard(rel)
		shards[s] = append(shards[s], rel)
		return nil
	})
	if err == nil && n == 0 {
		err = faultf(ErrMissing, "webdataset: %s holds no .tar: data.dir is the folder of train-000000.tar", dir)
	}
	return shards, err
}

// splitOfShard is the split that a word of a shard's path names, the last first.
func splitOfShard(rel string) Split {
	words := strings.FieldsFunc(strings.TrimSuffix(rel, path.Ext(rel)), func(r rune) bool { return strings.ContainsRune("/-_. ", r) })
	for _, w := range slices.Backward(words) {
		if s, ok := splitNamed(w); ok {
			return s
		}
	}
	return Train
}

// readClasses reads a classes.txt.
func readClasses(file string) ([]string, error) {
	data, err := input.Read(file, maxClassList)
	if err != nil {
		return nil, openFault("webdataset: "+file, err, "has it been moved?")
	}
	return parseClasses(file, data)
}

// shardOpening fills a set.
type shardOpening struct {
	*photoSet
	most int // largest label
}

func (o *shardOpening) open(ctx context.Context, s Split, dir string, shards []string) error {
	list := &tarList{set: o.name}
	without, first := 0, ""
	for n, rel := range shards {
		place := filepath.Join(dir, filepath.FromSlash(rel))
		f, err := input.Open(place)
		if err != nil {
			return openFault("webdataset: "+place, err, "has it been moved?")
		}
		list.files = append(list.files, f)
		st, err := f.Stat()
		if err != nil {
			return fmt.Errorf("webdataset: %s: %w", place, err)
		}
		x := tarIndexer{ctx: ctx, seen: map[string]bool{}, labels: map[string]tarMember{}}
		if err := x.walk(f, 0, st.Size(), "", false); err != nil {
			return fmt.Errorf("webdataset: %s: %w", place, err)
		}
		sub := &tarList{files: list.files}
		keys := map[string]bool{}
		for _, m := range x.members {
			key := keyOf(m.name)
			if key+path.Ext(m.name) != m.name {
				continue // key.mask.png is another part of the sample
			}
			if keys[key] {
				return faultf(ErrData, "webdataset: %s: %q: the second image of %q", place, m.name, key)
			}
			keys[key] = true
			sub.members, sub.file = []tarMember{x.labels[key]}, []uint16{uint16(n)}
			if sub.members[0].name == "" {
				if without++; without == 1 {
					first = fmt.Sprintf("%s: %s", place, m.name)
				}
				continue
			}
			label, err := o.label(sub)
			if err != nil {
				return err
			}
			o.most = max(o.most, label)
			m.name = rel + "/" + m.name // names repeat between shards
			list.members, list.file, list.labels = append(list.members, m), append(list.file, uint16(n)), append(list.labels, int32(label))
		}
	}
	if without > 0 {
		o.notes = append(o.notes, fmt.Sprintf("left out: %s of %s without a label, the first %s", text.Count(without, "image"), s, first))
	}
	if list.count() > 0 {
		o.splits[s] = list
	}
	return nil
}

// keyOf is what the files of one sample have in common: their path to the first point of the name.
func keyOf(name string) string {
	folder, base := path.Split(name)
	stem, _, _ := strings.Cut(base, ".")
	return folder + stem
}

// isLabelName tells the files that may hold the label of a sample.
func isLabelName(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".cls" || ext == ".json"
}

// addLabel keeps the file of a sample's label; a .cls counts before a .json.
func (x *tarIndexer) addLabel(m tarMember) error {
	key := keyOf(m.name)
	had, again := x.labels[key]
	switch same := strings.EqualFold(path.Ext(had.name), path.Ext(m.name)); {
	case m.size > maxLabelFile:
		return faultf(ErrData, "entry %q: %d bytes, and a label may have %d", m.name, m.size, maxLabelFile)
	case again && same:
		return faultf(ErrData, "entry %q: there twice", m.name)
	case len(x.labels) >= maxMembers || len(m.name) > maxMemberName:
		return faultf(ErrData, "entry %.60q: too many labels, or a name of %d bytes", m.name, len(m.name))
	case !again || strings.EqualFold(path.Ext(m.name), ".cls"):
		x.labels[key] = m
	}
	return nil
}

// label reads the label that is the only member of l.
func (o *shardOpening) label(l *tarList) (int, error) {
	data, err := l.read(0, nil)
	if err != nil {
		return 0, err
	}
	k, err := labelIn(path.Ext(l.members[0].name), data)
	if err == nil && (k < 0 || k >= cmp.Or(len(o.names), maxTarClasses)) {
		err = fmt.Errorf("label %d of %d classes", k, cmp.Or(len(o.names), maxTarClasses))
	}
	if err != nil {
		return 0, faultf(ErrData, "webdataset: %s: %w", l.place(0), err)
	}
	return k, nil
}

// labelIn is the number in the text of a .cls, or under "cls" or "label" of a .json.
func labelIn(ext string, data []byte) (int, error) {
	if !strings.EqualFold(ext, ".json") {
		k, err := strconv.Atoi(strings.TrimSpace(string(data)))
		if err != nil {
			return 0, fmt.Errorf("%.40q is no whole number", data)
		}
		return k, nil
	}
	var sample struct{ Cls, Label *int }
	if err := json.Unmarshal(data, &sample); err != nil {
		if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) && wrong.Field != "" {
			return 0, fmt.Errorf("%s is a %s, and a whole number is read: number the classes, and name them in classes.txt", strings.ToLower(wrong.Field), wrong.Value)
		}
		return 0, fmt.Errorf("not an object with a whole number under cls or label: %w", err)
	}
	if k := cmp.Or(sample.Cls, sample.Label); k != nil {
		return *k, nil
	}
	return 0, fmt.Errorf("no cls and no label")
}

func verifyWebdataset(ctx context.Context, dir string) ([]FileReport, error) {
	src, err := openWebdataset(ctx, Config{Name: "webdataset", Dir: dir})
	if err != nil {
		return nil, err
	}
	return verifyPhotos(ctx, src.(*photoSet), dir)
}
