package kaldi

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strings"
	"unicode"

	"resnet/internal/datasets/fault"
)

// Writer writes an archive and, if wanted, the script that points into it. Both appear under their
// names when Commit is called, complete or not at all.
type Writer struct {
	ark, scp *atomicFile
	name     string // of the archive, as written into the script
	at       int64
	seen     map[string]bool
	scratch  []byte
}

// Create starts an archive; with scp "" without a script. The script's lines name the archive as
// ark does: a relative path is then relative to the working directory, as Kaldi's programs write
// it.
func Create(ark, scp string) (*Writer, error) {
	if strings.ContainsAny(ark, " \t\n|[]") {
		return nil, fault.Errorf(fault.ErrConfig, "%q: a script could not name an archive with spaces, bars or brackets in its path", ark)
	}
	w := &Writer{name: ark, seen: map[string]bool{}}
	var err error
	if w.ark, err = createFile(ark); err != nil {
		return nil, err
	}
	if scp != "" {
		if w.scp, err = createFile(scp); err != nil {
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
		return fmt.Errorf("%w: %s: %w", ErrWrite, w.name, err)
	}
	if w.scp != nil {
		if _, err := fmt.Fprintf(w.scp, "%s %s:%d\n", key, w.name, offset); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrWrite, w.scp.path, err)
		}
	}
	return nil
}

// WriteMatrix adds a matrix of float32 [rows, cols].
func (w *Writer) WriteMatrix(key string, rows, cols int, data []float32) error {
	return w.Write(key, Value{Kind: FloatMatrix, Rows: rows, Cols: cols, Floats: data})
}

// Commit makes the files appear. An older script is removed before the archive that it points into
// is replaced, so that at no moment a script stands beside an archive it does not fit.
func (w *Writer) Commit() error {
	defer w.Discard()
	if err := w.ark.finish(); err != nil {
		return err
	}
	if w.scp == nil {
		return w.ark.commit()
	}
	if err := w.scp.finish(); err != nil {
		return err
	}
	if err := os.Remove(w.scp.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrWrite, err)
	}
	if err := w.ark.commit(); err != nil {
		return err
	}
	return w.scp.commit()
}

// Discard removes what was written. After Commit it does nothing.
func (w *Writer) Discard() {
	w.ark.discard()
	w.scp.discard()
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
