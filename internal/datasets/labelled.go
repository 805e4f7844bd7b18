package datasets

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"resnet/internal/input"
	"resnet/internal/text"
)

// Headers of the columns of a table of labels, as people name them.
var (
	pathColumns  = []string{"path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "image_name", "image_id", "imageid", "image_file", "img", "img_id", "img_path", "img_name", "photo", "id_code", "name", "fname", "id"}
	labelColumns = []string{"label", "labels", "class", "class_name", "classname", "category", "target", "breed", "species", "diagnosis", "dx", "cell_type", "label_name", "category_name", "class_id", "label_id", "y", "tag", "tags"}
	splitColumns = []string{"split", "set", "subset", "is_valid"}
)

// labelRow is a line of a table of labels.
type labelRow struct {
	line        int
	path, class string
	split       Split // "" where the table has none
	// first says that nothing before it was taken for headers.
	first bool
}

// parseLabelTable reads a table of file names and classes: separated by commas, semicolons, tabs,
// bars or spaces, with or without a header; without one it has two columns. A column of splits may
// be there: of names, or fastai's is_valid. Instead of a column of classes there may be one for
// each class, of zeros and a single one.
func parseLabelTable(file string, data []byte) ([]labelRow, error) {
	data, comma, err := plainTable(file, data)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma, r.FieldsPerRecord, r.TrimLeadingSpace = comma, -1, true
	var rows []labelRow
	var c tableColumns
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
			if c, header, err = columns(row); err != nil {
				return nil, fmt.Errorf("%s: line %d: %w", file, line, err)
			}
			if header {
				continue
			}
		}
		l, err := c.row(row)
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", file, line, err)
		}
		l.line, l.first = line, first
		rows = append(rows, l)
	}
	if len(rows) == 0 {
		return nil, faultf(ErrData, "%s: no images in it", file)
	}
	return rows, nil
}

// plainTable is the text of a table in UTF-8, with line feeds, and the character between its
// columns. What Windows' programs write is turned into that: UTF-16, a byte-order mark, a first
// line sep=; and, once, Macs', carriage returns alone.
func plainTable(file string, data []byte) ([]byte, rune, error) {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	}
	if order != nil {
		units := make([]uint16, len(data)/2-1)
		for i := range units {
			units[i] = order.Uint16(data[2+2*i:])
		}
		data = []byte(string(utf16.Decode(units)))
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !bytes.Contains(data, []byte("\n")) {
		data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
	}
	n := 0
	for line := range bytes.Lines(data) {
		if n++; !utf8.Valid(line) {
			return nil, 0, faultf(ErrData, "%s: line %d is not UTF-8: save the table as UTF-8 (iconv -f WINDOWS-1252 -t UTF-8)", file, n)
		}
	}
	if first := bytes.TrimLeft(data, " \t\r\n"); len(first) > 0 && (first[0] == '{' || first[0] == '[') {
		return nil, 0, faultf(ErrData, "%s: it is JSON, and a table is wanted: make one in Python, pandas.read_json(FILE).to_csv(\"labels.csv\", index=False), with lines=True for an object a line", file)
	}
	if m := excelSeparator.FindSubmatch(data); m != nil {
		// The line still counts.
		return append([]byte("\n"), data[len(m[0]):]...), rune(m[1][0]), nil
	}
	return data, separator(data), nil
}

// excelSeparator is a first line by which Excel is told the character between columns.
var excelSeparator = regexp.MustCompile("^(?i:sep)=([,;|\t])\r?\n")

// separator is the one that the first line has most of; spaces, where it has no other.
func separator(data []byte) rune {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	best, most := ',', bytes.Count(line, []byte(","))
	for _, c := range ";\t|" {
		if n := bytes.Count(line, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	if most == 0 && len(bytes.Fields(line)) > 1 {
		return ' '
	}
	return best
}

// tableColumns are where a table has what; -1 is nowhere.
type tableColumns struct {
	width              int // columns that a line has at least
	name, class, split int
	oneHot             []string // without class: names of classes by column, "" of other columns
}

// row reads a line.
func (c tableColumns) row(row []string) (l labelRow, err error) {
	if len(row) < c.width {
		return l, faultf(ErrData, "%d columns, want %d", len(row), c.width)
	}
	l.path = strings.TrimSpace(row[c.name])
	if c.class >= 0 {
		l.class = strings.TrimSpace(row[c.class])
	} else if l.class, err = c.hot(row); err != nil {
		return l, err
	}
	if l.path == "" || l.class == "" {
		return l, faultf(ErrData, "no file name or no class")
	}
	if c.split >= 0 {
		l.split, err = splitCell(row[c.split])
	}
	return l, err
}

// hot is the class whose column has a one.
func (c tableColumns) hot(row []string) (string, error) {
	class, ones := "", 0
	for i, name := range c.oneHot {
		if name == "" {
			continue
		}
		switch x, err := strconv.ParseFloat(strings.TrimSpace(row[i]), 64); {
		case err == nil && x == 1:
			class = name
			ones++
		case err != nil || x != 0:
			return "", faultf(ErrData, "%.40q in column %q, and columns of classes hold 0 and 1: name the column of classes %s", row[i], name, labelColumns[0])
		}
	}
	if ones != 1 {
		return "", faultf(ErrData, "it is of %d classes: an image has one class here", ones)
	}
	return class, nil
}

// columns finds the columns by their headers; header is false where the row is none.
func columns(row []string) (c tableColumns, header bool, err error) {
	find := func(names []string) int {
		for _, n := range names {
			if i := slices.IndexFunc(row, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), n) }); i >= 0 {
				return i
			}
		}
		return -1
	}
	c = tableColumns{name: find(pathColumns), class: find(labelColumns), split: find(splitColumns)}
	switch {
	case c.name >= 0 && c.class >= 0 && c.name != c.class:
		c.width = max(c.name, c.class, c.split) + 1
		return c, true, nil
	case len(row) == 2:
		return tableColumns{width: 2, name: 0, class: 1, split: -1}, c.name == 0 || c.class == 1, nil
	case c.name >= 0 && len(row) > 2:
		c.width, c.class, c.oneHot = len(row), -1, make([]string, len(row))
		for i, h := range row {
			// A column without a header counts the lines.
			if h = strings.TrimSpace(h); i != c.name && i != c.split && h != "" {
				c.oneHot[i] = h
			}
		}
		return c, true, nil
	}
	return c, false, faultf(ErrData, "columns %q: which hold file name and class? Their headers may be %s, and %s", row, strings.Join(pathColumns[:4], ", "), strings.Join(labelColumns[:5], ", "))
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
	missing, seen := []string{}, map[string]int{}
	var found []labelRow
	headers := "" // that have none of the usual names
	for _, row := range rows {
		name, err := finder.find(row.path)
		if err != nil {
			return false, faultf(ErrData, "folder: %s: line %d: %w", file, row.line, err)
		}
		if name == "" {
			if row.first && !slices.ContainsFunc(rows[1:], func(r labelRow) bool { return r.class == row.class }) {
				headers = row.path
				continue
			}
			missing = append(missing, fmt.Sprintf("line %d: %s%s", row.line, row.path, finder.near(row.path)))
			continue
		}
		if before, twice := seen[name]; twice {
			return false, faultf(ErrData, "folder: %s: line %d: %s is on line %d too: an image has one class here", file, row.line, name, before)
		}
		seen[name] = row.line
		row.path = name
		found = append(found, row)
	}
	if headers != "" && len(found) == 0 {
		missing = append(missing, "line 1: "+headers)
	} else if headers != "" {
		p.notes = append(p.notes, fmt.Sprintf("the first line of %s is taken for headers: no image is called %.40q", file, headers))
	}
	if len(missing) > 0 {
		return false, faultf(ErrMissing, "folder: %s: %d of its %d images are not in %s: %s", file, len(missing), len(rows), dir, listed(missing, len(missing), "; "))
	}
	if n := len(finder.paths) - len(seen); n > 0 {
		p.notes = append(p.notes, fmt.Sprintf("left out: %s without a line in %s", text.Count(n, "image"), file))
	}
	return p.takeRows(dir, file, found)
}

// takeRows takes images below dir with their classes, and says whether they have no splits. from
// is what says them, for messages.
func (p *photoSet) takeRows(dir, from string, rows []labelRow) (divided bool, err error) {
	if err := p.labelClasses(dir, rows); err != nil {
		return false, err
	}
	of := make(map[string]int, len(p.names))
	for k, name := range p.names {
		of[norm.NFC.String(name)] = k
	}
	lists := map[Split]*fileList{}
	for _, row := range rows {
		k, ok := of[norm.NFC.String(row.class)]
		if !ok {
			return false, faultf(ErrData, "folder: %s: %s: class %q is not in classes.txt", from, row.path, row.class)
		}
		s := cmp.Or(row.split, Train)
		if lists[s] == nil {
			lists[s] = &fileList{set: "folder", root: dir}
		}
		lists[s].names, lists[s].labels = append(lists[s].names, row.path), append(lists[s].labels, int32(k))
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
	paths  []string // of all images, in the order of the walk, which is sorted
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
		f.paths = append(f.paths, filepath.ToSlash(rel))
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

// near says which image has the name that a table gives with another ending, or "".
func (f *imageFinder) near(name string) string {
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	if found := f.byName[strings.TrimSuffix(base, path.Ext(base))]; found != "" {
		return " (there is " + found + ")"
	}
	return ""
}
