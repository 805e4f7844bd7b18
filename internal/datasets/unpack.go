package datasets

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"resnet/internal/atomicfile"
	"resnet/internal/input"
)

const (
	// maxEntries is far above what the archives hold (8).
	maxEntries = 1000
	// unpackDir holds members until all of them are there and right.
	unpackDir = ".unpack"
)

// unpack takes the members out of a tar.gz and puts them below dir: all of them, whole and with the
// right digest, or none. Everything is written through an os.Root, under names that we chose and
// never the archive's; what is not a member is read over. An archive with an unsafe name, a link, a
// device, a member twice or of another size is refused as ErrData. Afterwards the archive is
// removed, before the staging folder: while that is there, the archive is known to be ours to
// remove. The caller holds the folder's lock.
func unpack(ctx context.Context, archive, dir string, members []member) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.RemoveAll(unpackDir); err != nil {
		return err
	}
	if err := root.Mkdir(unpackDir, 0o755); err != nil {
		return err
	}
	defer func() { _ = root.RemoveAll(unpackDir) }() // what stays is removed by the next call
	f, err := input.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := extract(contextReader{ctx, f}, root, members); err != nil {
		return fmt.Errorf("%s: %w", archive, err)
	}
	for i, m := range members {
		p := filepath.Join(dir, staged(i))
		if got, err := digestFile(ctx, p, m.digest, false); err != nil {
			return fmt.Errorf("%s: %s: %w", archive, m.path, err)
		} else if got != m.digest {
			return faultf(ErrData, "%s: %s: digest %s, want %s", archive, m.path, got, m.digest)
		}
	}
	for i, m := range members {
		if err := place(root, dir, staged(i), m); err != nil {
			return err
		}
	}
	return os.Remove(archive)
}

func staged(i int) string { return filepath.Join(unpackDir, fmt.Sprintf("member%03d", i)) }

// place renames a staged member to its path, durably: so are the folders on the way, which may be
// new.
func place(root *os.Root, dir, from string, m member) error {
	to := filepath.FromSlash(m.path)
	if err := root.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if err := root.Rename(from, to); err != nil {
		return err
	}
	for at := filepath.Dir(to); ; at = filepath.Dir(at) {
		if err := atomicfile.OS.SyncDir(filepath.Join(dir, at)); err != nil || at == "." {
			return atomicfile.Error(err)
		}
	}
}

// extract writes member number i to staged(i).
func extract(in io.Reader, root *os.Root, members []member) error {
	z, err := gzip.NewReader(bufio.NewReaderSize(in, 1<<16))
	if err != nil {
		return faultf(ErrData, "not a gzip archive: %w", err)
	}
	// The members, their headers and some for what else there is: a bomb ends here.
	budget := int64(16 << 20)
	want := map[string]int{}
	for i, m := range members {
		want[m.path] = i
		budget += m.size + 1024
	}
	counted := &io.LimitedReader{R: z, N: budget}
	t := tar.NewReader(counted)
	for entries := 0; ; entries++ {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if counted.N <= 0 || entries >= maxEntries {
			return faultf(ErrData, "more than %d entries or %d bytes", maxEntries, budget)
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return archiveFault(err, fmt.Sprintf("entry %d", entries))
		}
		name, err := safeEntry(h)
		if err != nil {
			return err
		}
		i, ok := want[name]
		if !ok || h.Typeflag != tar.TypeReg {
			continue
		}
		if h.Size != members[i].size {
			return faultf(ErrData, "entry %q: %d bytes, want %d", h.Name, h.Size, members[i].size)
		}
		if err := extractOne(t, root, staged(i), h); err != nil {
			return err
		}
	}
	for i, m := range members {
		if _, err := root.Stat(staged(i)); err != nil {
			return faultf(ErrData, "holds no %s", m.path)
		}
	}
	return nil
}

// safeEntry returns the cleaned name of an entry that is a plain file or folder inside.
func safeEntry(h *tar.Header) (string, error) {
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeDir:
	default:
		return "", faultf(ErrData, "entry %q: a link, device or other special file (type %q)", h.Name, h.Typeflag)
	}
	local := filepath.FromSlash(h.Name)
	if !filepath.IsLocal(local) || strings.ContainsAny(h.Name, "\\\x00") {
		return "", faultf(ErrData, "entry %q: a name that leads outside", h.Name)
	}
	return path.Clean(h.Name), nil
}

// extractOne writes the current entry to a new file; one that exists means that the entry came
// twice.
func extractOne(in io.Reader, root *os.Root, to string, h *tar.Header) error {
	out, err := root.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return faultf(ErrData, "entry %q: there twice", h.Name)
	}
	if err != nil {
		return err
	}
	n, err := io.Copy(out, in)
	if err != nil {
		out.Close()
		return archiveFault(err, fmt.Sprintf("entry %q at byte %d of %d", h.Name, n, h.Size))
	}
	return errors.Join(out.Sync(), out.Close())
}

// archiveFault reports an error from reading an archive: bad data, unless a file could not be read
// or written, or the caller stopped it.
func archiveFault(err error, place string) error {
	var file *fs.PathError
	if errors.As(err, &file) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w", place, err)
	}
	return faultf(ErrData, "%s: %w", place, err)
}
