package datasets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"golang.org/x/text/unicode/norm"

	"resnet/internal/input"
	"resnet/internal/text"
)

// imageSize is the side of the images when Config.Size is 0: the paper's ImageNet input.
const imageSize = 224

// wholeShorter is the shorter side before the central crop of a folder's image: the crop's own.
func wholeShorter(size int) int { return size }

// openFolder opens image files, sorted by class:
//
//	DIR/train/CLASS/…    training; also training/, in any case
//	DIR/test/CLASS/…     test; also testing/
//	DIR/val/CLASS/…      validation beside test/, else test; also valid/, validation/, dev/
//	DIR/CLASS/…          without any of these: the images are divided, see divide
//	DIR/classes.txt      optional: class folders in label order, as for ClassList
//
// or those that a table names (see openLabelled), or Tiny ImageNet as it is distributed. Images may
// be in folders below that of their class. Without classes.txt the labels follow the sorted names
// of the class folders. Other files are left out, and counted in a note; names that start with a
// point, and what systems leave in folders, are passed over. Images are decoded when they are asked
// for; their headers are checked here.
func openFolder(ctx context.Context, c Config) (source, error) {
	f, err := listFolder(c)
	if err != nil {
		return nil, err
	}
	if err := checkHeaders(ctx, f.photoSet, c); err != nil {
		return nil, err
	}
	if !f.divided && c.Split != "" {
		return nil, faultf(ErrConfig, "folder: data.split is for images without train/ and test/, and %s has these", f.dir)
	}
	if f.divided {
		if err := f.divide(c, f.dir); err != nil {
			return nil, err
		}
	}
	f.noteClasses()
	return f.photoSet, f.trainOn(c, f.dir)
}

// listedFolder is a folder whose images have not been looked at.
type listedFolder struct {
	*photoSet
	dir     string
	divided bool // they have no splits, and are all under Train
}

func listFolder(c Config) (listedFolder, error) {
	f := listedFolder{}
	if c.Dir == "" {
		return f, faultf(ErrConfig, "folder: set data.dir to the folder that holds train/CLASS/*.png and test/CLASS/*.png")
	}
	var err error
	if f.dir, err = resolveDir(c.Name, c.Dir); err != nil {
		return f, err
	}
	if f.photoSet, err = newPhotoSet(c, nil); err != nil {
		return f, err
	}
	var out leftOut
	switch {
	case c.Labels != "":
		f.divided, err = f.openLabelled(c.Labels, f.dir)
	case c.LabelPattern != "":
		f.divided, err = f.openNamed(c.LabelPattern, f.dir)
	default:
		f.divided, err = f.openClasses(f.dir, &out)
	}
	if note := out.note(); note != "" {
		f.notes = append(f.notes, note)
	}
	if err != nil || c.Test == AllTest { // of which a measurement knows the classes
		return f, err
	}
	if f.divided && c.Labels == "" && c.LabelPattern == "" {
		if why := f.misplaced(f.dir); why != "" {
			return f, faultf(ErrMissing, "folder: %s: %s", f.dir, why)
		}
	}
	f.noteLayout()
	return f, nil
}

// openClasses lists the images of class folders; divided says that they have no splits and are all
// under Train.
func (p *photoSet) openClasses(dir string, out *leftOut) (divided bool, err error) {
	parts, err := folderParts(dir, out)
	if err != nil {
		return false, err
	}
	if divided = len(parts) == 0; divided {
		parts[Train] = ""
	}
	tiny := tinyImageNet(dir, parts)
	if tiny {
		delete(parts, Val)
		if parts[Test] != "val" {
			out.folders = append(out.folders, parts[Test])
		}
		delete(parts, Test)
	}
	if p.names, err = folderClasses(dir, parts, divided); err != nil {
		return false, err
	}
	var none []string // what is beside class folders and holds other files alone
	if divided {
		p.names = slices.DeleteFunc(p.names, func(name string) bool {
			var other leftOut
			place := filepath.Join(dir, name)
			if _, ok := out.listed[place]; ok {
				return false // folderParts has found images in it
			}
			images, err := other.classImages("folder", place)
			if err != nil {
				return false // listing it again reports that
			}
			if len(images) > 0 || len(other.endings) == 0 {
				out.keep(place, images, other.endings)
				return false
			}
			none = append(none, name)
			return true
		})
		out.folders = append(out.folders, none...)
	}
	for _, s := range []Split{Train, Val, Test} {
		part, ok := parts[s]
		if !ok {
			continue
		}
		list, err := p.listPart(dir, part, none, out)
		if err != nil {
			return false, err
		}
		p.splits[s] = list
	}
	if tiny {
		return false, p.tinyVal(dir)
	}
	return divided, nil
}

// listPart lists the classes of a folder but for some. Names that differ in their Unicode form
// alone, as a file system of Apple's and one of Linux' have them, are one class.
func (p *photoSet) listPart(dir, part string, but []string, out *leftOut) (*fileList, error) {
	of := make(map[string]int, len(p.names))
	for k, name := range p.names {
		of[norm.NFC.String(name)] = k
	}
	place := filepath.Join(dir, part)
	var unknown []string
	list, err := listClasses("folder", dir, part, len(p.names), out, func(folder string) (int, error) {
		k, ok := of[norm.NFC.String(folder)]
		if slices.Contains(but, folder) {
			return -1, nil
		}
		if !ok {
			unknown = append(unknown, folder)
		}
		return k, nil
	})
	if len(unknown) > 0 {
		return nil, faultf(ErrData, "folder: %s: %s not one of the training set's%s", place, areNot(unknown), meant(unknown[0], p.names))
	}
	if err != nil {
		return nil, err
	}
	loose, err := imageNames("folder", place)
	for _, name := range loose {
		out.file(name)
	}
	return list, err
}

// meant suggests a class for a name that is long enough to be a misspelling.
func meant(name string, classes []string) string {
	if len(name) < 3 {
		return ""
	}
	return text.DidYouMean(name, classes)
}

// areNot is `class "a" is` or `classes "a", "b" are`.
func areNot(names []string) string {
	var quoted []string
	for _, n := range names {
		quoted = append(quoted, fmt.Sprintf("%q", n))
	}
	if len(names) == 1 {
		return "class " + quoted[0] + " is"
	}
	return "classes " + listed(quoted, len(quoted), ", ") + " are"
}

// noteClasses says which classes a split has no images of.
func (p *photoSet) noteClasses() {
	for _, s := range []Split{Train, Val, Test} {
		n, at := p.count(s), func(i int) int { return i }
		if p.parts != nil {
			list := p.parts[s]
			n, at = len(list), func(i int) int { return int(list[i]) }
		}
		from := s
		if p.parts != nil {
			from = Train
		}
		if n == 0 {
			continue
		}
		have := make([]bool, len(p.names))
		for i := range n {
			have[p.label(from, at(i))] = true
		}
		var missing []string
		for k, ok := range have {
			if !ok {
				missing = append(missing, p.names[k])
			}
		}
		if len(missing) > 0 {
			p.notes = append(p.notes, fmt.Sprintf("the %s images are of %d of the %d classes; without any: %s", map[Split]string{Train: "training", Val: "validation", Test: "test"}[s],
				len(have)-len(missing), len(have), listed(missing, len(missing), ", ")))
		}
	}
}

// folderParts maps each split to its folder's name; none where there are class folders alone. What
// is beside the splits is left out.
func folderParts(dir string, out *leftOut) (map[Split]string, error) {
	found, err := subfolders("folder", dir)
	if err != nil {
		return nil, err
	}
	named := map[Split]string{}
	var others []string
	for _, f := range found {
		s, ok := splitNamed(f)
		switch {
		case !ok:
			others = append(others, f)
		case named[s] == "" || f == string(s):
			if named[s] != "" {
				others = append(others, named[s])
			}
			named[s] = f
		default:
			others = append(others, f)
		}
	}
	parts := map[Split]string{}
	if len(named) == 0 {
		loose, err := imageNames("folder", dir)
		if err != nil {
			return nil, err
		}
		for _, name := range loose {
			out.file(name)
		}
		if !slices.ContainsFunc(others, func(f string) bool { return out.holdsImages(filepath.Join(dir, f)) }) {
			return nil, faultf(ErrMissing, "folder: %s holds no train/, val/ or test/ with a folder for each class in it, and no class folders%s", dir, recognise(len(loose), dir))
		}
		return parts, nil
	}
	for s, f := range named {
		parts[s] = f
	}
	if _, ok := named[Test]; !ok && named[Val] != "" {
		parts[Test] = parts[Val]
		delete(parts, Val)
	}
	out.folders = append(out.folders, others...)
	return parts, nil
}

// maxClassList is far above the size of a list of classes, in bytes.
const maxClassList = 16 << 20

// folderClasses reads classes.txt, or takes the class folders of train/, or else of all parts.
// Folders of one name in two Unicode forms are one class.
func folderClasses(dir string, parts map[Split]string, divided bool) ([]string, error) {
	path := filepath.Join(dir, "classes.txt")
	contents, err := input.Read(path, maxClassList)
	switch {
	case err == nil:
		return parseClasses(path, contents)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, openFault("folder: "+path, err, "has it been moved?")
	}
	wanted := parts
	if train, ok := parts[Train]; ok {
		wanted = map[Split]string{Train: train}
	}
	var names []string
	for _, part := range wanted {
		found, err := subfolders("folder", filepath.Join(dir, part))
		if err != nil {
			return nil, err
		}
		names = append(names, found...)
	}
	slices.Sort(names)
	seen := map[string]bool{}
	names = slices.DeleteFunc(names, func(name string) bool {
		before := seen[norm.NFC.String(name)]
		seen[norm.NFC.String(name)] = true
		return before
	})
	if len(names) == 0 {
		place, loose := filepath.Join(dir, wanted[Train]), 0
		if found, err := imageNames("folder", place); err == nil {
			loose = len(found)
		}
		return nil, faultf(ErrMissing, "folder: %s holds no class folders%s", place, recognise(loose, place, dir))
	}
	return names, nil
}

// parseClasses reads the text of classes.txt: ClassList without empty and repeated names.
func parseClasses(path string, text []byte) ([]string, error) {
	names := ClassList(string(text))
	seen := make(map[string]bool, len(names))
	for i, name := range names {
		if name == "" || seen[name] {
			return nil, faultf(ErrData, "folder: %s: line %d: class %q is empty or repeated", path, i+1, name)
		}
		seen[name] = true
	}
	return names, nil
}

// trainOn makes the test images the training images as well, where the configuration asks for it.
func (p *photoSet) trainOn(c Config, dir string) error {
	if c.TrainOn != TrainOnTest {
		return nil
	}
	if p.count(Train) > 0 {
		return faultf(ErrConfig, "%s: data.train_on is %s, and %s has training images of its own", c.Name, c.TrainOn, dir)
	}
	p.splits[Train] = p.split(Test)
	p.notes = append(p.notes, "the training images are the test images: the errors are those of a smoke test")
	return nil
}

// checkHeaders reads every file's header, several at a time. The first bad one in the order of the
// splits is the error, which counts the others; training images that data.on_corrupt skips are left
// out of the set and named.
func checkHeaders(ctx context.Context, p *photoSet, c Config) error {
	var first error
	bad := 0
	for _, s := range []Split{Train, Val, Test} {
		list := p.split(s)
		errs := make([]error, list.count())
		parallel(len(errs), func() func(i int) {
			return func(i int) {
				if ctx.Err() == nil {
					errs[i] = checkHeader(list.place(i))
				}
			}
		})
		if err := ctx.Err(); err != nil {
			return err
		}
		var skipped []int32
		for i, err := range errs {
			switch {
			case err == nil:
			case s == Train && c.OnCorrupt == CorruptSkip && errors.Is(err, ErrData):
				skipped = append(skipped, int32(i))
			default:
				if bad++; first == nil {
					first = err
				}
			}
		}
		if len(skipped) > 0 {
			if err := p.leaveOut(skipped, errs); err != nil {
				return err
			}
		}
	}
	if bad > 1 {
		return fmt.Errorf("%w; %d more of its files cannot be used: `resnet data verify folder --dir %s` lists them", first, bad-1, c.Dir)
	}
	return first
}

// leaveOut takes training images whose headers are bad out of the set.
func (p *photoSet) leaveOut(bad []int32, errs []error) error {
	n := len(errs)
	if most := maxCorrupt(n); len(bad) > most {
		return faultf(ErrData, "%s: %d of %d training images cannot be read, and data.on_corrupt skips 0.1 %% at most, %d of them; the first: %w", p.name, len(bad), n, most, errs[bad[0]])
	}
	for k, i := range bad {
		if k == maxListed {
			p.notes = append(p.notes, fmt.Sprintf("and %d more are left out", len(bad)-k))
			break
		}
		p.notes = append(p.notes, fmt.Sprintf("left out, as data.on_corrupt says: %v", errs[i]))
	}
	p.leftOut = len(bad)
	p.splits[Train].(*fileList).remove(bad)
	return nil
}

func checkHeader(path string) error {
	file, err := input.Open(path)
	if err != nil {
		return openFault("folder: "+path, err, "a link that leads nowhere?")
	}
	defer file.Close()
	if err := checkImage(file); err != nil {
		return fmt.Errorf("folder: %s: %w", path, err)
	}
	return nil
}
