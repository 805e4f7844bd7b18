package kaldi

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"resnet/internal/datasets/fault"
)

// maxKey is longer than any key of a corpus; what has no space for so long is no archive.
const maxKey = 4096

// Reader reads the entries of an archive one after another.
type Reader struct {
	r     *bufio.Reader
	name  string
	at    int64 // bytes read
	limit int64 // bytes that an object may have, or 0
	close func() error
}

// NewReader reads an archive from a stream that is not compressed; name stands in messages.
func NewReader(r io.Reader, name string) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 1<<16), name: name}
}

// OpenArk opens an archive, which may be compressed with gzip. Pipes and `-` are refused.
func OpenArk(path string) (*Reader, error) {
	if err := refusePipe(path, "archive"); err != nil {
		return nil, err
	}
	s, err := openFile(path, 0)
	if err != nil {
		return nil, err
	}
	return &Reader{r: s.Reader, name: path, limit: s.limit, close: s.Close}, nil
}

// Close closes the file that OpenArk opened.
func (r *Reader) Close() error {
	if r.close == nil {
		return nil
	}
	return r.close()
}

// Next reads an entry. After the last one it returns io.EOF.
func (r *Reader) Next() (key string, v Value, err error) {
	key, err = r.key()
	if err != nil {
		return "", Value{}, err
	}
	start := r.at
	if v, err = r.object(); err != nil {
		return key, Value{}, fmt.Errorf("%s: entry %q at byte %d: %w", r.name, key, start, err)
	}
	return key, v, nil
}

// key reads up to the space behind a key and takes it.
func (r *Reader) key() (string, error) {
	var key []byte
	for {
		c, err := r.byte()
		switch {
		case errors.Is(err, io.EOF) && len(key) == 0:
			return "", io.EOF
		case errors.Is(err, io.EOF):
			return "", fault.Dataf("%s: the file ends at byte %d after the key %q", r.name, r.at, key)
		case err != nil:
			return "", fmt.Errorf("%s: %w", r.name, r.ended(err, "a key"))
		case c == ' ' || c == '\t':
			if len(key) > 0 {
				return string(key), nil
			}
		case c == '\n' || c == '\r':
			if len(key) > 0 { // a key with nothing behind it: integers of no frames
				if err := r.r.UnreadByte(); err == nil {
					r.at--
				}
				return string(key), nil
			}
		case c < ' ' || len(key) == maxKey:
			return "", fault.Dataf("%s: byte %d: no key of an entry: this is no Kaldi archive, or it is damaged before here", r.name, r.at-1)
		default:
			key = append(key, c)
		}
	}
}

func (r *Reader) byte() (byte, error) {
	c, err := r.r.ReadByte()
	if err == nil {
		r.at++
	}
	return c, err
}

// ended makes an end of file inside an object an error of the data.
func (r *Reader) ended(err error, what string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fault.Dataf("the file ends at byte %d in %s: copy or write it anew", r.at, what)
	}
	var corrupt interface{ Timeout() bool } // system errors have it; those of gzip do not
	if errors.As(err, &corrupt) {
		return err
	}
	return fault.Dataf("byte %d: %w", r.at, err)
}

// object reads what follows a key.
func (r *Reader) object() (Value, error) {
	head, err := r.r.Peek(4)
	switch {
	case len(head) >= 2 && head[0] == 0 && head[1] == 'B':
		if _, err := r.bytes(2, "a header"); err != nil {
			return Value{}, err
		}
		return r.binary()
	case string(head) == "RIFF" || string(head) == "fLaC":
		return Value{}, fault.Dataf("a recording, not a matrix: give the archive's entries in a wav.scp")
	case len(head) == 0 && err != io.EOF:
		return Value{}, r.ended(err, "a header")
	}
	return r.text()
}

// binary reads an object behind \0B.
func (r *Reader) binary() (Value, error) {
	c, err := r.byte()
	if err != nil {
		return Value{}, r.ended(err, "a header")
	}
	if c == 4 {
		return r.integers()
	}
	token := []byte{c}
	for len(token) < 5 {
		c, err := r.byte()
		if err != nil {
			return Value{}, r.ended(err, "a header")
		}
		if c == ' ' {
			break
		}
		token = append(token, c)
	}
	switch kind := Kind(token); kind {
	case FloatMatrix, DoubleMatrix, FloatVector, DoubleVector:
		return r.dense(kind)
	case Compressed, Compressed2, Compressed3:
		return r.compressed(kind)
	}
	return Value{}, fault.Dataf("an object %q: FM, DM, FV, DV, CM, CM2, CM3 and integers are read", token)
}

// dimension reads a number that is marked by its size, \4.
func (r *Reader) dimension() (int, error) {
	b, err := r.bytes(5, "a header")
	if err != nil {
		return 0, err
	}
	n := int32(binary.LittleEndian.Uint32(b[1:]))
	if b[0] != 4 || n < 0 {
		return 0, fault.Dataf("byte %d: no dimension", r.at-5)
	}
	return int(n), nil
}

// size checks the shape of a matrix and returns the bytes of its values.
func size(rows, cols, width int) (int64, error) {
	if rows < 0 || cols < 0 || (rows == 0) != (cols == 0) {
		return 0, fault.Dataf("a matrix of %d × %d", rows, cols)
	}
	n := int64(rows) * int64(cols) // both below 2³¹
	if n > math.MaxInt64/16 {
		return 0, fault.Dataf("a matrix of %d × %d", rows, cols)
	}
	return n * int64(width), nil
}

func (r *Reader) dense(kind Kind) (Value, error) {
	v := Value{Kind: kind, Rows: 1}
	var err error
	if !v.IsVector() {
		if v.Rows, err = r.dimension(); err != nil {
			return v, err
		}
	}
	if v.Cols, err = r.dimension(); err != nil {
		return v, err
	}
	width := 4
	if kind == DoubleMatrix || kind == DoubleVector {
		width = 8
	}
	if v.IsVector() && v.Cols == 0 {
		v.Rows = 0
	}
	n, err := size(v.Rows, v.Cols, width)
	if err != nil {
		return v, err
	}
	b, err := r.bytes(n, fmt.Sprintf("a matrix of %d × %d", v.Rows, v.Cols))
	if err != nil {
		return v, err
	}
	if width == 4 {
		v.Floats = make([]float32, len(b)/4)
		for i := range v.Floats {
			v.Floats[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
		return v, nil
	}
	v.Doubles = make([]float64, len(b)/8)
	for i := range v.Doubles {
		v.Doubles[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return v, nil
}

// integers reads a vector behind \0B\4: each element is marked with its size.
func (r *Reader) integers() (Value, error) {
	head, err := r.bytes(4, "a header")
	if err != nil {
		return Value{}, err
	}
	n := int32(binary.LittleEndian.Uint32(head))
	if n < 0 {
		return Value{}, fault.Dataf("%d integers", n)
	}
	b, err := r.bytes(5*int64(n), fmt.Sprintf("%d integers", n))
	if err != nil {
		return Value{}, err
	}
	v := Value{Kind: Integers, Rows: 1, Cols: int(n), Ints: make([]int32, n)}
	for i := range v.Ints {
		if b[5*i] != 4 {
			return Value{}, fault.Dataf("integer %d of %d is not of four bytes", i, n)
		}
		v.Ints[i] = int32(binary.LittleEndian.Uint32(b[5*i+1:]))
	}
	return v, nil
}

// bytes reads n bytes; the memory grows with what is there.
func (r *Reader) bytes(n int64, what string) ([]byte, error) {
	if r.limit > 0 && n > r.limit {
		return nil, fault.Dataf("%s of %d bytes in a compressed file that is far too small for it", what, n)
	}
	const step = 1 << 20
	b := make([]byte, 0, min(n, step))
	for int64(len(b)) < n {
		part := min(n-int64(len(b)), max(step, int64(len(b))))
		b = slices.Grow(b, int(part))
		m, err := io.ReadFull(r.r, b[len(b):len(b)+int(part)])
		r.at += int64(m)
		b = b[:len(b)+m]
		if err != nil {
			return nil, r.ended(err, what)
		}
	}
	return b, nil
}
