package atomicfiletest

import (
	"errors"
	"io/fs"
	"syscall"
)

// Besides the errors of the system, a Hook's Op may return these.
var (
	// ErrShort makes a write store half of its bytes and report success for those.
	ErrShort = errors.New("short write")
	// ErrKilled ends the process at the operation: of a write half arrives, Killed returns true,
	// and operations that deferred calls attempt do nothing.
	ErrKilled = errors.New("killed")
)

// Hook sees every operation of a file system before it is done.
type Hook struct {
	// Op may return an error, which the operation then returns. kind is the method's name in lower
	// case (create, write, sync, close, rename, syncdir …), path what it works on; of a rename the
	// new name. It may be nil.
	Op  func(kind, path string) error
	Log []string // "kind path"

	dead bool
}

func (h *Hook) do(kind, path string) error {
	h.Log = append(h.Log, kind+" "+path)
	err := error(nil)
	switch {
	case h.dead:
		err = ErrKilled
	case h.Op != nil:
		err = h.Op(kind, path)
	}
	if err == nil {
		return nil
	}
	if errors.Is(err, ErrKilled) && !h.dead && kind != "write" {
		h.kill()
	}
	return pathError(kind, path, err)
}

func (h *Hook) kill() {
	h.dead = true
	panic(ErrKilled)
}

// write passes on to put what a fault leaves of b.
func (h *Hook) write(path string, b []byte, put func([]byte) (int, error)) (int, error) {
	dead := h.dead
	err := h.do("write", path)
	switch {
	case err == nil:
		return put(b)
	case errors.Is(err, ErrKilled) && !dead:
		_, _ = put(b[:len(b)/2])
		h.kill()
	case errors.Is(err, ErrShort):
		return put(b[:len(b)/2])
	case errors.Is(err, syscall.ENOSPC): // what fits is written
		n, _ := put(b[:len(b)/2])
		return n, err
	}
	return 0, err
}

// Killed runs f and reports whether ErrKilled ended it.
func Killed(f func()) (dead bool) {
	defer func() {
		if r := recover(); r != nil {
			if r != any(ErrKilled) {
				panic(r)
			}
			dead = true
		}
	}()
	f()
	return false
}

func pathError(kind, path string, err error) error {
	return &fs.PathError{Op: kind, Path: path, Err: err}
}
