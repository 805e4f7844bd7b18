package atomicfiletest

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Call is a system call that changes files or makes changes durable, and that succeeded.
type Call struct {
	Name string // write, truncate, fsync, rename, link, unlink or mkdir
	Path string // absolute, of what the call works on
	To   string // of a rename or a link: the new name
}

// of reports whether the call changes the contents of a file.
func (c Call) of(path string) bool {
	return (c.Name == "write" || c.Name == "truncate") && c.Path == path
}

// synced reports whether one of the calls makes path durable.
func synced(calls []Call, path string) bool {
	return slices.ContainsFunc(calls, func(c Call) bool { return c.Name == "fsync" && c.Path == path })
}

// RequireDurable holds the calls of a program to the order that a power failure demands: every file
// that gets a name below dir has its contents on the disk before, and its folder is synced before
// the next file gets a name; a folder that was made, and stays, is synced in the one above it. It
// returns the names of the files below dir, in the order in which they came to be.
func RequireDurable(t *testing.T, calls []Call, dir string) []string {
	t.Helper()
	var names []string
	below := func(path string) bool { return strings.HasPrefix(path, dir+string(filepath.Separator)) }
	for i, c := range calls {
		if c.Name == "mkdir" && below(c.Path) && !slices.Contains(calls[i:], Call{Name: "unlink", Path: c.Path}) && !synced(calls[i:], filepath.Dir(c.Path)) {
			t.Errorf("the new folder %s was not synced in the one above it", c.Path)
		}
		if c.Name != "rename" && c.Name != "link" || !below(c.To) {
			continue
		}
		name, _ := filepath.Rel(dir, c.To)
		names = append(names, name)
		written := 0 // an empty file is synced all the same
		for j, w := range calls[:i] {
			if w.of(c.Path) {
				written = j
			}
		}
		if !synced(calls[written:i], c.Path) {
			t.Errorf("%s got its name before its contents were synced", name)
		}
		rest := calls[i+1:]
		if next := slices.IndexFunc(rest, func(c Call) bool { return c.Name == "rename" || c.Name == "link" }); next >= 0 {
			rest = rest[:next]
		}
		if !synced(rest, filepath.Dir(c.To)) {
			t.Errorf("%s: its folder was not synced after it got its name", name)
		}
	}
	return names
}
