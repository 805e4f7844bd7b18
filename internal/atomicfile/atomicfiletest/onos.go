package atomicfiletest

import (
	"io"
	"io/fs"

	"resnet/internal/atomicfile"
)

// OnOS returns the operating system's file system with a Hook. It waits for no disk: nothing pulls
// the plug in a test.
func OnOS() *Faulty { return &Faulty{under: atomicfile.OS} }

// Faulty is another file system with a Hook.
type Faulty struct {
	Hook
	under atomicfile.FS
}

func (f *Faulty) try(kind, path string, do func() error) error {
	if err := f.do(kind, path); err != nil {
		return err
	}
	return do()
}

// The operations of atomicfile.FS.

func (f *Faulty) MkdirAll(dir string, perm fs.FileMode) error {
	return f.try("mkdir", dir, func() error { return f.under.MkdirAll(dir, perm) })
}

func (f *Faulty) Resolve(path string) (target string, err error) {
	err = f.try("resolve", path, func() error { target, err = f.under.Resolve(path); return err })
	return target, err
}

func (f *Faulty) Create(path string, perm fs.FileMode) (atomicfile.WriteHandle, error) {
	return f.openWrite("create", path, perm, f.under.Create)
}

func (f *Faulty) Append(path string, perm fs.FileMode) (atomicfile.WriteHandle, error) {
	return f.openWrite("append", path, perm, f.under.Append)
}

func (f *Faulty) openWrite(kind, path string, perm fs.FileMode, open func(string, fs.FileMode) (atomicfile.WriteHandle, error)) (atomicfile.WriteHandle, error) {
	if err := f.do(kind, path); err != nil {
		return nil, err
	}
	h, err := open(path, perm)
	if err != nil {
		return nil, err
	}
	return &faultyHandle{h, f, path}, nil
}

func (f *Faulty) Open(path string) (h atomicfile.ReadHandle, err error) {
	err = f.try("open", path, func() error { h, err = f.under.Open(path); return err })
	return h, err
}

func (f *Faulty) ReadDir(dir string) (names []string, err error) {
	err = f.try("readdir", dir, func() error { names, err = f.under.ReadDir(dir); return err })
	return names, err
}

func (f *Faulty) Rename(from, to string) error {
	return f.try("rename", to, func() error { return f.under.Rename(from, to) })
}

func (f *Faulty) Link(from, to string) error {
	return f.try("link", to, func() error { return f.under.Link(from, to) })
}

func (f *Faulty) Remove(path string) error {
	return f.try("remove", path, func() error { return f.under.Remove(path) })
}

// Claim claims nothing, so that a killed writer, whose process lives, has left abandoned files.
func (f *Faulty) Claim(string) (io.Closer, error) { return noClaim{}, nil }

func (f *Faulty) RemoveAbandoned(path string, o atomicfile.Owner) bool {
	return f.under.RemoveAbandoned(path, o)
}

func (f *Faulty) SyncDir(dir string) error { return f.do("syncdir", dir) }

func (f *Faulty) Free(dir string) (uint64, bool) { return f.under.Free(dir) }

type faultyHandle struct {
	atomicfile.WriteHandle
	f    *Faulty
	path string
}

func (h *faultyHandle) Write(b []byte) (int, error) {
	return h.f.write(h.path, b, h.WriteHandle.Write)
}

func (h *faultyHandle) Sync() error { return h.f.do("sync", h.path) }

func (h *faultyHandle) Truncate(size int64) error {
	return h.f.try("truncate", h.path, func() error { return h.WriteHandle.Truncate(size) })
}

// Close closes the file also when a fault says that it failed.
func (h *faultyHandle) Close() error {
	err := h.WriteHandle.Close()
	if fault := h.f.do("close", h.path); fault != nil {
		return fault
	}
	return err
}
