package experiment

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"resnet/internal/datasets"
	"resnet/internal/text"
)

// filesOf are the files that arguments name. A folder stands for those in it and below it with one
// of the endings, sorted; of those, a name that begins with a point is left out. A folder without
// any is an error.
func filesOf(endings, args []string) ([]string, error) {
	var paths []string
	for _, arg := range args {
		if st, err := os.Stat(arg); err != nil || !st.IsDir() {
			paths = append(paths, arg)
			continue
		}
		before := len(paths)
		err := filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if hidden := strings.HasPrefix(d.Name(), ".") && path != arg; hidden && d.IsDir() {
				return fs.SkipDir
			} else if !hidden && !d.IsDir() && slices.Contains(endings, strings.ToLower(filepath.Ext(path))) {
				paths = append(paths, path)
			}
			return nil
		})
		if err != nil {
			return nil, &IOError{err}
		}
		if len(paths) == before {
			last := len(endings) - 1
			return nil, missingf("%s: no %s or %s in this folder", text.Printable(arg), strings.Join(endings[:last], ", "), endings[last])
		}
	}
	return paths, nil
}

// regularFile refuses what is no file to read whole: a pipe would wait for its writer. what is the
// kind of file for the message.
func regularFile(path, what string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missingf("%s: no such %s", path, what)
	case err != nil:
		return &IOError{err}
	case !info.Mode().IsRegular():
		return &badFileError{fmt.Errorf("%s: not a regular file", path)}
	}
	return nil
}

// badFileError is bad data whose message needs no "bad data" in it.
type badFileError struct{ error }

func (e *badFileError) Is(target error) bool { return target == datasets.ErrData }
