package checkpoint

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// memFS is a file system in memory that knows what is durable: the content of a file when it was
// last synced, the names of a folder when it was last synced. Before each operation it calls op,
// which may return an error, or panic to kill the process there.
type memFS struct {
	names   map[string]*memFile   // what processes see
	durable map[string]*memFile   // what a power failure leaves
	pending []map[string]*memFile // operations on names since the folder was synced: path to file, nil for removed
	dirs    map[string]bool
	op      func(kind, path string) error
	log     []string
	free    uint64
	known   bool
}

type memFile struct {
	data   []byte
	synced []byte // nil until the first sync
}

func newMemFS() *memFS {
	return &memFS{names: map[string]*memFile{}, durable: map[string]*memFile{}, dirs: map[string]bool{}}
}

func (m *memFS) do(kind, path string) error {
	m.log = append(m.log, kind+" "+path)
	if m.op != nil {
		return m.op(kind, path)
	}
	return nil
}

func pathError(kind, path string, err error) error {
	return &fs.PathError{Op: kind, Path: path, Err: err}
}

func (m *memFS) MkdirAll(dir string, _ fs.FileMode) error {
	if err := m.do("mkdir", dir); err != nil {
		return pathError("mkdir", dir, err)
	}
	for d := dir; d != filepath.Dir(d); d = filepath.Dir(d) {
		m.dirs[d] = true
	}
	return nil
}

func (m *memFS) Create(path string, _ fs.FileMode) (File, error) {
	return m.openWrite("create", path, true)
}

func (m *memFS) Append(path string, _ fs.FileMode) (File, error) {
	return m.openWrite("append", path, false)
}

func (m *memFS) openWrite(kind, path string, truncate bool) (File, error) {
	if err := m.do(kind, path); err != nil {
		return nil, pathError(kind, path, err)
	}
	if !m.dirs[filepath.Dir(path)] {
		return nil, pathError(kind, path, fs.ErrNotExist)
	}
	f := m.names[path]
	if f == nil {
		f = &memFile{}
		m.change(map[string]*memFile{path: f})
	}
	if truncate {
		f.data = nil
	}
	return &memWriter{m: m, f: f, path: path}, nil
}

func (m *memFS) Open(path string) (ReadFile, error) {
	if err := m.do("open", path); err != nil {
		return nil, pathError("open", path, err)
	}
	f := m.names[path]
	if f == nil {
		return nil, pathError("open", path, fs.ErrNotExist)
	}
	return &memReader{bytes.NewReader(slices.Clone(f.data))}, nil
}

func (m *memFS) ReadDir(dir string) ([]string, error) {
	if err := m.do("readdir", dir); err != nil {
		return nil, pathError("readdir", dir, err)
	}
	if !m.dirs[dir] {
		return nil, pathError("readdir", dir, fs.ErrNotExist)
	}
	var list []string
	for path := range m.names {
		if filepath.Dir(path) == dir {
			list = append(list, filepath.Base(path))
		}
	}
	slices.Sort(list)
	return list, nil
}

func (m *memFS) Rename(from, to string) error {
	if err := m.do("rename", to); err != nil {
		return pathError("rename", to, err)
	}
	if m.names[from] == nil {
		return pathError("rename", from, fs.ErrNotExist)
	}
	m.change(map[string]*memFile{to: m.names[from], from: nil})
	return nil
}

func (m *memFS) Remove(path string) error {
	if err := m.do("remove", path); err != nil {
		return pathError("remove", path, err)
	}
	if m.names[path] == nil {
		return pathError("remove", path, fs.ErrNotExist)
	}
	m.change(map[string]*memFile{path: nil})
	return nil
}

// change is one atomic operation on names.
func (m *memFS) change(names map[string]*memFile) {
	apply(m.names, names)
	m.pending = append(m.pending, names)
}

func apply(to, change map[string]*memFile) {
	for path, f := range change {
		if f == nil {
			delete(to, path)
		} else {
			to[path] = f
		}
	}
}

func (m *memFS) SyncDir(dir string) error {
	if err := m.do("syncdir", dir); err != nil {
		return pathError("syncdir", dir, err)
	}
	rest := m.pending[:0:0]
	for _, change := range m.pending {
		for path := range change { // a rename stays in its folder
			if filepath.Dir(path) == dir {
				apply(m.durable, change)
			} else {
				rest = append(rest, change)
			}
			break
		}
	}
	m.pending = rest
	return nil
}

func (m *memFS) Free(string) (uint64, bool) { return m.free, m.known }

// What a power failure leaves of the operations on names that were not synced. File systems may do
// any of these.
const (
	namesLost = iota
	namesKept
	lastNameKept // the order of operations is not kept
)

// afterPowerFailure is the disk when of files' contents nothing but what was synced is left.
func (m *memFS) afterPowerFailure(names int) *memFS {
	n := newMemFS()
	n.dirs = m.dirs
	left := maps.Clone(m.durable)
	pending := m.pending
	switch {
	case names == namesLost:
		pending = nil
	case names == lastNameKept && len(pending) > 0:
		pending = pending[len(pending)-1:]
	}
	for _, change := range pending {
		apply(left, change)
	}
	for path, f := range left {
		g := &memFile{data: slices.Clone(f.synced), synced: slices.Clone(f.synced)}
		n.names[path], n.durable[path] = g, g
	}
	return n
}

// afterKill is the disk after the process alone died: all that it did is there.
func (m *memFS) afterKill() *memFS {
	n := newMemFS()
	n.dirs = m.dirs
	for path, f := range m.names {
		g := &memFile{data: slices.Clone(f.data), synced: slices.Clone(f.data)}
		n.names[path], n.durable[path] = g, g
	}
	return n
}

func (m *memFS) clone() *memFS { return m.afterKill() }

// temps lists the temporary files.
func (m *memFS) temps() (list []string) {
	for path := range m.names {
		if strings.HasPrefix(filepath.Base(path), ".tmp-") {
			list = append(list, path)
		}
	}
	return list
}

type memReader struct{ *bytes.Reader }

func (memReader) Close() error           { return nil }
func (r memReader) Size() (int64, error) { return r.Reader.Size(), nil }

type memWriter struct {
	m    *memFS
	f    *memFile
	path string
}

// errShort makes a write store half of its bytes and report success for those.
var errShort = errors.New("short write")

func (w *memWriter) Write(b []byte) (int, error) {
	switch err := w.m.do("write", w.path); {
	case errors.Is(err, errShort):
		n := len(b) / 2
		w.f.data = append(w.f.data, b[:n]...)
		return n, nil
	case errors.Is(err, syscall.ENOSPC): // what fits is written
		w.f.data = append(w.f.data, b[:len(b)/2]...)
		return len(b) / 2, pathError("write", w.path, err)
	case err != nil:
		return 0, pathError("write", w.path, err)
	}
	w.f.data = append(w.f.data, b...)
	return len(b), nil
}

func (w *memWriter) Sync() error {
	if err := w.m.do("sync", w.path); err != nil {
		return pathError("sync", w.path, err)
	}
	w.f.synced = slices.Clone(w.f.data)
	if w.f.synced == nil {
		w.f.synced = []byte{}
	}
	return nil
}

func (w *memWriter) Truncate(size int64) error {
	if err := w.m.do("truncate", w.path); err != nil {
		return pathError("truncate", w.path, err)
	}
	w.f.data = w.f.data[:size]
	return nil
}

func (w *memWriter) Size() (int64, error) { return int64(len(w.f.data)), nil }

func (w *memWriter) Close() error {
	if err := w.m.do("close", w.path); err != nil {
		return pathError("close", w.path, err)
	}
	return nil
}

var (
	_ FS        = (*memFS)(nil)
	_ io.Writer = (*memWriter)(nil)
)
