// Package folderlock keeps processes apart that work in one folder or on one output: the second is
// told who is there, and waits or goes.
package folderlock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"resnet/internal/atomicfile"
	"resnet/internal/filelock"
	"resnet/internal/input"
	"resnet/internal/text"
)

// ErrLocked marks what another process has locked.
var ErrLocked = errors.New("in use by another process")

// Lock keeps others out until it is released or its process ends.
//
// Its file is locked through the operating system, which lets go of it when the process dies,
// however it dies: a lock is never stale, and two processes cannot both take one over. The content
// says who holds it, for the message of the one who comes second. On a file system without such
// locks a file's existence is the lock; there it is NAME.held, and after a crash a person has to
// remove it.
type Lock struct {
	// TakenFrom names the process that died with the lock; "" when it was free.
	TakenFrom string

	path string
	f    *os.File
}

// LockedError says who has a lock. It is an ErrLocked.
type LockedError struct {
	Path  string // of the lock file
	Doing string // what its holder does: "training in this run folder"
	PID   int    // 0 when it cannot be read
	Host  string
	Since string // RFC 3339
	// Manual is set where the operating system does not notice that the holder died.
	Manual bool
}

// Error names the lock and its holder, and says what to do.
func (e *LockedError) Error() string {
	if e.Manual {
		return e.holder() + ": if it has ended, remove the file"
	}
	return e.holder() + ": wait for it, stop it, or choose another folder"
}

// Waiting is what a process says that waits for the lock.
func (e *LockedError) Waiting() string {
	if e.Manual {
		return e.holder() + ": waiting; if it has ended, remove the file"
	}
	return e.holder() + ": waiting until it has ended"
}

// holder names the lock, its holder and what that does.
func (e *LockedError) holder() string {
	who := "another process"
	if e.PID != 0 {
		who = holder{e.PID, e.Host, e.Since}.String()
	}
	return fmt.Sprintf("%s: %s is %s", e.Path, who, e.Doing)
}

// Is makes the error an ErrLocked.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// holder is the content of a lock file.
type holder struct {
	PID   int    `json:"pid"`
	Host  string `json:"host"`
	Since string `json:"since"`
}

func (h holder) String() string {
	return fmt.Sprintf("process %d on %s (since %s)", h.PID, text.Printable(h.Host), text.Printable(h.Since))
}

// Acquire takes the lock whose file is path, in a folder that is there. doing says what it is for.
// It fails with a *LockedError at once when another process, or another Lock of this one, has it.
func Acquire(path, doing string) (*Lock, error) {
	for {
		f, err := input.OpenFile(path, os.O_RDWR|os.O_CREATE, atomicfile.Perm)
		if err != nil {
			return nil, atomicfile.Error(fmt.Errorf("lock: %w", err))
		}
		l, err := lockOpened(f, path, doing)
		if l != nil || err != nil {
			return l, err
		}
	}
}

// pollInterval is how often Wait tries.
const pollInterval = 200 * time.Millisecond

// Wait is Acquire that waits until the lock is free or ctx ends. tell is told who has it, each
// holder once.
func Wait(ctx context.Context, path, doing string, tell func(*LockedError)) (*Lock, error) {
	told := 0
	for {
		l, err := Acquire(path, doing)
		var locked *LockedError
		if !errors.As(err, &locked) {
			return l, err
		}
		if locked.PID != 0 && locked.PID != told && tell != nil { // 0: it is just being written
			told = locked.PID
			tell(locked)
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(pollInterval):
		}
	}
}

// lockOpened locks path's file, which is open as f. It returns nil without an error when f is no
// longer path's: the holder before may have removed the file after it was opened here, and a lock
// on a file without a name keeps nobody out.
func lockOpened(f *os.File, path, doing string) (*Lock, error) {
	locked, err := filelock.Try(f)
	switch {
	case errors.Is(err, filelock.ErrUnsupported):
		f.Close()
		// The path itself exists by now, with any number of openers.
		return acquireByExistence(path+".held", doing)
	case err != nil:
		f.Close()
		return nil, atomicfile.Error(fmt.Errorf("lock %s: %w", path, err))
	case !locked:
		f.Close()
		return nil, lockedError(path, doing)
	case !filelock.Same(f, path):
		f.Close()
		return nil, nil
	}
	l := &Lock{path: path, f: f}
	if old, ok := readHolder(path); ok { // a holder that ended in order leaves no content
		l.TakenFrom = old.String()
	}
	if err := l.write(); err != nil {
		return nil, errors.Join(atomicfile.Error(fmt.Errorf("lock %s: %w", path, err)), l.Release())
	}
	return l, nil
}

// acquireByExistence is the lock where the operating system has none: of several processes one
// creates the file.
func acquireByExistence(path, doing string) (*Lock, error) {
	f, err := input.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, atomicfile.Perm)
	if errors.Is(err, fs.ErrExist) {
		e := lockedError(path, doing)
		e.Manual = true
		return nil, e
	}
	if err != nil {
		return nil, atomicfile.Error(fmt.Errorf("lock: %w", err))
	}
	l := &Lock{path: path, f: f}
	if err := l.write(); err != nil {
		return nil, errors.Join(atomicfile.Error(fmt.Errorf("lock %s: %w", path, err)), l.Release())
	}
	return l, nil
}

func lockedError(path, doing string) *LockedError {
	e := &LockedError{Path: path, Doing: doing}
	if h, ok := readHolder(path); ok {
		e.PID, e.Host, e.Since = h.PID, h.Host, h.Since
	}
	return e
}

// maxHolder bounds what is read of a lock file.
const maxHolder = 4096

func readHolder(path string) (h holder, ok bool) {
	data, err := input.Read(path, maxHolder)
	return h, err == nil && json.Unmarshal(data, &h) == nil && h.PID != 0
}

// write puts this process into the lock file.
func (l *Lock) write() error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	// Numbers and strings are always encoded.
	data, _ := json.Marshal(holder{os.Getpid(), host, time.Now().UTC().Format(time.RFC3339)})
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	_, err = l.f.WriteAt(append(data, '\n'), 0)
	return err
}

// Release removes the lock file and lets go of it.
func (l *Lock) Release() error {
	return filelock.Remove(l.f, l.path)
}
