package atomicfiletest

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"resnet/internal/atomicfile"
)

// Disk is a file system in memory without links. It knows what is durable: the content of a file
// when it was last synced, the names of a folder when it was last synced.
type Disk struct {
	Hook
	Files     map[string]*Content // by path: what processes see
	FreeBytes uint64
	FreeKnown bool

	durable map[string]*Content // what a power failure leaves
	// Operations on names since the folder was synced: path to file, nil for removed.
	pending []map[string]*Content
	dirs    map[string]bool
}

// Content is a file's.
type Content struct {
	Data   []byte
	Synced []byte // nil until the first sync
}

// NewDisk returns an empty Disk.
func NewDisk() *Disk {
	return &Disk{Files: map[string]*Content{}, durable: map[string]*Content{}, dirs: map[string]bool{}}
}

func (m *Disk) MkdirAll(dir string, _ fs.FileMode) error {
	if err := m.do("mkdir", dir); err != nil {
		return err
	}
	for d := dir; d != filepath.Dir(d); d = filepath.Dir(d) {
		m.dirs[d] = true
	}
	return nil
}

func (m *Disk) Resolve(path string) (string, error) { return path, m.do("resolve", path) }

func (m *Disk) Create(path string, _ fs.FileMode) (atomicfile.WriteHandle, error) {
	return m.openWrite("create", path, true)
}

func (m *Disk) Append(path string, _ fs.FileMode) (atomicfile.WriteHandle, error) {
	return m.openWrite("append", path, false)
}

func (m *Disk) openWrite(kind, path string, exclusive bool) (atomicfile.WriteHandle, error) {
	if err := m.do(kind, path); err != nil {
		return nil, err
	}
	if !m.dirs[filepath.Dir(path)] {
		return nil, pathError(kind, path, fs.ErrNotExist)
	}
	f := m.Files[path]
	if f != nil && exclusive {
		return nil, pathError(kind, path, fs.ErrExist)
	}
	if f == nil {
		f = &Content{}
		m.change(map[string]*Content{path: f})
	}
	return &writer{m: m, f: f, path: path}, nil
}

func (m *Disk) Open(path string) (atomicfile.ReadHandle, error) {
	if err := m.do("open", path); err != nil {
		return nil, err
	}
	f := m.Files[path]
	if f == nil {
		return nil, pathError("open", path, fs.ErrNotExist)
	}
	return &reader{bytes.NewReader(slices.Clone(f.Data))}, nil
}

func (m *Disk) ReadDir(dir string) ([]string, error) {
	if err := m.do("readdir", dir); err != nil {
		return nil, err
	}
	if !m.dirs[dir] {
		return nil, pathError("readdir", dir, fs.ErrNotExist)
	}
	var list []string
	for path := range m.Files {
		if filepath.Dir(path) == dir {
			list = append(list, filepath.Base(path))
		}
	}
	slices.Sort(list)
	return list, nil
}

func (m *Disk) Rename(from, to string) error {
	if err := m.do("rename", to); err != nil {
		return err
	}
	if m.Files[from] == nil {
		return pathError("rename", from, fs.ErrNotExist)
	}
	m.change(map[string]*Content{to: m.Files[from], from: nil})
	return nil
}

func (m *Disk) Link(from, to string) error {
	if err := m.do("link", to); err != nil {
		return err
	}
	if m.Files[to] != nil {
		return pathError("link", to, fs.ErrExist)
	}
	m.change(map[string]*Content{to: m.Files[from]})
	return nil
}

func (m *Disk) Remove(path string) error {
	if err := m.do("remove", path); err != nil {
		return err
	}
	if m.Files[path] == nil {
		return pathError("remove", path, fs.ErrNotExist)
	}
	m.change(map[string]*Content{path: nil})
	return nil
}

// change is one atomic operation on names.
func (m *Disk) change(names map[string]*Content) {
	apply(m.Files, names)
	m.pending = append(m.pending, names)
}

func apply(to, change map[string]*Content) {
	for path, f := range change {
		if f == nil {
			delete(to, path)
		} else {
			to[path] = f
		}
	}
}

func (m *Disk) SyncDir(dir string) error {
	if err := m.do("syncdir", dir); err != nil {
		return err
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

// Claim is given for nothing: there is one process.
func (m *Disk) Claim(string) (io.Closer, error) { return noClaim{}, nil }

// RemoveAbandoned takes every temporary file for that of a process that was killed.
func (m *Disk) RemoveAbandoned(path string, _ atomicfile.Owner) bool { return m.Remove(path) == nil }

type noClaim struct{}

func (noClaim) Close() error { return nil }

func (m *Disk) Free(string) (uint64, bool) { return m.FreeBytes, m.FreeKnown }

// Names says what a power failure leaves of the operations on names that were not synced. File
// systems may do any of these.
type Names int

// The kinds of Names.
const (
	NamesLost Names = iota
	NamesKept
	LastNameKept // the order of operations is not kept
)

// AfterPowerFailure is the disk when of files' contents nothing but what was synced is left.
func (m *Disk) AfterPowerFailure(names Names) *Disk {
	left := maps.Clone(m.durable)
	pending := m.pending
	switch {
	case names == NamesLost:
		pending = nil
	case names == LastNameKept && len(pending) > 0:
		pending = pending[len(pending)-1:]
	}
	for _, change := range pending {
		apply(left, change)
	}
	n := m.empty()
	for path, f := range left {
		n.put(path, f.Synced)
	}
	return n
}

// AfterKill is the disk after the process alone died: all that it did is there, and durable. It is
// also a copy of a disk.
func (m *Disk) AfterKill() *Disk {
	n := m.empty()
	for path, f := range m.Files {
		n.put(path, f.Data)
	}
	return n
}

func (m *Disk) empty() *Disk {
	n := NewDisk()
	n.dirs = maps.Clone(m.dirs)
	return n
}

func (m *Disk) put(path string, data []byte) {
	f := &Content{Data: slices.Clone(data), Synced: slices.Clone(data)}
	m.Files[path], m.durable[path] = f, f
}

// Temps lists the temporary files of any kind.
func (m *Disk) Temps() (list []string) {
	for path := range m.Files {
		if strings.Contains(filepath.Base(path), ".tmp-") {
			list = append(list, path)
		}
	}
	return list
}

type reader struct{ *bytes.Reader }

func (reader) Close() error           { return nil }
func (r reader) Size() (int64, error) { return r.Reader.Size(), nil }

type writer struct {
	m    *Disk
	f    *Content
	path string
}

func (w *writer) Write(b []byte) (int, error) {
	return w.m.write(w.path, b, func(b []byte) (int, error) {
		w.f.Data = append(w.f.Data, b...)
		return len(b), nil
	})
}

func (w *writer) Sync() error {
	if err := w.m.do("sync", w.path); err != nil {
		return err
	}
	w.f.Synced = slices.Clone(w.f.Data)
	if w.f.Synced == nil {
		w.f.Synced = []byte{}
	}
	return nil
}

func (w *writer) Truncate(size int64) error {
	if err := w.m.do("truncate", w.path); err != nil {
		return err
	}
	w.f.Data = w.f.Data[:size]
	return nil
}

func (w *writer) Size() (int64, error) { return int64(len(w.f.Data)), nil }

func (w *writer) Close() error {
	if err := w.m.do("close", w.path); err != nil {
		return err
	}
	return nil
}
