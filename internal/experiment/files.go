package experiment

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"resnet/internal/datasets"
	"resnet/internal/datasets/fault"
	"resnet/internal/input"
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

// openFile opens a file that the user names. what is its kind, for the message.
func openFile(path, what string) (*os.File, error) {
	f, err := input.Open(path)
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, missingf("%s: no such %s", path, what)
	case errors.Is(err, input.ErrNotRegular):
		return nil, fault.Opening(path, err, "")
	}
	return nil, &IOError{err}
}

// badFileError is bad data whose message needs no "bad data" in it.
type badFileError struct{ error }

func (e *badFileError) Is(target error) bool { return target == datasets.ErrData }
