package atomicfile

import (
	"errors"
	"fmt"
	"io"
)

// Appender is a file that grows by whole records: what a failed Append has left of one goes before
// the next. It is used by one goroutine at a time.
type Appender struct {
	path string
	h    WriteHandle
	size int64 // of the whole records
	torn bool  // a failed Append may have left part of one
}

// OpenAppend opens a file for appending, or makes it. What is in it counts as whole.
func OpenAppend(fsys FS, path string) (*Appender, error) {
	h, err := fsys.Append(path, Perm)
	if err != nil {
		return nil, Error(err)
	}
	a := &Appender{path: path, h: h}
	if a.size, err = h.Size(); err != nil {
		return nil, errors.Join(a.fail(err), h.Close())
	}
	return a, nil
}

func (a *Appender) fail(err error) error { return fail(a.path, "", err) }

// Size is that of the whole records, in bytes.
func (a *Appender) Size() int64 { return a.size }

// Append adds a record. After an error the file counts as it was before, and the next Append may
// succeed.
func (a *Appender) Append(record []byte) error { return a.append(record, false) }

// AppendSync is Append; the record is durable when it returns nil.
func (a *Appender) AppendSync(record []byte) error { return a.append(record, true) }

func (a *Appender) append(record []byte, durable bool) error {
	if a.torn {
		if err := a.h.Truncate(a.size); err != nil {
			return a.fail(err)
		}
	}
	a.torn = true
	n, err := a.h.Write(record)
	if err == nil && n < len(record) {
		err = io.ErrShortWrite
	}
	if err == nil && durable {
		err = a.h.Sync()
	}
	if err != nil {
		return a.fail(err)
	}
	a.torn = false
	a.size += int64(len(record))
	return nil
}

// Close closes the file and removes what a failed Append has left.
func (a *Appender) Close() error {
	var err error
	if a.torn {
		err = a.h.Truncate(a.size)
	}
	if err = errors.Join(err, a.h.Close()); err != nil {
		return Error(fmt.Errorf("%s: %w", a.path, err))
	}
	return nil
}
