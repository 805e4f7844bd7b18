package datasets

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"math"
	"slices"
	"strings"
)

// Data types and classes of MAT-files, level 5 (MathWorks, "MAT-File Format"): what an element
// holds, and what a matrix is.
const (
	miInt8, miUint8, miInt16, miUint16, miInt32, miUint32 = 1, 2, 3, 4, 5, 6
	miSingle, miDouble, miInt64, miUint64                 = 7, 9, 12, 13
	miMatrix, miCompressed, miUTF8, miUTF16               = 14, 15, 16, 17

	mxStruct, mxChar            = 2, 4
	mxFirstNumber, mxLastNumber = 6, 15
)

const (
	matHeader = 128
	// maxMAT bounds a MAT-file and, together, what its compressed elements become: meta.mat has
	// about 1.5 MB uncompressed.
	maxMAT = 16 << 20
	// maxFields bounds the fields of a struct; those of meta.mat are 8.
	maxFields = 64
	// maxSynsets bounds the rows of the table; meta.mat has 1860.
	maxSynsets = 100_000
)

// synset is a row of the table `synsets` in meta.mat.
type synset struct {
	id       int    // ILSVRC2012_ID: from 1, the 1000 classes first
	wnid     string // WNID
	children int    // num_children: 0 for a class, more for a group of classes
}

// readSynsets reads the struct array `synsets` of the development kit's meta.mat and ignores
// whatever else the file holds. What is not read is not allocated. It fails with ErrData.
func readSynsets(file []byte) ([]synset, error) {
	if len(file) < matHeader {
		return nil, faultf(ErrData, "%d bytes, and the header of a MAT-file has %d", len(file), matHeader)
	}
	m := matReader{budget: maxMAT}
	switch string(file[matHeader-2 : matHeader]) {
	case "IM":
		m.order = binary.LittleEndian
	case "MI":
		m.order = binary.BigEndian
	default:
		return nil, faultf(ErrData, "byte offset %d: not a MAT-file of level 5 (is it of version 7.3, an HDF5 file? save it with -v7)", matHeader-2)
	}
	rest := file[matHeader:]
	for len(rest) > 0 {
		at := len(file) - len(rest)
		kind, body, next, err := m.element(rest)
		if err == nil && kind == miCompressed {
			kind, body, err = m.inflate(body)
		}
		if err != nil {
			return nil, faultf(ErrData, "element at byte offset %d: %w", at, err)
		}
		rest = next
		if kind != miMatrix {
			continue
		}
		table, found, err := m.table(body)
		if err != nil {
			return nil, faultf(ErrData, "element at byte offset %d: %w", at, err)
		}
		if found {
			return table, nil
		}
	}
	return nil, faultf(ErrData, "holds no struct array `synsets`")
}

// matReader takes elements apart. Its budget is what may still be decompressed.
type matReader struct {
	order  binary.ByteOrder
	budget int64
}

// element splits off the first element of data: its type, its contents, what follows it.
func (m *matReader) element(data []byte) (kind int, body, rest []byte, err error) {
	if len(data) < 8 {
		return 0, nil, nil, faultf(ErrData, "%d bytes left, and a tag has 8", len(data))
	}
	word := m.order.Uint32(data)
	// In the small form type and length share a word, and up to four bytes follow.
	if small := word >> 16; small != 0 {
		if small > 4 {
			return 0, nil, nil, faultf(ErrData, "a small element of %d bytes", small)
		}
		return int(word & 0xffff), data[4 : 4+small], data[8:], nil
	}
	kind, size := int(word), int64(m.order.Uint32(data[4:]))
	if size > int64(len(data)-8) {
		return 0, nil, nil, faultf(ErrData, "an element of %d bytes, and %d are left", size, len(data)-8)
	}
	body = data[8 : 8+size]
	end := 8 + size
	if kind != miCompressed { // which alone is not padded to eight bytes
		end = min((end+7)&^7, int64(len(data)))
	}
	return kind, body, data[end:], nil
}

// inflate decompresses a compressed element, which holds one element.
func (m *matReader) inflate(body []byte) (kind int, inner []byte, err error) {
	// Once to count them, before memory is taken.
	n, err := decompress(body, func(r io.Reader) (int64, error) { return io.Copy(io.Discard, io.LimitReader(r, m.budget+1)) })
	if err != nil {
		return 0, nil, faultf(ErrData, "%w", err)
	}
	if m.budget -= n; m.budget < 0 {
		return 0, nil, faultf(ErrData, "more than %d bytes when decompressed", maxMAT)
	}
	data := make([]byte, n)
	if _, err := decompress(body, func(r io.Reader) (int64, error) { n, err := io.ReadFull(r, data); return int64(n), err }); err != nil {
		return 0, nil, faultf(ErrData, "%w", err)
	}
	kind, inner, _, err = m.element(data)
	return kind, inner, err
}

func decompress(body []byte, read func(io.Reader) (int64, error)) (int64, error) {
	z, err := zlib.NewReader(bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	defer z.Close()
	return read(z)
}

// matrix is the head of a matrix, and the elements behind it.
type matrix struct {
	class int
	count int // product of the dimensions
	name  string
	rest  []byte
}

func (m *matReader) matrix(body []byte) (matrix, error) {
	if len(body) == 0 { // an empty matrix may be nothing at all
		return matrix{}, nil
	}
	var x matrix
	kind, flags, rest, err := m.element(body)
	if err != nil || kind != miUint32 || len(flags) < 8 {
		return x, faultf(ErrData, "a matrix without flags")
	}
	x.class = int(m.order.Uint32(flags) & 0xff)
	kind, dims, rest, err := m.element(rest)
	if err != nil || kind != miInt32 || len(dims) < 8 {
		return x, faultf(ErrData, "a matrix without dimensions")
	}
	x.count = 1
	for ; len(dims) >= 4; dims = dims[4:] {
		d := int(int32(m.order.Uint32(dims)))
		if d < 0 || d > 0 && x.count > math.MaxInt32/d {
			return x, faultf(ErrData, "a matrix with a dimension of %d", d)
		}
		x.count *= d
	}
	_, name, rest, err := m.element(rest)
	if err != nil {
		return x, faultf(ErrData, "a matrix without a name")
	}
	x.name, x.rest = string(name), rest
	return x, nil
}

// table reads a matrix if it is the struct array `synsets`.
func (m *matReader) table(body []byte) (rows []synset, found bool, err error) {
	x, err := m.matrix(body)
	if err != nil || x.class != mxStruct || x.name != "synsets" {
		return nil, false, err
	}
	fields, rest, err := m.fieldNames(x.rest)
	if err != nil {
		return nil, true, err
	}
	for _, want := range []string{"ILSVRC2012_ID", "WNID", "num_children"} {
		if !slices.Contains(fields, want) {
			return nil, true, faultf(ErrData, "`synsets` has no field %s", want)
		}
	}
	if x.count > maxSynsets {
		return nil, true, faultf(ErrData, "`synsets` with %d rows", x.count)
	}
	for i := range x.count {
		var row synset
		for _, field := range fields {
			kind, value, next, err := m.element(rest)
			if err != nil || kind != miMatrix {
				return nil, true, faultf(ErrData, "`synsets`, row %d of %d: no %s", i+1, x.count, field)
			}
			rest = next
			if err := m.set(&row, field, value); err != nil {
				return nil, true, faultf(ErrData, "`synsets`, row %d, %s: %w", i+1, field, err)
			}
		}
		rows = append(rows, row)
	}
	return rows, true, nil
}

// fieldNames reads the names of a struct's fields: a length, and that many bytes for each.
func (m *matReader) fieldNames(rest []byte) (names []string, after []byte, err error) {
	kind, length, rest, err := m.element(rest)
	if err != nil || kind != miInt32 || len(length) < 4 {
		return nil, nil, faultf(ErrData, "a struct without the length of its field names")
	}
	n := int(int32(m.order.Uint32(length)))
	_, text, rest, err := m.element(rest)
	if err != nil || n < 1 || len(text)%n != 0 || len(text)/n > maxFields {
		return nil, nil, faultf(ErrData, "a struct with field names of %d bytes in %d", n, len(text))
	}
	for ; len(text) > 0; text = text[n:] {
		name, _, _ := strings.Cut(string(text[:n]), "\x00")
		names = append(names, name)
	}
	return names, rest, nil
}

// set takes over one value of a row.
func (m *matReader) set(row *synset, field string, value []byte) error {
	var to *int
	switch field {
	case "WNID":
		text, err := m.text(value)
		row.wnid = text
		return err
	case "ILSVRC2012_ID":
		to = &row.id
	case "num_children":
		to = &row.children
	default:
		return nil
	}
	v, err := m.number(value)
	*to = v
	return err
}

// text reads a short row of characters.
func (m *matReader) text(body []byte) (string, error) {
	x, err := m.matrix(body)
	if err != nil {
		return "", err
	}
	if x.class != mxChar || x.count > 64 {
		return "", faultf(ErrData, "not a short text")
	}
	kind, chars, _, err := m.element(x.rest)
	if err != nil {
		return "", err
	}
	if kind != miUint16 && kind != miUTF16 {
		return string(chars), nil
	}
	var out []rune
	for ; len(chars) >= 2; chars = chars[2:] {
		out = append(out, rune(m.order.Uint16(chars)))
	}
	return string(out), nil
}

// number reads a whole number that is alone in its matrix.
func (m *matReader) number(body []byte) (int, error) {
	x, err := m.matrix(body)
	if err != nil {
		return 0, err
	}
	if x.class < mxFirstNumber || x.class > mxLastNumber || x.count != 1 {
		return 0, faultf(ErrData, "not a single number")
	}
	kind, b, _, err := m.element(x.rest)
	if err != nil {
		return 0, err
	}
	sizes := map[int]int{miInt8: 1, miUint8: 1, miInt16: 2, miUint16: 2, miInt32: 4, miUint32: 4, miSingle: 4, miDouble: 8, miInt64: 8, miUint64: 8}
	if n := sizes[kind]; n == 0 || len(b) != n {
		return 0, faultf(ErrData, "a number of type %d in %d bytes", kind, len(b))
	}
	var v float64
	switch kind {
	case miInt8:
		v = float64(int8(b[0]))
	case miUint8:
		v = float64(b[0])
	case miInt16:
		v = float64(int16(m.order.Uint16(b)))
	case miUint16:
		v = float64(m.order.Uint16(b))
	case miInt32:
		v = float64(int32(m.order.Uint32(b)))
	case miUint32:
		v = float64(m.order.Uint32(b))
	case miSingle:
		v = float64(math.Float32frombits(m.order.Uint32(b)))
	case miDouble:
		v = math.Float64frombits(m.order.Uint64(b))
	case miInt64:
		v = float64(int64(m.order.Uint64(b)))
	case miUint64:
		v = float64(m.order.Uint64(b))
	}
	if v != math.Trunc(v) || math.Abs(v) > 1<<31 {
		return 0, faultf(ErrData, "%v is not a whole number in range", v)
	}
	return int(v), nil
}
