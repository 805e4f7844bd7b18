package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// maxBase is how much of a file's name its temporary name repeats: the limit of a name is 255 bytes
// on most file systems.
const maxBase = 100

// TempName returns a new temporary name in the folder of path for a writer's kind, one or more
// lower-case letters.
func TempName(path, kind string) string {
	base := filepath.Base(path)
	base = strings.ToValidUTF8(base[:min(len(base), maxBase)], "")
	return filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.tmp-%s-%d-%08x", base, kind, os.Getpid(), rand.Uint32()))
}

var tempPattern = regexp.MustCompile(`^\..*\.tmp-([a-z]+)-\d+-[0-9a-f]{8}$`)

// IsTemp reports whether a file's name without the folder is one that TempName makes for the kind.
func IsTemp(name, kind string) bool {
	match := tempPattern.FindStringSubmatch(name)
	return match != nil && match[1] == kind
}

// Sweep removes the temporary files of a kind from a folder and returns their names. The caller
// knows that no other process writes files of this kind there. A folder that is not there is empty.
func Sweep(fsys FS, dir, kind string) (removed []string, err error) {
	names, err := fsys.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, Error(err)
	}
	for _, name := range names {
		if !IsTemp(name, kind) {
			continue
		}
		if e := fsys.Remove(filepath.Join(dir, name)); e != nil {
			err = errors.Join(err, Error(e))
			continue
		}
		removed = append(removed, name)
	}
	return removed, err
}
