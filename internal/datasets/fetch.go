package datasets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"resnet/internal/atomicfile"
	"resnet/internal/folderlock"
)

// FetchOptions change how Fetch downloads. The zero value is right for people; tests and mirrors
// set the rest.
type FetchOptions struct {
	// BaseURL replaces the official address; the file names stay.
	BaseURL string
	// Client makes the requests; its redirect policy is replaced. nil means one with time limits on
	// connecting.
	Client *http.Client
	// AllowHTTP permits plain http for files without a pinned SHA-256, and redirects from https to
	// http.
	AllowHTTP bool
	// Progress is called now and then, by the goroutine that called Fetch.
	Progress func(Progress)
	// Waiting is called with a line that says who has the folder, while Fetch waits for another
	// one.
	Waiting func(line string)
	// Attempts is how many attempts in a row may bring nothing; 0 means 6.
	Attempts int
	// Backoff is the pause after the first of them, doubled each time up to 30 s; 0 means 1 s.
	Backoff time.Duration
	// StallTimeout ends an attempt that brings less than 16 KiB in this time; 0 means 30 s.
	StallTimeout time.Duration

	fs atomicfile.FS // nil means atomicfile.OS
}

// Progress is how far the download of one file is.
type Progress struct {
	File  string
	Done  int64 // bytes
	Total int64 // bytes; 0: not known
}

// bundle is what Fetch downloads: files that are used as they are, or one archive with members.
type bundle struct {
	base    string
	files   []remote
	members []member // of the archive, which is then the only file
}

// remote is a file to download.
type remote struct {
	name    string
	size    int64    // bytes; 0: not known
	digests []string // of the file
	content string   // of its decompressed contents, where mirrors compress anew
	begins  string   // what the digest of the file begins with, where no more is known of it
}

// member is a file to take out of an archive.
type member struct {
	path   string // slash-separated, as in the archive, and below the data folder
	size   int64
	digest string
}

// pinned reports whether a SHA-256 decides what is accepted, so that the way it came does not
// matter.
func (r remote) pinned() bool {
	for _, d := range append([]string{r.content}, r.digests...) {
		if strings.HasPrefix(d, "sha256:") {
			return true
		}
	}
	return false
}

func (l cifarLayout) members() []member {
	var out []member
	for _, f := range l.files() {
		out = append(out, member{l.folder + "/" + f.name, int64(f.count * l.recordSize()), f.digest})
	}
	return out
}

func (l idxLayout) remotes() []remote {
	var out []remote
	for _, f := range l.files {
		out = append(out, remote{name: f.name + ".gz", content: f.digest})
	}
	return out
}

// Fetch downloads a data set into dir (DefaultDir where it is empty), so that Open finds it there.
// What is already there and right is left alone; an interrupted download goes on where it stopped.
// Each file is checked against its pinned digest and appears under its name whole or not at all.
// Files that are there and differ from the official ones are not overwritten: that is an ErrData.
// The folder is locked meanwhile; where another process fetches into it, Fetch waits until that has
// ended or ctx ends.
//
// It fails with ErrConfig for a data set that is not downloaded, ErrFetch if the network does not
// deliver, ErrData if what it delivers is not what was pinned.
func Fetch(ctx context.Context, name, dir string, o FetchOptions) error {
	e, err := lookup(name)
	if err != nil {
		return err
	}
	if e.fetch == nil {
		return faultf(ErrConfig, "%s: nothing to fetch: %s", name, e.local)
	}
	if dir == "" {
		if dir, err = defaultDir(name, "name a folder with --dir"); err != nil {
			return err
		}
	}
	if err := fetchBundle(ctx, *e.fetch, dir, o); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func fetchBundle(ctx context.Context, b bundle, dir string, o FetchOptions) error {
	if err := atomicfile.OS.MkdirAll(dir, atomicfile.DirPerm); err != nil {
		return atomicfile.Error(fmt.Errorf("the folder for the data: %w: name another one with --dir", err))
	}
	lock, err := folderlock.Wait(ctx, filepath.Join(dir, ".fetch.lock"), "fetching into this folder", func(e *folderlock.LockedError) {
		if o.Waiting != nil {
			o.Waiting(e.Waiting())
		}
	})
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		// In a folder that is only read everything may be there already.
		if have, e := b.present(ctx, dir); e != nil || !have {
			return errors.Join(err, e)
		}
		return nil
	case err != nil:
		return err
	}
	defer func() { _ = lock.Release() }() // a lock without a holder is free
	return fetchLocked(ctx, b, dir, o)
}

// present reports whether all files are there. It fails where any differs from the official one.
func (b bundle) present(ctx context.Context, dir string) (bool, error) {
	all := true
	if len(b.members) == 0 { // an archive goes when it has been unpacked
		for _, r := range b.files {
			have, err := r.present(ctx, dir)
			if err != nil {
				return false, err
			}
			all = all && have
		}
	}
	for _, m := range b.members {
		have, err := m.present(ctx, dir)
		if err != nil {
			return false, err
		}
		all = all && have
	}
	return all, nil
}

// present reports whether the file is there. Open prefers a decompressed copy.
func (r remote) present(ctx context.Context, dir string) (bool, error) {
	if r.begins != "" {
		return present(ctx, filepath.Join(dir, r.name), r.begins, false)
	}
	return anyPresent(ctx, r.content, true, filepath.Join(dir, strings.TrimSuffix(r.name, ".gz")), filepath.Join(dir, r.name))
}

// present reports whether the member is there. Open prefers files that are in dir itself.
func (m member) present(ctx context.Context, dir string) (bool, error) {
	return anyPresent(ctx, m.digest, false, filepath.Join(dir, path.Base(m.path)), filepath.Join(dir, filepath.FromSlash(m.path)))
}

func fetchLocked(ctx context.Context, b bundle, dir string, o FetchOptions) error {
	if o.fs == nil {
		o.fs = atomicfile.OS
	}
	if _, err := atomicfile.Sweep(o.fs, dir, fetchKind); err != nil {
		return err
	}
	if o.BaseURL != "" {
		b.base = o.BaseURL
	}
	if !strings.HasSuffix(b.base, "/") {
		b.base += "/"
	}
	if len(b.members) > 0 {
		return fetchArchive(ctx, b, dir, o)
	}
	for _, r := range b.files {
		have, err := r.present(ctx, dir)
		if err != nil {
			return err
		}
		if have {
			discardPart(o.fs, filepath.Join(dir, r.name))
			continue
		}
		if err := download(ctx, b.base, r, dir, o); err != nil {
			return err
		}
	}
	return nil
}

// fetchArchive downloads and unpacks, unless the members are there; the archive is removed
// afterwards.
func fetchArchive(ctx context.Context, b bundle, dir string, o FetchOptions) error {
	have, err := b.present(ctx, dir)
	if err != nil {
		return err
	}
	archive := b.files[0]
	local := filepath.Join(dir, archive.name)
	staging := filepath.Join(dir, unpackDir)
	if have {
		if _, err := os.Lstat(staging); err == nil { // one that was interrupted at its very end
			if err := os.Remove(local); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return os.RemoveAll(staging)
		}
		return nil
	}
	if err := checkDigests(ctx, local, archive); errors.Is(err, fs.ErrNotExist) {
		if err := download(ctx, b.base, archive, dir, o); err != nil {
			return err
		}
	} else if err != nil {
		return faultf(ErrData, "%w; remove it, and fetch again", err)
	}
	discardPart(o.fs, local)
	return unpack(ctx, local, dir, b.members)
}

// anyPresent is present for the first of several paths that exists.
func anyPresent(ctx context.Context, digest string, unzip bool, paths ...string) (bool, error) {
	for _, p := range paths {
		if have, err := present(ctx, p, digest, unzip); have || err != nil {
			return have, err
		}
	}
	return false, nil
}

// present reports whether a file is there with the official contents. It fails if it is there with
// other contents.
func present(ctx context.Context, path, digest string, unzip bool) (bool, error) {
	got, err := digestFile(ctx, path, digest, unzip)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil && !errors.Is(err, ErrData):
		return false, fmt.Errorf("%s: %w", path, err)
	case err != nil || !strings.HasPrefix(got, digest):
		return false, faultf(ErrData, "%s is there and is not the official file, so it is left as it is: move it away, or choose another folder", path)
	}
	return true, nil
}

// checkDigests compares a downloaded file with all that is pinned of it.
func checkDigests(ctx context.Context, path string, r remote) error {
	check := func(want string, unzip bool) error {
		got, err := digestFile(ctx, path, want, unzip)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if !strings.HasPrefix(got, want) { // a whole one has no other that it begins
			return faultf(ErrData, "%s: digest %s, want %s", path, got, want)
		}
		return nil
	}
	for _, want := range r.digests {
		if err := check(want, false); err != nil {
			return err
		}
	}
	if r.begins != "" {
		if err := check(r.begins, false); err != nil {
			return err
		}
	}
	if r.content != "" {
		return check(r.content, true)
	}
	return nil
}
