package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// What a file in a folder has to end in to be taken for an image or a recording.
var (
	imageEndings     = []string{".png", ".jpg", ".jpeg"}
	recordingEndings = []string{".wav", ".flac"}
)

// filesOf are the files that arguments name; a folder stands for those in it and below it with one
// of the endings, sorted. Of those, a name that begins with a point is left out. A folder without
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
			return nil, &ioError{err}
		}
		if len(paths) == before {
			last := len(endings) - 1
			return nil, &missingError{fmt.Errorf("%s: no %s or %s in this folder", arg, strings.Join(endings[:last], ", "), endings[last])}
		}
	}
	return paths, nil
}
