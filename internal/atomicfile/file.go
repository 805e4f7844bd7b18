package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
)

// File is a file on its way: it has its contents under a temporary name and gets its own by Commit.
// It is used by one goroutine at a time.
type File struct {
	fsys   FS
	path   string      // as the caller says it
	target string      // what path leads to
	temp   string      // beside target; "" once renamed or removed
	open   WriteHandle // nil after Finish
	claim  io.Closer   // of temp; nil once renamed or removed
	buf    *bufio.Writer

	committed bool
}

// Create begins a file that is to replace what is at path, or to be new. kind stands in the
// temporary name: one or more lower-case letters that say what writes. What dead processes of the
// kind have left of the file goes.
func Create(fsys FS, path, kind string) (*File, error) {
	target, err := fsys.Resolve(path)
	if err != nil {
		return nil, fail(path, "", err)
	}
	sweepAbandoned(fsys, target, kind)
	for range 100 {
		f := &File{fsys: fsys, path: path, target: target, temp: TempName(target, kind)}
		if f.open, err = fsys.Create(f.temp, Perm); err == nil {
			if f.claim, err = fsys.Claim(f.temp); err == nil {
				f.buf = bufio.NewWriterSize(f.open, 1<<16)
				return f, nil
			}
			f.Discard()
		}
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return nil, fail(path, target, err)
}

func (f *File) fail(err error) error { return fail(f.path, f.target, err) }

// Target is the path of the file that Commit replaces: the path given to Create, with links
// followed.
func (f *File) Target() string { return f.target }

// Committed reports that the new file is there, also if Commit has failed to sync its folder.
func (f *File) Committed() bool { return f.committed }

// Write adds to the contents, through a buffer.
func (f *File) Write(b []byte) (int, error) {
	if f.open == nil {
		return 0, f.fail(fs.ErrClosed)
	}
	n, err := f.buf.Write(b)
	return n, f.fail(err)
}

// Finish makes the contents durable under the temporary name. After an error the temporary file is
// gone. Whoever writes several files that belong together finishes all of them before the first
// Commit.
func (f *File) Finish() error {
	if f.open == nil {
		if f.temp == "" {
			return f.fail(fs.ErrClosed)
		}
		return nil
	}
	err := f.buf.Flush()
	if err == nil {
		err = f.open.Sync()
	}
	// A failed close can be the only report of a failed write (NFS); a failed sync is not retried,
	// because the kernel may have dropped the pages and would then report success.
	if closed := f.open.Close(); err == nil {
		err = closed
	}
	f.open = nil
	if err != nil {
		return f.abandon(err)
	}
	return nil
}

// Commit finishes the file and gives it its name. After an error the old file is as it was, unless
// the new one is there and only the sync of its folder failed.
func (f *File) Commit() error {
	return f.commit(f.fsys.Rename)
}

// CommitNew is Commit for a file that may not be there yet: otherwise it fails with fs.ErrExist.
func (f *File) CommitNew() error {
	return f.commit(func(from, to string) error {
		err := f.fsys.Link(from, to)
		switch {
		case err == nil:
			return f.fsys.Remove(from)
		// FAT and some network file systems have no links.
		case errors.Is(err, errors.ErrUnsupported), errors.Is(err, fs.ErrPermission):
			if r, err := f.fsys.Open(to); err == nil {
				return errors.Join(fs.ErrExist, r.Close())
			}
			return f.fsys.Rename(from, to)
		}
		return err
	})
}

func (f *File) commit(rename func(from, to string) error) error {
	if err := f.Finish(); err != nil {
		return err
	}
	if err := rename(f.temp, f.target); err != nil {
		return f.abandon(err)
	}
	f.temp, f.committed = "", true
	f.letGo()
	return f.fail(f.fsys.SyncDir(filepath.Dir(f.target)))
}

// abandon removes the temporary file and returns the error that demands it.
func (f *File) abandon(err error) error {
	err = f.fail(err)
	if e := f.discard(); e != nil && !errors.Is(e, fs.ErrNotExist) {
		err = errors.Join(err, Error(fmt.Errorf("its temporary file stays: %w", e)))
	}
	return err
}

// Discard removes what was written. After Commit or an error of it, and of a nil File, it does
// nothing, so that it can be deferred.
func (f *File) Discard() {
	if f != nil {
		_ = f.discard() // best effort: the name says that it is temporary
	}
}

func (f *File) discard() error {
	if f.open != nil {
		_ = f.open.Close() // its contents are not wanted
		f.open = nil
	}
	temp := f.temp
	if f.temp = ""; temp == "" {
		return nil
	}
	defer f.letGo()
	return f.fsys.Remove(temp)
}

// letGo ends the claim, which has nothing to lose.
func (f *File) letGo() {
	if f.claim != nil {
		_ = f.claim.Close()
		f.claim = nil
	}
}

// Write replaces the file at path by what write writes, or makes it.
func Write(fsys FS, path, kind string, write func(io.Writer) error) error {
	f, err := Create(fsys, path, kind)
	if err != nil {
		return err
	}
	defer f.Discard()
	if err := write(f); err != nil {
		return f.abandon(err)
	}
	return f.Commit()
}

// WriteFile replaces the file at path by data, or makes it.
func WriteFile(fsys FS, path, kind string, data []byte) error {
	return Write(fsys, path, kind, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// WriteNewFile makes a file of data; it fails with fs.ErrExist when there is one.
func WriteNewFile(fsys FS, path, kind string, data []byte) error {
	f, err := Create(fsys, path, kind)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.CommitNew()
}
