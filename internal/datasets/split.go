package datasets

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"resnet/internal/atomicfile"
	"resnet/internal/text"
)

// Stratified draws images so that each class gives about the same part of its own. n below 1 is a
// fraction of the images, else their number. Of a class of two or more at least one is drawn where
// the number allows it, and at least one is left; of a class of one none is drawn. The result is
// sorted, and follows from labels, n and seed alone.
func Stratified(labels []int32, classes int, n float64, seed uint64) []int32 {
	return stratified(labels, classes, n, streamSplit, seed)
}

func stratified(labels []int32, classes int, n float64, stream, seed uint64) []int32 {
	quota := quotas(labels, classes, Portion(n, len(labels)))
	order := make([]int32, len(labels))
	g := newDraws(stream, seed, 0, 0)
	g.permute(order)
	var drawn []int32
	for _, i := range order {
		if k := labels[i]; quota[k] > 0 {
			quota[k]--
			drawn = append(drawn, i)
		}
	}
	slices.Sort(drawn)
	return drawn
}

// Portion is the number that a fraction below 1 of so many images, or a number, stands for; a
// fraction is at least one image.
func Portion(n float64, images int) int {
	if n > 0 && n < 1 {
		return max(1, int(math.Round(n*float64(images))))
	}
	return int(n)
}

// quotas shares n images out among the classes in proportion to their sizes, by the largest
// remainder.
func quotas(labels []int32, classes, n int) []int {
	sizes, quota := make([]int, classes), make([]int, classes)
	for _, k := range labels {
		sizes[k]++
	}
	share := func(k int) float64 { return float64(n) * float64(sizes[k]) / float64(max(len(labels), 1)) }
	left := n
	for k, size := range sizes {
		if size > 1 {
			quota[k] = min(max(1, int(share(k))), size-1)
			left -= quota[k]
		}
	}
	for least := 1; left != 0; {
		best, most := -1, math.Inf(-1)
		for k, size := range sizes {
			could := left > 0 && quota[k] < size-1 || left < 0 && quota[k] > least
			if lack := float64(sign(left)) * (share(k) - float64(quota[k])); could && lack > most {
				best, most = k, lack
			}
		}
		if best < 0 && left < 0 && least == 1 { // fewer images than classes
			least = 0
			continue
		}
		if best < 0 {
			break
		}
		quota[best] += sign(left)
		left -= sign(left)
	}
	return quota
}

func sign(n int) int { return cmp.Compare(n, 0) }

// SplitFile is the name under which a folder keeps a split of its own.
const SplitFile = "split.csv"

// WriteSplit writes which image is in which split of d, a line each under a header: `path,split`.
// Config.Split takes the file: a split that was drawn stays the same when images come and go.
func WriteSplit(file string, d *Dataset) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"path", "split"}) // a buffer never fails
	for _, s := range []Split{Train, Val, Test} {
		for i := range d.Len(s) {
			_ = w.Write([]string{d.ID(s, i), string(s)})
		}
	}
	if w.Flush(); w.Error() != nil {
		return w.Error()
	}
	return atomicfile.Error(atomicfile.WriteFile(atomicfile.OS, file, "split", b.Bytes()))
}

// maxSplitFile bounds a file of splits or labels.
const maxSplitFile = 512 << 20

// readSplit reads what WriteSplit wrote, or another table with these two columns.
func readSplit(file string) (map[string]Split, error) {
	data, err := readBounded(file, maxSplitFile)
	if err != nil {
		return nil, err
	}
	return parseSplit(file, data)
}

func parseSplit(file string, data []byte) (map[string]Split, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	of := map[string]Split{}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, faultf(ErrData, "%s: %w", file, err)
		}
		line, _ := r.FieldPos(0)
		if len(row) != 2 {
			return nil, faultf(ErrData, "%s: line %d: %d columns, want path and split", file, line, len(row))
		}
		if line == 1 && row[0] == "path" {
			continue
		}
		s, ok := splitNamed(row[1])
		if !ok {
			return nil, faultf(ErrData, "%s: line %d: split %.40q is none of train, val and test", file, line, row[1])
		}
		if _, twice := of[row[0]]; twice {
			return nil, faultf(ErrData, "%s: line %d: %.60q is there twice", file, line, row[0])
		}
		of[row[0]] = s
	}
	if len(of) == 0 {
		return nil, faultf(ErrData, "%s: no images in it", file)
	}
	return of, nil
}

// splitNames are what people call the splits; the first of each is ours.
var splitNames = []struct {
	split Split
	names []string
}{{Train, []string{"train", "training"}}, {Val, []string{"val", "valid", "validation", "dev"}}, {Test, []string{"test", "testing"}}}

// splitNamed is the split that a word means, in any case.
func splitNamed(word string) (Split, bool) {
	for _, s := range splitNames {
		if slices.Contains(s.names, strings.ToLower(strings.TrimSpace(word))) {
			return s.split, true
		}
	}
	return "", false
}

// divide makes the splits of a set whose images are all in one list, under Train: as c.Split or a
// SplitFile in dir says, or with c.Test of the images drawn for the test split.
func (p *photoSet) divide(c Config, dir string) error {
	list := p.split(Train)
	file := c.Split
	if own := filepath.Join(dir, SplitFile); file == "" && fileThere(own) {
		file = own
	}
	if file != "" {
		return p.divideBy(file, list)
	}
	labels := make([]int32, list.count())
	for i := range labels {
		labels[i] = int32(list.label(i))
	}
	held := without(len(labels), nil)
	if Portion(c.Test, len(labels)) < len(labels) {
		held = Stratified(labels, len(p.names), c.Test, c.SplitSeed)
	}
	p.parts = map[Split][]int32{Test: held, Train: without(len(labels), held)}
	if len(held) == len(labels) || len(held) == 0 {
		return nil
	}
	p.notes = append(p.notes, fmt.Sprintf("the images are in no train/ and test/: %d of %d, as many of each class as its share, are the test images (data.test, data.split_seed)", len(held), len(labels)))
	return nil
}

// divideBy makes the splits that a file says. Images that it does not name are no part of the set,
// as if they were not there: its fingerprint stays when others come.
func (p *photoSet) divideBy(file string, list photos) error {
	of, err := readSplit(file)
	if err != nil {
		return err
	}
	parts := map[Split][]int32{}
	var unnamed []int32
	for i := range list.count() {
		s, ok := of[list.id(i)]
		if !ok {
			unnamed = append(unnamed, int32(i))
			continue
		}
		parts[s] = append(parts[s], int32(i-len(unnamed)))
		delete(of, list.id(i))
	}
	if len(of) > 0 {
		first := slices.Min(slices.Collect(maps.Keys(of)))
		return faultf(ErrMissing, "%s: %s: %d of its images are not there, the first is %.80q", p.name, file, len(of), first)
	}
	if len(unnamed) > 0 {
		p.notes = append(p.notes, fmt.Sprintf("left out: %s not named in %s", text.Count(len(unnamed), "image"), file))
		list.(*fileList).remove(unnamed) // of folders alone: see Config.Split
	}
	p.parts = parts
	return nil
}

// without is 0 to n-1 without those that are held, which are sorted.
func without(n int, held []int32) []int32 {
	rest := make([]int32, 0, n-len(held))
	for i := range int32(n) {
		if len(held) > 0 && held[0] == i {
			held = held[1:]
			continue
		}
		rest = append(rest, i)
	}
	return rest
}
