package weights

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Tensor is a tensor to write, row-major. F32 takes its values from Data, I64 from Ints; a nil
// Shape is a scalar.
type Tensor struct {
	Name  string
	DType DType
	Shape []int
	Data  []float32
	Ints  []int64
}

func (t Tensor) len() int {
	if t.DType == I64 {
		return len(t.Ints)
	}
	return len(t.Data)
}

// check fails when the tensor cannot be written.
func (t Tensor) check() error {
	if t.Name == metadataKey || !utf8.ValidString(t.Name) {
		return fmt.Errorf("safetensors: tensor %q: not a legal name", t.Name)
	}
	if t.DType != F32 && t.DType != I64 {
		return fmt.Errorf("safetensors: tensor %q: %s cannot be written", t.Name, t.DType)
	}
	if t.DType == F32 && t.Ints != nil || t.DType == I64 && t.Data != nil {
		return fmt.Errorf("safetensors: tensor %q: %s with values of another type", t.Name, t.DType)
	}
	for _, d := range t.Shape {
		if d < 0 {
			return fmt.Errorf("safetensors: tensor %q: shape %v", t.Name, t.Shape)
		}
	}
	e := Entry{Name: t.Name, DType: t.DType, Shape: t.Shape, end: int64(t.len()) * int64(t.DType.Size())}
	if err := e.check(); err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	return nil
}

// Write writes the tensors and the metadata as safetensors. The bytes are a function of the
// arguments alone: metadata keys are sorted, tensors stand in the given order, except that I64 come
// before F32, so that each tensor is aligned to its element (PyTorch requires that); the header is
// padded with spaces to a multiple of 8 bytes.
func Write(w io.Writer, tensors []Tensor, meta map[string]string) error {
	tensors, header, err := layout(tensors, meta)
	if err != nil {
		return err
	}
	if err := writeAll(w, binary.LittleEndian.AppendUint64(nil, uint64(len(header)))); err != nil {
		return err
	}
	if err := writeAll(w, header); err != nil {
		return err
	}
	var buf []byte
	for _, t := range tensors {
		for ints := range slices.Chunk(t.Ints, chunk) {
			buf = buf[:0]
			for _, v := range ints {
				buf = binary.LittleEndian.AppendUint64(buf, uint64(v))
			}
			if err := writeAll(w, buf); err != nil {
				return err
			}
		}
		for floats := range slices.Chunk(t.Data, chunk) {
			buf = buf[:0]
			for _, v := range floats {
				buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
			}
			if err := writeAll(w, buf); err != nil {
				return err
			}
		}
	}
	return nil
}

// chunk is the number of values encoded for one call of Write.
const chunk = 1 << 14

// writeAll makes a short write an error.
func writeAll(w io.Writer, b []byte) error {
	n, err := w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return err
}

// EncodedSize is the number of bytes that Write writes.
func EncodedSize(tensors []Tensor, meta map[string]string) (int64, error) {
	tensors, header, err := layout(tensors, meta)
	if err != nil {
		return 0, err
	}
	n := 8 + int64(len(header))
	for _, t := range tensors {
		n += int64(t.len()) * int64(t.DType.Size())
	}
	return n, nil
}

// layout checks the tensors and returns them in the order of their data, and the padded header.
func layout(tensors []Tensor, meta map[string]string) ([]Tensor, []byte, error) {
	sorted := slices.Clone(tensors)
	slices.SortStableFunc(sorted, func(a, b Tensor) int {
		return b.DType.Size() - a.DType.Size()
	})
	h := []byte{'{'}
	if len(meta) > 0 {
		h = append(appendString(h, metadataKey), ':', '{')
		for i, key := range slices.Sorted(maps.Keys(meta)) {
			if !utf8.ValidString(key) || !utf8.ValidString(meta[key]) {
				return nil, nil, fmt.Errorf("safetensors: metadata %q: not UTF-8", key)
			}
			if i > 0 {
				h = append(h, ',')
			}
			h = append(appendString(h, key), ':')
			h = appendString(h, meta[key])
		}
		h = append(h, '}')
	}
	seen := make(map[string]bool, len(sorted))
	at := int64(0)
	for _, t := range sorted {
		if err := t.check(); err != nil {
			return nil, nil, err
		}
		if seen[t.Name] {
			return nil, nil, fmt.Errorf("safetensors: tensor %q: twice", t.Name)
		}
		seen[t.Name] = true
		if len(h) > 1 {
			h = append(h, ',')
		}
		end := at + int64(t.len())*int64(t.DType.Size())
		h = appendString(h, t.Name)
		h = append(h, `:{"dtype":"`+t.DType.String()+`","shape":[`...)
		for i, d := range t.Shape {
			if i > 0 {
				h = append(h, ',')
			}
			h = strconv.AppendInt(h, int64(d), 10)
		}
		h = append(h, `],"data_offsets":[`...)
		h = strconv.AppendInt(h, at, 10)
		h = append(h, ',')
		h = strconv.AppendInt(h, end, 10)
		h = append(h, "]}"...)
		at = end
	}
	h = append(h, '}')
	for len(h)%8 != 0 {
		h = append(h, ' ')
	}
	if len(h) > MaxHeader {
		return nil, nil, fmt.Errorf("safetensors: header of %d bytes, at most %d are allowed", len(h), MaxHeader)
	}
	return sorted, h, nil
}

func appendString(b []byte, s string) []byte {
	q, _ := json.Marshal(s) // a string always encodes
	return append(b, q...)
}
