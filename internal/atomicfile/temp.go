package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

const (
	// maxBase is how much of a file's name its temporary name repeats: the limit of a name is 255
	// bytes on most file systems.
	maxBase = 100
	// maxHost is how much of the machine's name it tells.
	maxHost = 64
)

// TempName returns a new temporary name in the folder of path for a writer's kind, one or more
// lower-case letters.
func TempName(path, kind string) string {
	return filepath.Join(filepath.Dir(path), fmt.Sprintf("%s%s-%d-%08x", tempPrefix(path, kind), hostName(), os.Getpid(), rand.Uint32()))
}

// tempPrefix begins all temporary names of a file and a kind.
func tempPrefix(path, kind string) string {
	base := filepath.Base(path)
	base = strings.ToValidUTF8(base[:min(len(base), maxBase)], "")
	return fmt.Sprintf(".%s.tmp-%s-", base, kind)
}

// The machine is not in names of former versions.
var tempPattern = regexp.MustCompile(`^\..*\.tmp-([a-z]+)-(?:([A-Za-z0-9._-]+)-)?(\d+)-[0-9a-f]{8}$`)

// IsTemp reports whether a file's name without the folder is one that TempName makes for the kind.
func IsTemp(name, kind string) bool {
	match := tempPattern.FindStringSubmatch(name)
	return match != nil && match[1] == kind
}

// sweepAbandoned removes what dead processes of the kind have left of the file that path leads to.
// What cannot be removed stays: that is no reason not to write.
func sweepAbandoned(fsys FS, path, kind string) {
	names, err := fsys.ReadDir(filepath.Dir(path))
	if err != nil {
		return
	}
	prefix := tempPrefix(path, kind)
	for _, name := range names {
		match := tempPattern.FindStringSubmatch(name)
		if match == nil || !strings.HasPrefix(name, prefix) {
			continue
		}
		if pid, err := strconv.Atoi(match[3]); err == nil {
			fsys.RemoveAbandoned(filepath.Join(filepath.Dir(path), name), Owner{Host: match[2], PID: pid})
		}
	}
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
