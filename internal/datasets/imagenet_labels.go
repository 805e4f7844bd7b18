package datasets

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// valLabels gives the label of a validation image by its file name (without folder).
type valLabels struct {
	place  string         // where they come from
	byName map[string]int // without the extension
	ranks  []int          // of image 1, 2, …, or nil
}

func (l *valLabels) of(name string) (int, error) {
	stem := strings.TrimSuffix(name, filepath.Ext(name))
	if k, ok := l.byName[stem]; ok {
		return k, nil
	}
	if n, ok := valNumber(stem); ok && n <= len(l.ranks) {
		return l.ranks[n-1], nil
	}
	return 0, faultf(ErrData, "imagenet: %s has no label for the validation image %q", l.place, name)
}

// valNumber reads the number of an official validation image: ILSVRC2012_val_00000001.
func valNumber(stem string) (int, bool) {
	digits, ok := strings.CutPrefix(stem, "ILSVRC2012_val_")
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n > 0
}

// labelFiles are the names under which lists of labels go about: those of Caffe, Kaggle,
// TensorFlow, Paddle and others.
var labelFiles = []string{"val.txt", "LOC_val_solution.csv", "imagenet_2012_validation_synset_labels.txt", "synset_labels.txt", "val_labels.txt", "val_map.txt", "val_list.txt"}

// findLabels looks for the labels of the validation images: where the configuration says, in the
// development kit, in a file of a usual name.
func findLabels(dir, explicit string) (*valLabels, error) {
	if explicit != "" {
		return readLabels(explicit)
	}
	kit, err := findDevkit(dir)
	if err != nil {
		return nil, err
	}
	if kit != nil {
		l := &valLabels{place: kit.place}
		for _, id := range kit.truth {
			l.ranks = append(l.ranks, kit.rank[id])
		}
		return l, nil
	}
	for _, name := range labelFiles {
		if path := filepath.Join(dir, name); fileThere(path) {
			return readLabels(path)
		}
	}
	return nil, faultf(ErrMissing, "imagenet: %s: the validation images have no labels: put %s there, or a text file of their names and WordNet IDs (data.labels)", dir, devkitArchive)
}

// readLabels reads a text file. A line is `NAME WNID`, `NAME NUMBER` (the rank of the class, from
// 0) or, for image 1, 2, …, a WordNet ID alone; fields are separated by white space or commas, what
// follows is ignored, and so is a header `ImageId,…`.
func readLabels(path string) (*valLabels, error) {
	data, err := readBounded(path, maxTruth)
	if err != nil {
		return nil, err
	}
	return parseLabels(path, data)
}

func parseLabels(path string, data []byte) (*valLabels, error) {
	l := &valLabels{place: path, byName: map[string]int{}}
	n, numbers := 0, false
	for line := range strings.Lines(string(data)) {
		n++
		f := strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\r' || r == '\n' })
		if len(f) == 0 || f[0] == "ImageId" {
			continue
		}
		class := f[0]
		if len(f) > 1 {
			class = f[1]
		}
		k := wnidRank(class)
		if number, err := strconv.Atoi(class); k < 0 && err == nil {
			if len(f) == 1 {
				return nil, faultf(ErrData, "imagenet: %s: line %d: a number alone: if this is the ground truth of the development kit, its %s is needed beside it, because its numbers are not ranks", path, n, metaName)
			}
			k, numbers = number, true
		}
		if k < 0 || k >= len(imagenetClasses()) {
			return nil, faultf(ErrData, "imagenet: %s: line %d: %.40q is neither a WordNet ID of ILSVRC-2012 nor a rank from 0 to 999", path, n, class)
		}
		if len(f) == 1 {
			l.ranks = append(l.ranks, k)
			continue
		}
		stem := filepath.Base(filepath.FromSlash(f[0]))
		stem = strings.TrimSuffix(stem, filepath.Ext(stem))
		if _, twice := l.byName[stem]; twice {
			return nil, faultf(ErrData, "imagenet: %s: line %d: image %.60q is there twice", path, n, f[0])
		}
		l.byName[stem] = k
	}
	if len(l.byName)+len(l.ranks) == 0 {
		return nil, faultf(ErrData, "imagenet: %s: no labels in it", path)
	}
	if numbers {
		return l, l.checkNumbers()
	}
	return l, nil
}

// firstRanks are the classes of the validation images 1 to 5 (Caffe's val.txt begins so): sea
// snake, alp, Shetland sheepdog, soup bowl, cradle. firstIDs are the same as the development kit
// numbers them.
var (
	firstRanks = []int{65, 970, 230, 809, 516}
	firstIDs   = []int{490, 361, 171, 822, 297}
)

// checkNumbers fails if numbers that ought to be ranks are visibly something else.
func (l *valLabels) checkNumbers() error {
	var got, ids, shifted []int
	for i := range firstRanks {
		if k, ok := l.byName[fmt.Sprintf("ILSVRC2012_val_%08d", i+1)]; ok {
			got, ids, shifted = append(got, k), append(ids, firstIDs[i]), append(shifted, firstRanks[i]+1)
		}
	}
	less := func(v []int) (out []int) {
		for _, x := range v {
			out = append(out, x-1)
		}
		return out
	}
	switch {
	case len(got) < 2:
		return nil
	case slices.Equal(got, ids), slices.Equal(got, less(ids)):
		return faultf(ErrData, "imagenet: %s numbers the classes as the development kit does (ILSVRC2012_ID), and not by the rank of the sorted WordNet IDs: use %s itself, or WordNet IDs", l.place, devkitArchive)
	case slices.Equal(got, shifted):
		return faultf(ErrData, "imagenet: %s counts the classes from 1, and they are counted from 0", l.place)
	}
	return nil
}

// checkFirst fails if the first validation images have other classes than they are known to have: a
// wrong mapping, which would otherwise show as an error of 99.9 %.
func checkFirst(place string, l photos) error {
	for i := range l.count() {
		name := l.id(i)
		name = name[strings.LastIndexByte(name, '/')+1:]
		n, ok := valNumber(strings.TrimSuffix(name, filepath.Ext(name)))
		if !ok || n > len(firstRanks) {
			continue
		}
		if got, want := l.label(i), firstRanks[n-1]; got != want {
			c := imagenetClasses()
			return faultf(ErrData, "imagenet: %s: validation image %s is labelled %s (%s), and it is known to be %s (%s): the mapping is wrong; were numbers of the development kit taken for ranks?",
				place, name, c[got].ID, c[got].Name, c[want].ID, c[want].Name)
		}
	}
	return nil
}
