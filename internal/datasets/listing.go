package datasets

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"resnet/internal/text"
)

// leftOut counts what a reader of folders does not read, so that nothing is lost without a word.
type leftOut struct {
	endings map[string]int // files by the ending of their names
	folders []string       // relative to the data set's
	listed  map[string]listedClass
}

// listedClass is what classImages has found in a class folder.
type listedClass struct {
	images  []string
	endings map[string]int // of other files
}

// keep holds what was found in a class folder for classImages, which takes it instead of looking
// there again.
func (l *leftOut) keep(dir string, images []string, endings map[string]int) {
	if l.listed == nil {
		l.listed = map[string]listedClass{}
	}
	l.listed[dir] = listedClass{images, endings}
}

func (l *leftOut) file(name string) {
	ending := strings.ToLower(filepath.Ext(name))
	if isImageName(name) {
		ending += " outside of the class folders"
	}
	l.count(cmp.Or(ending, "without an ending"), 1)
}

func (l *leftOut) count(ending string, n int) {
	if l.endings == nil {
		l.endings = map[string]int{}
	}
	l.endings[ending] += n
}

// holdsImages reports whether a folder has an image in or below it, and keeps what it finds.
func (l *leftOut) holdsImages(dir string) bool {
	var other leftOut
	images, err := other.classImages("folder", dir)
	if err == nil && len(images) > 0 {
		l.keep(dir, images, other.endings)
	}
	return err != nil || len(images) > 0 // listing them reports what cannot be read
}

// maxListed is how many folders, classes or files a note names.
const maxListed = 5

// note is a sentence without a full stop, "" where nothing was left out.
func (l *leftOut) note() string {
	var parts []string
	total := 0
	for _, e := range slices.SortedFunc(maps.Keys(l.endings), func(a, b string) int { return cmp.Or(l.endings[b]-l.endings[a], cmp.Compare(a, b)) }) {
		parts, total = append(parts, fmt.Sprintf("%s %d", e, l.endings[e])), total+l.endings[e]
	}
	var out []string
	if total > 0 {
		out = append(out, fmt.Sprintf("%s: %s", text.Count(total, "file"), listed(parts, len(parts), ", ")))
	}
	if len(l.folders) > 0 {
		slices.Sort(l.folders)
		var names []string
		for _, f := range l.folders {
			names = append(names, f+"/")
		}
		out = append(out, listed(names, len(names), ", "))
	}
	if out == nil {
		return ""
	}
	return "left out: " + strings.Join(out, "; ")
}

// listed joins the first few of n names.
func listed(names []string, n int, sep string) string {
	if len(names) <= maxListed {
		return strings.Join(names, sep)
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], sep), n-maxListed)
}

// isRubbish reports whether a file or folder is what systems and programs leave in folders: it is
// passed over without a word.
func isRubbish(name string) bool {
	switch strings.ToLower(name) {
	case "thumbs.db", "desktop.ini", "__macosx", "@eadir", "lost+found", "$recycle.bin", "system volume information", "__pycache__":
		return true
	}
	return strings.HasPrefix(name, ".")
}

// maxDepth bounds folders within the folder of a class: links may lead in a circle.
const maxDepth = 16

// classImages lists the images in and below a class folder, as torchvision does: folder by folder,
// sorted, links followed. Names are relative to the folder, with slashes.
func (l *leftOut) classImages(set, dir string) ([]string, error) {
	if c, ok := l.listed[dir]; ok {
		delete(l.listed, dir)
		for ending, n := range c.endings {
			l.count(ending, n)
		}
		return c.images, nil
	}
	type folder struct {
		name string // relative to dir
		in   []string
	}
	var folders []folder
	var walk func(rel string, depth int) error
	walk = func(rel string, depth int) error {
		if depth > maxDepth {
			return faultf(ErrData, "%s: %s: folders within folders more than %d deep: does a link lead back?", set, filepath.Join(dir, filepath.FromSlash(rel)), maxDepth)
		}
		here := filepath.Join(dir, filepath.FromSlash(rel))
		entries, err := os.ReadDir(here)
		if err != nil {
			return fmt.Errorf("%s: %w", set, err)
		}
		f := folder{name: rel}
		var below []string
		for _, e := range entries {
			switch name := e.Name(); {
			case isRubbish(name):
			case isImageName(name) && !isDir(here, e):
				f.in = append(f.in, path.Join(rel, name))
			case isDir(here, e):
				below = append(below, path.Join(rel, name))
			default:
				l.file(name)
			}
		}
		folders = append(folders, f)
		for _, b := range below {
			if err := walk(b, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk("", 0); err != nil {
		return nil, err
	}
	slices.SortFunc(folders, func(a, b folder) int { return cmp.Compare(a.name, b.name) })
	var names []string
	for _, f := range folders {
		names = append(names, f.in...)
	}
	return names, nil
}
