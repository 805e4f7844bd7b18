// Command release makes the archives of a version: `make release`.
//
// For each system it builds the static binary and packs it with the licences, the README, the man
// pages and the completions: .tar.gz, for Windows .zip. SHA256SUMS has a line for each archive. The
// same commit and Go release give the same bytes: files have the time of the commit, no owner, and
// are in the order of their names.
//
//	go run ./testdata/release -version v0.1.0 -out bin/release linux/amd64 windows/amd64
package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// file is an entry of an archive.
type file struct {
	name string
	mode os.FileMode
	data []byte
}

// build is a program of an archive.
type build struct {
	name, tags string
	// systems is where it is of use; nil means everywhere.
	systems []string
}

var programs = []build{
	{name: "resnet"},
	{name: "resnet-mpi", tags: "mpi", systems: []string{"linux", "darwin"}}, // a stub on Windows
}

func main() {
	version := flag.String("version", "", "version of the archives' names, such as v0.1.0")
	out := flag.String("out", "bin/release", "folder of the archives")
	flags := flag.String("ldflags", "", "flags of the linker")
	flag.Parse()
	if err := run(*version, *out, *flags, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(version, out, ldflags string, targets []string) error {
	if version == "" || strings.ContainsAny(version, "/\\ ") {
		return fmt.Errorf("-version %q: a name without spaces or slashes", version)
	}
	if len(targets) == 0 {
		return errors.New("name at least one system, such as linux/amd64")
	}
	when, err := commitTime()
	if err != nil {
		return err
	}
	shared, err := sharedFiles()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	var sums strings.Builder
	for _, target := range targets {
		goos, goarch, ok := strings.Cut(target, "/")
		if !ok {
			return fmt.Errorf("%s: want a system such as linux/amd64", target)
		}
		root := fmt.Sprintf("resnet-%s-%s-%s", strings.TrimPrefix(version, "v"), goos, goarch)
		files := slices.Clone(shared)
		for _, p := range programs {
			if p.systems != nil && !slices.Contains(p.systems, goos) {
				continue
			}
			binary, err := compile(p, goos, goarch, ldflags)
			if err != nil {
				return err
			}
			files = append(files, binary)
		}
		for i := range files {
			files[i].name = root + "/" + files[i].name
		}
		slices.SortFunc(files, func(a, b file) int { return cmp.Compare(a.name, b.name) })
		name, pack := root+".tar.gz", tarball
		if goos == "windows" {
			name, pack = root+".zip", zipped
		}
		archive, err := pack(files, when)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(out, name), archive, 0o644); err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(archive), name)
		fmt.Printf("%s: %.1f MB, %d files\n", filepath.Join(out, name), float64(len(archive))/1e6, len(files))
	}
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(sums.String()), 0o644)
}

// commitTime is the time of the commit that is built.
func commitTime() (time.Time, error) {
	out, err := exec.Command("git", "log", "-1", "--format=%ct").Output()
	if err != nil {
		return time.Time{}, fmt.Errorf("git log: %w", err)
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	return time.Unix(seconds, 0).UTC(), err
}

// sharedFiles are those of every archive. The program itself writes the man pages and completions.
func sharedFiles() ([]file, error) {
	dir, err := os.MkdirTemp("", "resnet-release")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	c := exec.Command("go", "run", "./cmd/resnet", "generate", "--man", filepath.Join(dir, "man"), "--completion", filepath.Join(dir, "completion"))
	if out, err := c.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("resnet generate: %w: %s", err, bytes.TrimSpace(out))
	}
	var files []file
	for _, name := range []string{"README.md", "LICENSE", "NOTICE", "CHANGELOG.md"} {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		files = append(files, file{name, 0o644, data})
	}
	err = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		files = append(files, file{filepath.ToSlash(name), 0o644, data})
		return err
	})
	return files, err
}

func compile(p build, goos, goarch, ldflags string) (file, error) {
	name := p.name
	if goos == "windows" {
		name += ".exe"
	}
	dir, err := os.MkdirTemp("", "resnet-release")
	if err != nil {
		return file{}, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, name)
	c := exec.Command("go", "build", "-trimpath", "-tags", p.tags, "-ldflags", ldflags, "-o", path, "./cmd/resnet")
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
	if out, err := c.CombinedOutput(); err != nil {
		return file{}, fmt.Errorf("%s for %s/%s: %w: %s", p.name, goos, goarch, err, bytes.TrimSpace(out))
	}
	data, err := os.ReadFile(path)
	return file{name, 0o755, data}, err
}

func tarball(files []file, when time.Time) ([]byte, error) {
	var b bytes.Buffer
	compressed, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(compressed)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: int64(f.mode), Size: int64(len(f.data)), ModTime: when, Format: tar.FormatPAX}
		if err := errors.Join(w.WriteHeader(h), second(w.Write(f.data))); err != nil {
			return nil, err
		}
	}
	err = errors.Join(w.Close(), compressed.Close())
	return b.Bytes(), err
}

func zipped(files []file, when time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: when}
		h.SetMode(f.mode)
		entry, err := w.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := io.Copy(entry, bytes.NewReader(f.data)); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

func second(_ int, err error) error { return err }
