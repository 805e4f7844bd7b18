package input

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// ErrNotRegular says that a path stands for a folder, a pipe, a socket or a device.
var ErrNotRegular = errors.New("not a regular file")

// ErrTooLarge says that a file has more bytes than such a file may have.
var ErrTooLarge = errors.New("too large")

// kindError is an ErrNotRegular that says what there is instead.
type kindError string

func (e kindError) Error() string        { return string(e) }
func (e kindError) Is(target error) bool { return target == ErrNotRegular }

// Refuse is ErrNotRegular for what is no regular file, and says what it is.
func Refuse(mode fs.FileMode) error {
	what := "something else: name a file"
	switch {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		what = "a folder: name a file in it"
	case mode&fs.ModeNamedPipe != 0:
		what = "a pipe: name a file"
	case mode&fs.ModeSocket != 0:
		what = "a socket: name a file"
	case mode&fs.ModeDevice != 0:
		what = "a device: name a file"
	}
	return kindError("not a regular file but " + what)
}

// Open opens a regular file for reading. Errors are a *fs.PathError.
func Open(path string) (*os.File, error) { return OpenFile(path, os.O_RDONLY, 0) }

// OpenFile is os.OpenFile for regular files alone, and never waits.
func OpenFile(path string, flag int, perm fs.FileMode) (*os.File, error) {
	return open(path, flag, perm, false)
}

func open(path string, flag int, perm fs.FileMode, pipes bool) (*os.File, error) {
	f, err := os.OpenFile(path, flag|nonblock, perm)
	if err != nil {
		return nil, kindOf(path, err)
	}
	info, err := f.Stat()
	if err == nil && (!pipes || info.Mode()&fs.ModeNamedPipe == 0) {
		err = Refuse(info.Mode())
	}
	if err != nil {
		f.Close()
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return f, nil
}

// kindOf replaces the system's error for what cannot be opened because of what it is (a socket; a
// pipe without a reader; a folder, for writing) by one that says so.
func kindOf(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return err
	}
	if info, e := os.Stat(path); e == nil {
		if e = Refuse(info.Mode()); e != nil {
			return &fs.PathError{Op: "open", Path: path, Err: e}
		}
	}
	return err
}

// Read reads a regular file of at most so many bytes. A longer one is ErrTooLarge.
func Read(path string, most int64) ([]byte, error) { return read(path, most, false) }

// ReadStream is Read, and takes also a pipe that the process was given as a descriptor.
func ReadStream(path string, most int64) ([]byte, error) { return read(path, most, given(path)) }

// descriptor matches the names of descriptors that a process has.
var descriptor = regexp.MustCompile(`^/dev/(stdin|fd/\d+)$|^/proc/self/fd/\d+$`)

func given(path string) bool { return descriptor.MatchString(filepath.ToSlash(path)) }

func read(path string, most int64, pipes bool) ([]byte, error) {
	f, err := open(path, os.O_RDONLY, 0, pipes)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("%w: more than %d bytes", ErrTooLarge, most)}
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}
