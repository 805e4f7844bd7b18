package datasets

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"resnet/internal/input"
	"resnet/internal/text"
)

// Headers of the columns of a table of labels, as people name them.
var (
	pathColumns  = []string{"path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "image_name", "image_id", "imageid", "img", "name", "fname", "id"}
	labelColumns = []string{"label", "labels", "class", "class_name", "classname", "category", "target", "breed", "species", "y", "tag", "tags"}
	splitColumns = []string{"split", "set", "subset", "is_valid"}
)

// labelRow is a line of a table of labels.
type labelRow struct {
	line        int
	path, class string
	split       Split // "" where the table has none
}

// parseLabelTable reads a table of file names and classes: separated by commas, semicolons or tabs,
// with or without a header; without one it has two columns. A column of splits may be there: of
// names, or fastai's is_valid.
func parseLabelTable(file string, data []byte) ([]labelRow, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma, r.FieldsPerRecord, r.TrimLeadingSpace = separator(data), -1, true
	var rows []labelRow
	name, class, split := 0, 1, -1
	for first := true; ; first = false {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, faultf(ErrData, "%s: %w", file, err)
		}
		line, _ := r.FieldPos(0)
		if first {
			header := false
			if name, class, split, header, err = columns(row); err != nil {
				return nil, fmt.Errorf("%s: line %d: %w", file, line, err)
			}
			if header {
				continue
			}
		}
		if len(row) <= max(name, class, split) {
			return nil, faultf(ErrData, "%s: line %d: %d columns, want %d", file, line, len(row), max(name, class, split)+1)
		}
		l := labelRow{line: line, path: strings.TrimSpace(row[name]), class: strings.TrimSpace(row[class])}
		if l.path == "" || l.class == "" {
			return nil, faultf(ErrData, "%s: line %d: no file name or no class", file, line)
		}
		if split >= 0 {
			if l.split, err = splitCell(row[split]); err != nil {
				return nil, fmt.Errorf("%s: line %d: %w", file, line, err)
			}
		}
		rows = append(rows, l)
	}
	if len(rows) == 0 {
		return nil, faultf(ErrData, "%s: no images in it", file)
	}
	return rows, nil
}

// separator is the one that the first line has most of.
func separator(data []byte) rune {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	best := ','
	for _, c := range ";\t" {
		if bytes.Count(line, []byte(string(c))) > bytes.Count(line, []byte(string(best))) {
			best = c
		}
	}
	return best
}

// columns finds the columns by their headers; header is false where the row is none.
func columns(row []string) (name, class, split int, header bool, err error) {
	find := func(names []string) int {
		for _, n := range names {
			if i := slices.IndexFunc(row, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), n) }); i >= 0 {
				return i
			}
		}
		return -1
	}
	name, class, split = find(pathColumns), find(labelColumns), find(splitColumns)
	switch {
	case name >= 0 && class >= 0 && name != class:
		return name, class, split, true, nil
	case len(row) == 2 && (name == 0 || class == 1):
		return 0, 1, -1, true, nil
	case len(row) == 2:
		return 0, 1, -1, false, nil
	}
	return 0, 0, 0, false, faultf(ErrData, "columns %q: which hold file name and class? Their headers may be %s, and %s", row, strings.Join(pathColumns[:4], ", "), strings.Join(labelColumns[:5], ", "))
}

// splitCell reads a split; is_valid has true for the validation images.
func splitCell(cell string) (Split, error) {
	if s, ok := splitNamed(cell); ok {
		return s, nil
	}
	if valid, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(cell))); err == nil {
		return map[bool]Split{true: Val, false: Train}[valid], nil
	}
	return "", faultf(ErrData, "split %.40q is none of train, val and test", cell)
}

// openLabelled lists the images that a table names; divided says that it names no splits. A name is
// a path from data.dir or from the table's folder, or a file's name, with or without its ending,
// that is there once. Classes that are numbers are in the order of these.
func (p *photoSet) openLabelled(file, dir string) (divided bool, err error) {
	if beside := filepath.Join(dir, file); !filepath.IsAbs(file) && !fileThere(file) && fileThere(beside) {
		file = beside
	}
	data, err := input.Read(file, maxSplitFile)
	if err != nil {
		return false, openFault("folder: data.labels: "+file, err, "has it been moved?")
	}
	rows, err := parseLabelTable(file, data)
	if err != nil {
		return false, fmt.Errorf("folder: data.labels: %w", err)
	}
	finder, err := newImageFinder(dir)
	if err != nil {
		return false, err
	}
	if err := p.labelClasses(dir, rows); err != nil {
		return false, err
	}
	of := make(map[string]int, len(p.names))
	for k, name := range p.names {
		of[norm.NFC.String(name)] = k
	}
	lists, missing, seen := map[Split]*fileList{}, []string{}, map[string]int{}
	for _, row := range rows {
		k, ok := of[norm.NFC.String(row.class)]
		if !ok {
			return false, faultf(ErrData, "folder: %s: line %d: class %q is not in classes.txt", file, row.line, row.class)
		}
		name, err := finder.find(row.path)
		if err != nil {
			return false, faultf(ErrData, "folder: %s: line %d: %w", file, row.line, err)
		}
		if name == "" {
			missing = append(missing, fmt.Sprintf("line %d: %s", row.line, row.path))
			continue
		}
		if before, twice := seen[name]; twice {
			return false, faultf(ErrData, "folder: %s: line %d: %s is on line %d too: an image has one class here", file, row.line, name, before)
		}
		seen[name] = row.line
		s := cmp.Or(row.split, Train)
		if lists[s] == nil {
			lists[s] = &fileList{set: "folder", root: dir}
		}
		lists[s].names, lists[s].labels = append(lists[s].names, name), append(lists[s].labels, int32(k))
	}
	if len(missing) > 0 {
		return false, faultf(ErrMissing, "folder: %s: %d of its %d images are not in %s: %s", file, len(missing), len(rows), dir, listed(missing, len(missing), "; "))
	}
	if n := finder.images - len(seen); n > 0 {
		p.notes = append(p.notes, fmt.Sprintf("left out: %s without a line in %s", text.Count(n, "image"), file))
	}
	return rows[0].split == "", p.takeLabelled(lists)
}

// takeLabelled sorts the images as those of folders are, by class and name. A validation split
// alone is the test split, as a folder's val/ without test/ is.
func (p *photoSet) takeLabelled(lists map[Split]*fileList) error {
	if lists[Test] == nil {
		lists[Test] = lists[Val]
		delete(lists, Val)
	}
	for s, l := range lists {
		if l == nil {
			continue
		}
		order := make([]int, len(l.names))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int {
			return cmp.Or(cmp.Compare(l.labels[a], l.labels[b]), cmp.Compare(l.names[a], l.names[b]))
		})
		sorted := &fileList{set: l.set, root: l.root, part: l.part}
		for _, i := range order {
			sorted.names, sorted.labels = append(sorted.names, l.names[i]), append(sorted.labels, l.labels[i])
		}
		p.splits[s] = sorted
	}
	return nil
}

// labelClasses takes the classes of classes.txt, or those of the table, sorted; numbers by their
// value.
func (p *photoSet) labelClasses(dir string, rows []labelRow) error {
	file := filepath.Join(dir, "classes.txt")
	if contents, err := input.Read(file, maxClassList); err == nil {
		p.names, err = parseClasses(file, contents)
		return err
	} else if !errors.Is(err, fs.ErrNotExist) {
		return openFault("folder: "+file, err, "has it been moved?")
	}
	seen := map[string]bool{}
	numbers := true
	for _, row := range rows {
		key := norm.NFC.String(row.class)
		if !seen[key] {
			seen[key] = true
			p.names = append(p.names, row.class)
		}
		if _, err := strconv.Atoi(row.class); err != nil {
			numbers = false
		}
	}
	slices.SortFunc(p.names, func(a, b string) int {
		if numbers {
			m, _ := strconv.Atoi(a)
			n, _ := strconv.Atoi(b)
			return cmp.Or(cmp.Compare(m, n), cmp.Compare(a, b))
		}
		return cmp.Compare(a, b)
	})
	return nil
}

// imageFinder finds images below a folder by what tables call them.
type imageFinder struct {
	dir string
	// File name, and file name without ending: path from dir; "" where several have it.
	byName map[string]string
	images int
}

func newImageFinder(dir string) (*imageFinder, error) {
	f := &imageFinder{dir: dir, byName: map[string]string{}}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return openFault("folder: "+p, err, "has it been moved?")
		}
		name := d.Name()
		if isRubbish(name) && p != dir {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() || !isImageName(name) {
			return nil
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		f.images++
		for _, key := range []string{name, strings.TrimSuffix(name, filepath.Ext(name))} {
			if _, twice := f.byName[key]; twice {
				f.byName[key] = ""
				continue
			}
			f.byName[key] = filepath.ToSlash(rel)
		}
		return nil
	})
	return f, err
}

// find gives the path from the folder, "" where there is no such image; it fails for a name that
// several images have, or that leads outside.
func (f *imageFinder) find(name string) (string, error) {
	name = filepath.ToSlash(strings.ReplaceAll(name, `\`, "/"))
	if rel, err := filepath.Rel(f.dir, filepath.FromSlash(name)); filepath.IsAbs(filepath.FromSlash(name)) && err == nil {
		name = filepath.ToSlash(rel)
	}
	if clean := path.Clean(name); filepath.IsLocal(filepath.FromSlash(clean)) {
		if st, err := os.Stat(filepath.Join(f.dir, filepath.FromSlash(clean))); err == nil && st.Mode().IsRegular() {
			return clean, nil
		}
	}
	found, ok := f.byName[path.Base(name)]
	if ok && found == "" {
		return "", fmt.Errorf("several images below %s are called %s: give their paths", f.dir, path.Base(name))
	}
	return found, nil
}
