package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
)

const (
	tempPrefix = ".tmp-"

	filePerm fs.FileMode = 0o644 // and what the umask leaves of it
	dirPerm  fs.FileMode = 0o755
)

func tempPath(path string) string {
	return filepath.Join(filepath.Dir(path), tempPrefix+filepath.Base(path))
}

// writeTemp writes path's temporary file and syncs it. On an error it removes what it made.
func writeTemp(fsys FS, path string, perm fs.FileMode, write func(io.Writer) error) error {
	temp := tempPath(path)
	f, err := fsys.Create(temp, perm)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	// A failed close can be the only report of a failed write (NFS); a failed sync is not retried,
	// because the kernel may have dropped the pages and would then report success.
	if err = errors.Join(err, f.Close()); err != nil {
		_ = fsys.Remove(temp) // best effort: the next Open sweeps
	}
	return err
}

// WriteAtomic replaces a file by what write writes: readers see the old content or the new, also
// after a crash. The temporary file is beside the target. Its errors are ErrIO.
func WriteAtomic(fsys FS, path string, perm fs.FileMode, write func(io.Writer) error) error {
	err := writeTemp(fsys, path, perm, write)
	if err == nil {
		err = commit(fsys, path)
	}
	if err != nil {
		return ioError(fmt.Errorf("write %s: %w", path, err))
	}
	return nil
}

// commit renames path's temporary file and makes the rename durable.
func commit(fsys FS, path string) error {
	if err := fsys.Rename(tempPath(path), path); err != nil {
		_ = fsys.Remove(tempPath(path)) // best effort: the next Open sweeps
		return err
	}
	return fsys.SyncDir(filepath.Dir(path))
}

// WriteFileAtomic replaces a file by data, as WriteAtomic does.
func WriteFileAtomic(fsys FS, path string, data []byte, perm fs.FileMode) error {
	return WriteAtomic(fsys, path, perm, func(w io.Writer) error {
		_, err := writeFull(w, data)
		return err
	})
}

// WriteJSONAtomic replaces a file by the indented JSON of v, as WriteAtomic does.
func WriteJSONAtomic(fsys FS, path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return WriteFileAtomic(fsys, path, append(data, '\n'), filePerm)
}

// writeFull makes a short write an error.
func writeFull(w io.Writer, b []byte) (int, error) {
	n, err := w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return n, err
}

// readFile reads a whole file.
func readFile(fsys FS, path string) ([]byte, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}
