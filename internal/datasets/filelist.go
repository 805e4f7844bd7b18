package datasets

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"resnet/internal/input"
)

// fileList is a split whose images are files: root/part/CLASS/NAME, or root/part/NAME where the
// folder of a class is "".
type fileList struct {
	set        string // the data set, for messages
	root, part string
	folders    []string // by label
	names      []string
	labels     []int32
}

func (l *fileList) count() int      { return len(l.names) }
func (l *fileList) label(i int) int { return int(l.labels[i]) }

func (l *fileList) id(i int) string {
	folder := ""
	if l.folders != nil {
		folder = l.folders[l.labels[i]]
	}
	return path.Join(filepath.ToSlash(l.part), folder, l.names[i])
}

// remove takes out the images at these places, which are sorted.
func (l *fileList) remove(places []int32) {
	kept := without(len(l.names), places)
	for to, from := range kept {
		l.names[to], l.labels[to] = l.names[from], l.labels[from]
	}
	l.names, l.labels = l.names[:len(kept)], l.labels[:len(kept)]
}

func (l *fileList) place(i int) string { return filepath.Join(l.root, filepath.FromSlash(l.id(i))) }

func (l *fileList) size(i int) (int64, error) {
	path := l.place(i)
	st, err := os.Stat(path)
	if err != nil {
		return 0, openFault(l.set+": "+path, err, "has it been moved?")
	}
	return st.Size(), nil
}

func (l *fileList) read(i int, buf []byte) ([]byte, error) {
	data, err := readImageFile(l.place(i), buf)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.set, err)
	}
	return data, nil
}

func (l *fileList) state(i int) (string, error) {
	path := l.place(i)
	s, err := input.StateOfFile(path)
	if err != nil {
		return "", openFault(path, err, "has it been moved?")
	}
	if s.CTime != 0 {
		return fmt.Sprint(s), nil
	}
	// Times can be set back: the contents cannot.
	data, err := readImageFile(path, nil)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sha256.Sum256(data)), nil
}

// readImageFile reads a regular file of bounded size into buf, which grows if it has to.
func readImageFile(path string, buf []byte) ([]byte, error) {
	f, err := input.Open(path)
	if err != nil {
		return nil, openFault(path, err, "has it been moved?")
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if st.Size() > maxImageFile {
		return nil, faultf(ErrData, "%s: %d bytes, and an image file may have %d", path, st.Size(), maxImageFile)
	}
	buf = grow(buf, int(st.Size()))
	if _, err := io.ReadFull(f, buf); err != nil {
		return nil, streamFault(err, "%s", path)
	}
	return buf, nil
}

// subfolders lists the folders in dir, without rubbish.
func subfolders(set, dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", set, err)
	}
	var names []string
	for _, e := range entries {
		if isDir(dir, e) && !isRubbish(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// isDir follows links: ImageNet folders are often links to another disk.
func isDir(dir string, e os.DirEntry) bool {
	if e.Type()&os.ModeSymlink == 0 {
		return e.IsDir()
	}
	return folderThere(filepath.Join(dir, e.Name()))
}

func folderThere(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

func fileThere(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

// isImageName reports whether a file has the name of an image that is read, and is not hidden.
func isImageName(name string) bool {
	return slices.Contains(imageEndings, strings.ToLower(filepath.Ext(name))) && !strings.HasPrefix(path.Base(name), ".")
}

// imageNames lists the images in a folder, sorted by name.
func imageNames(set, dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", set, err)
	}
	var names []string
	for _, e := range entries {
		if isImageName(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// noImages ends the message about a folder in which there is none.
func noImages() string { return "no image (" + strings.Join(imageEndings, " ") + ")" }

// listClasses gathers the images in and below root/part/CLASS, by label and name; out counts what
// is not read. label gives the label of a folder, -1 for one that is no class, or an error. Several
// folders may be of one class.
func listClasses(set, root, part string, classes int, out *leftOut, label func(folder string) (int, error)) (*fileList, error) {
	dir := filepath.Join(root, part)
	found, err := subfolders(set, dir)
	if err != nil {
		return nil, err
	}
	l := &fileList{set: set, root: root, part: part, folders: make([]string, classes)}
	of := make([][]string, classes) // folders by label
	for _, name := range found {
		k, err := label(name)
		if err != nil {
			return nil, err
		}
		if k >= 0 {
			of[k] = append(of[k], name)
		}
	}
	for k, folders := range of {
		if len(folders) == 1 {
			l.folders[k] = folders[0]
		}
		for _, folder := range folders {
			names, err := out.classImages(set, filepath.Join(dir, folder))
			if err != nil {
				return nil, err
			}
			if len(names) == 0 {
				return nil, faultf(ErrMissing, "%s: %s holds %s", set, filepath.Join(dir, folder), noImages())
			}
			for _, name := range names {
				if len(folders) > 1 {
					name = path.Join(folder, name)
				}
				l.names = append(l.names, name)
			}
			l.labels = append(l.labels, slices.Repeat([]int32{int32(k)}, len(names))...)
		}
	}
	return l, nil
}
