package kaldi

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"strings"
	"unicode"

	"resnet/internal/atomicfile"
	"resnet/internal/datasets/fault"
	"resnet/internal/folderlock"
)

// ErrWrite marks a file that could not be written.
var ErrWrite = atomicfile.ErrIO

// tempKind is what the temporary names of archives and scripts say (see atomicfile).
const tempKind = "kaldi"

// Writer writes an archive and, if wanted, the script that points into it. Both appear under their
// names when Commit is called, complete or not at all.
type Writer struct {
	fsys     atomicfile.FS
	ark, scp *atomicfile.File
	name     string // of the archive, as written into the script
	at       int64
	seen     map[string]bool
	scratch  []byte
	lock     *folderlock.Lock // of the archive; nil in tests of faults
	older    io.Closer        // the claim on an older script that is set aside, or nil
}

// Create starts an archive; with scp "" without a script. The script's lines name the archive as
// ark does: a relative path is then relative to the working directory, as Kaldi's programs write
// it. The archive is locked until Commit or Discard: of two processes that write it, one would put
// its script beside the other's archive. The second fails with folderlock.ErrLocked.
func Create(ark, scp string) (*Writer, error) {
	w, err := create(atomicfile.OS, ark, scp)
	if err != nil {
		return nil, err
	}
	target := w.ark.Target()
	w.lock, err = folderlock.Acquire(filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+".lock"), "writing this archive")
	if err != nil {
		w.Discard()
		return nil, err
	}
	return w, nil
}

func create(fsys atomicfile.FS, ark, scp string) (*Writer, error) {
	if strings.ContainsAny(ark, " \t\n|[]") {
		return nil, fault.Errorf(fault.ErrConfig, "%q: a script could not name an archive with spaces, bars or brackets in its path", ark)
	}
	w := &Writer{fsys: fsys, name: ark, seen: map[string]bool{}}
	var err error
	if w.ark, err = atomicfile.Create(fsys, ark, tempKind); err != nil {
		return nil, err
	}
	if scp != "" {
		if w.scp, err = atomicfile.Create(fsys, scp, tempKind); err != nil {
			w.Discard()
			return nil, err
		}
	}
	return w, nil
}

// Write adds an object under a key. The kind of v says how it is stored: FM, DM, FV, DV, CM, CM2,
// CM3 (compressed from Floats) or integers; those of text are stored as their binary counterparts.
// A key that is no word or comes twice is fault.ErrData.
func (w *Writer) Write(key string, v Value) error {
	if key == "" || len(key) > maxKey || strings.IndexFunc(key, func(r rune) bool { return unicode.IsSpace(r) || r < ' ' }) >= 0 {
		return fault.Dataf("%q is no key: it is a word without spaces", key)
	}
	if w.seen[key] {
		return fault.Dataf("the key %q comes twice", key)
	}
	w.seen[key] = true
	b := append(w.scratch[:0], key...)
	b = append(b, ' ')
	offset := w.at + int64(len(b))
	b, err := v.encode(b)
	if err != nil {
		return fault.Dataf("%q: %w", key, err)
	}
	w.at += int64(len(b))
	w.scratch = b
	if _, err := w.ark.Write(b); err != nil {
		return err
	}
	if w.scp != nil {
		if _, err := fmt.Fprintf(w.scp, "%s %s:%d\n", key, w.name, offset); err != nil {
			return err
		}
	}
	return nil
}

// WriteMatrix adds a matrix of float32 [rows, cols].
func (w *Writer) WriteMatrix(key string, rows, cols int, data []float32) error {
	return w.Write(key, Value{Kind: FloatMatrix, Rows: rows, Cols: cols, Floats: data})
}

// Commit makes the files appear. While the archive is replaced, an older script stands under a
// temporary name, so that at no moment a script is beside an archive that it does not fit; if the
// archive cannot be replaced, it comes back.
func (w *Writer) Commit() error {
	defer w.Discard()
	if err := w.ark.Finish(); err != nil {
		return err
	}
	if w.scp == nil {
		return w.ark.Commit()
	}
	if err := w.scp.Finish(); err != nil {
		return err
	}
	aside, err := w.setAside(w.scp.Target())
	if err != nil {
		return err
	}
	err = w.ark.Commit()
	if err != nil && !w.ark.Committed() {
		return errors.Join(err, w.restore(aside, w.scp.Target()))
	}
	err = errors.Join(err, w.scp.Commit())
	if aside != "" { // it does not fit the archive any more
		if e := w.fsys.Remove(aside); e != nil {
			err = errors.Join(err, atomicfile.Error(fmt.Errorf("write %s: the older one stays: %w", w.scp.Target(), e)))
		}
	}
	return err
}

// setAside gives an older script a temporary name, which it returns, or "" where there is none. It
// is claimed before it has that name, so that no other process takes it for abandoned; one that
// may not be written to cannot be claimed, and is set aside all the same.
func (w *Writer) setAside(script string) (string, error) {
	if claim, err := w.fsys.Claim(script); err == nil {
		w.older = claim
	}
	aside := atomicfile.TempName(script, tempKind)
	err := w.fsys.Rename(script, aside)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err == nil {
		// Durable before the archive's new contents are, which may be in another folder.
		if err = w.fsys.SyncDir(filepath.Dir(script)); err != nil {
			err = errors.Join(err, w.restore(aside, script))
		}
	}
	if err != nil {
		return "", atomicfile.Error(fmt.Errorf("replace %s: %w", script, err))
	}
	return aside, nil
}

// restore gives an older script its name again.
func (w *Writer) restore(aside, script string) error {
	if aside == "" {
		return nil
	}
	if err := w.fsys.Rename(aside, script); err != nil {
		return atomicfile.Error(fmt.Errorf("the older script is %s: %w", aside, err))
	}
	return nil
}

// Discard removes what was written. After Commit it does nothing.
func (w *Writer) Discard() {
	w.ark.Discard()
	w.scp.Discard()
	if w.older != nil {
		_ = w.older.Close() // a claim has nothing to lose
		w.older = nil
	}
	if w.lock != nil {
		_ = w.lock.Release() // a lock without a holder is free
		w.lock = nil
	}
}

// WriteTo writes one object in Kaldi's binary form without a key, as in files that hold one alone.
func (v Value) WriteTo(w io.Writer) (int64, error) {
	b, err := v.encode(nil)
	if err != nil {
		return 0, err
	}
	n, err := w.Write(b)
	return int64(n), err
}

// encode appends the binary form.
func (v Value) encode(b []byte) ([]byte, error) {
	kind := v.Kind
	switch kind {
	case TextMatrix:
		kind = FloatMatrix
	case TextVector:
		kind = FloatVector
	case TextIntegers:
		kind = Integers
	}
	le, n := binary.LittleEndian, v.Rows*v.Cols
	if v.Rows > math.MaxInt32 || v.Cols > math.MaxInt32 || n != len(v.Floats)+len(v.Doubles)+len(v.Ints) {
		return nil, fmt.Errorf("%d values for %d × %d", len(v.Floats)+len(v.Doubles)+len(v.Ints), v.Rows, v.Cols)
	}
	dim := func(n int) { b = le.AppendUint32(append(b, 4), uint32(n)) }
	b = append(b, 0, 'B')
	switch {
	case kind == Integers && len(v.Ints) == n:
		dim(n)
		for _, x := range v.Ints {
			b = le.AppendUint32(append(b, 4), uint32(x))
		}
		return b, nil
	case (kind == Compressed || kind == Compressed2 || kind == Compressed3) && len(v.Floats) == n:
		return compress(b, kind, v.Rows, v.Cols, v.Floats)
	case (kind == FloatMatrix || kind == FloatVector) && len(v.Floats) == n, (kind == DoubleMatrix || kind == DoubleVector) && len(v.Doubles) == n:
	default:
		return nil, fmt.Errorf("values of another kind than %s", v.Kind)
	}
	b = append(append(b, kind...), ' ')
	if kind == FloatMatrix || kind == DoubleMatrix {
		dim(v.Rows)
	}
	dim(v.Cols)
	for _, x := range v.Floats {
		b = le.AppendUint32(b, math.Float32bits(x))
	}
	for _, x := range v.Doubles {
		b = le.AppendUint64(b, math.Float64bits(x))
	}
	return b, nil
}
