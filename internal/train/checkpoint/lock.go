package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"resnet/internal/atomicfile"
)

// Lock keeps other trainings out of a run folder until it is released or its process ends.
//
// The file run/lock is locked through the operating system, which lets go of it when the process
// dies, however it dies: a lock is never stale, and two processes cannot both take one over. The
// content says who holds it, for the message of the one who comes second. On a file system without
// such locks a file's existence is the lock; there it is lock.held, and after a crash a person has
// to remove it.
type Lock struct {
	// TakenFrom names the process that died with the lock; "" when it was free.
	TakenFrom string

	path string
	f    *os.File
}

// LockedError says who has a run folder. It is an ErrLocked.
type LockedError struct {
	Path  string // of the lock file
	PID   int    // 0 when it cannot be read
	Host  string
	Since string // RFC 3339
	// Manual is set where the operating system does not notice that the holder died.
	Manual bool
}

// Error names the folder's lock and its holder, and says what to do.
func (e *LockedError) Error() string {
	text := fmt.Sprintf("%s: another training is in this run folder", e.Path)
	if e.PID != 0 {
		text = fmt.Sprintf("%s: %s is training in this run folder", e.Path, holder{e.PID, e.Host, e.Since})
	}
	if e.Manual {
		return text + ": if it has ended, remove the file"
	}
	return text + ": wait for it, stop it, or choose another folder"
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
	return fmt.Sprintf("process %d on %s (since %s)", h.PID, quoteUnlessPlain(h.Host), quoteUnlessPlain(h.Since))
}

var errNoLocks = errors.New("file locks are not supported here")

// AcquireLock locks a run folder, which must exist. It fails with a *LockedError at once when
// another process, or another Lock of this one, has it.
func AcquireLock(run string) (*Lock, error) {
	path := filepath.Join(run, "lock")
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, atomicfile.Perm)
		if err != nil {
			return nil, atomicfile.Error(fmt.Errorf("lock run folder: %w", err))
		}
		l, err := lockOpened(f, path)
		if l != nil || err != nil {
			return l, err
		}
	}
}

// lockOpened locks path's file, which is open as f. It returns nil without an error when f is no
// longer path's: the holder before may have removed the file after it was opened here, and a lock
// on a file without a name keeps nobody out.
func lockOpened(f *os.File, path string) (*Lock, error) {
	locked, err := tryLock(f)
	switch {
	case errors.Is(err, errNoLocks):
		f.Close()
		// The path itself exists by now, with any number of openers.
		return acquireByExistence(path + ".held")
	case err != nil:
		f.Close()
		return nil, atomicfile.Error(fmt.Errorf("lock %s: %w", path, err))
	case !locked:
		f.Close()
		return nil, lockedError(path)
	case !sameFile(f, path):
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
func acquireByExistence(path string) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, atomicfile.Perm)
	if errors.Is(err, fs.ErrExist) {
		e := lockedError(path)
		e.Manual = true
		return nil, e
	}
	if err != nil {
		return nil, atomicfile.Error(fmt.Errorf("lock run folder: %w", err))
	}
	l := &Lock{path: path, f: f}
	if err := l.write(); err != nil {
		return nil, errors.Join(atomicfile.Error(fmt.Errorf("lock %s: %w", path, err)), l.Release())
	}
	return l, nil
}

func lockedError(path string) *LockedError {
	e := &LockedError{Path: path}
	if h, ok := readHolder(path); ok {
		e.PID, e.Host, e.Since = h.PID, h.Host, h.Since
	}
	return e
}

func readHolder(path string) (h holder, ok bool) {
	data, err := os.ReadFile(path)
	return h, err == nil && json.Unmarshal(data, &h) == nil && h.PID != 0
}

func sameFile(f *os.File, path string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Stat(path)
	return err == nil && os.SameFile(a, b)
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
	return releaseLock(l.f, l.path)
}
