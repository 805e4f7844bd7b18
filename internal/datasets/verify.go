package datasets

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"resnet/internal/datasets/fault"
	"resnet/internal/input"
)

// What Verify finds of a file.
const (
	StatusOK      = "ok"      // the official contents
	StatusDiffers = "differs" // not the official contents, but sizes and labels are right
	StatusBad     = "bad"     // not usable
	StatusMissing = "missing"
)

// FileReport is the finding about one file.
type FileReport struct {
	Path   string `json:"path"`
	Status string `json:"status"`
	Detail string `json:"detail,omitempty"`
	Want   string `json:"want,omitempty"` // digest of the official contents, decompressed
	Got    string `json:"got,omitempty"`
}

// Report is what Verify found.
type Report struct {
	Name  string       `json:"name"`
	Dir   string       `json:"dir"`
	Files []FileReport `json:"files"`
}

// OK reports whether every file has the official contents.
func (r Report) OK() bool { return r.all(StatusOK) }

// Usable reports whether Open will accept the files.
func (r Report) Usable() bool { return r.all(StatusOK, StatusDiffers) }

func (r Report) all(allowed ...string) bool {
	for _, f := range r.Files {
		ok := false
		for _, s := range allowed {
			ok = ok || f.Status == s
		}
		if !ok {
			return false
		}
	}
	return len(r.Files) > 0
}

// Err is nil if Usable, else an error about the first file that is not: ErrMissing or ErrData.
func (r Report) Err() error {
	bad := 0
	for _, f := range r.Files {
		if f.Status == StatusBad {
			bad++
		}
	}
	for _, f := range r.Files {
		switch f.Status {
		case StatusMissing:
			return faultf(ErrMissing, "%s: %s: missing; %s", r.Name, f.Path, remedy(r.Name))
		case StatusBad:
			detail := f.Detail
			if !strings.Contains(detail, f.Path) {
				detail = f.Path + ": " + detail
			}
			if bad > 1 {
				detail = fmt.Sprintf("%s; %d more are bad", detail, bad-1)
			}
			return faultf(ErrData, "%s: %s", r.Name, detail)
		}
	}
	return nil
}

// Verify reads the files of a data set and compares the digests of their decompressed contents with
// the official ones; of a folder of images it decodes every image. An empty dir means the default
// folder. What it finds is in the report; the error is about being unable to look.
func Verify(ctx context.Context, name, dir string) (Report, error) {
	e, err := lookup(name)
	if err != nil {
		return Report{}, err
	}
	if dir == "" && e.fetch != nil {
		if dir, err = defaultDir(name, "name its folder with --dir"); err != nil {
			return Report{}, err
		}
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) && name == fashionMNIST.name {
			dir = fashionMNIST.system
		}
	}
	r := Report{Name: name, Dir: dir}
	r.Files, err = e.verify(ctx, dir)
	return r, err
}

func (l cifarLayout) verify(ctx context.Context, dir string) ([]FileReport, error) {
	if form, found, err := l.locate(dir); err == nil {
		l, dir = form, found
	}
	var out []FileReport
	for _, f := range l.files() {
		path := filepath.Join(dir, f.name)
		got, err := digestFile(ctx, path, f.digest, false)
		n := f.count
		r, err := judge(path, f.digest, got, err, func() error {
			if err := l.checkSize(path, f); err != nil {
				return err
			}
			have, err := l.read(ctx, dir, []recordFile{f})
			n = len(have.labels)
			return err
		})
		if err != nil {
			return nil, err
		}
		if r.Status == StatusDiffers && n < f.count {
			r.Detail = fmt.Sprintf("a part: %d of %d images, with labels that are right", n, f.count)
		}
		out = append(out, r)
	}
	return out, nil
}

func (l idxLayout) verify(ctx context.Context, dir string) ([]FileReport, error) {
	var out []FileReport
	for _, f := range l.files {
		path, err := l.locate(dir, f)
		if err != nil {
			out = append(out, FileReport{Path: filepath.Join(dir, f.name), Status: StatusMissing, Want: f.digest})
			continue
		}
		got, err := digestFile(ctx, path, f.digest, true)
		r, err := judge(path, f.digest, got, err, func() error {
			_, err := l.read(path, f)
			return err
		})
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// judge turns a digest, or the error of computing it, into a finding; layout says whether the file
// is usable.
func judge(path, want, got string, err error, layout func() error) (FileReport, error) {
	r := FileReport{Path: path, Status: StatusOK, Want: want, Got: got}
	switch {
	case fault.Absent(err):
		r.Status = StatusMissing
		return r, nil
	case errors.Is(err, ErrData):
		r.Status, r.Detail = StatusBad, fmt.Sprintf("%s: %v", path, err)
		return r, nil
	case err != nil:
		return r, err
	case got == want:
		return r, nil
	}
	if err := layout(); err != nil {
		r.Status, r.Detail = StatusBad, err.Error()
		return r, nil
	}
	r.Status, r.Detail = StatusDiffers, "a converted copy: sizes and labels are right, the contents are not the official ones"
	return r, nil
}

// verifyFolder decodes every image, and reports those that do not.
func verifyFolder(ctx context.Context, dir string) ([]FileReport, error) {
	f, err := listFolder(Config{Name: "folder", Dir: dir})
	if err != nil {
		return nil, err
	}
	return verifyPhotos(ctx, f.photoSet, dir)
}

// verifyPhotos decodes every image, several at a time, and reports those that do not, in their
// order.
func verifyPhotos(ctx context.Context, set *photoSet, dir string) ([]FileReport, error) {
	var out []FileReport
	good := 0
	for _, s := range []Split{Train, Val, Test} {
		list := set.split(s)
		errs := make([]error, list.count())
		parallel(len(errs), func() func(i int) {
			var sc scratch
			return func(i int) {
				if errs[i] = ctx.Err(); errs[i] == nil {
					_, errs[i] = set.decode(&sc, s, i, set.view.turns(set.view))
					sc.release()
				}
			}
		})
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i, err := range errs {
			if err != nil {
				out = append(out, FileReport{Path: list.place(i), Status: StatusBad, Detail: strings.TrimPrefix(err.Error(), set.name+": "+list.place(i)+": ")})
				continue
			}
			good++
		}
	}
	if len(out) == 0 {
		out = append(out, FileReport{Path: dir, Status: StatusOK, Detail: fmt.Sprintf("%d images decode", good)})
	}
	return out, nil
}

// parallel calls the functions that start makes, one a processor, with the numbers below n, each
// once.
func parallel(n int, start func() func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		wg.Go(func() {
			do := start()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
}

// maxContents bounds what is read of a compressed file: more than any of the data sets holds.
const maxContents = 1 << 30

// digestFile hashes a file's contents, decompressed if unzip is set and they are gzip, by the
// algorithm that like starts with.
func digestFile(ctx context.Context, path, like string, unzip bool) (string, error) {
	f, err := input.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var in io.Reader = f
	if unzip {
		if in, err = maybeGzip(f); err != nil {
			return "", err
		}
	}
	return digestReader(ctx, in, like, maxContents)
}

// digestReader hashes at most so many bytes by the algorithm that like starts with.
func digestReader(ctx context.Context, in io.Reader, like string, most int64) (string, error) {
	algorithm, _, _ := strings.Cut(like, ":")
	h := newHash(algorithm)
	n, err := io.Copy(h, io.LimitReader(contextReader{ctx, in}, most+1))
	if err != nil {
		return "", streamFault(err, "byte offset %d", n)
	}
	if n > most {
		return "", faultf(ErrData, "more than %d bytes", most)
	}
	return algorithm + ":" + hex.EncodeToString(h.Sum(nil)), nil
}

func newHash(algorithm string) hash.Hash {
	if algorithm == "md5" {
		return md5.New()
	}
	return sha256.New()
}

// contextReader stops reading when ctx is done.
type contextReader struct {
	ctx context.Context
	in  io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.in.Read(p)
}
