package onnx

import (
	"encoding/binary"
	"math"
)

// message is an encoded protobuf message. Field numbers are those of onnx.proto, IR version 8
// (github.com/onnx/onnx, Apache 2.0).
type message []byte

// Wire types of protobuf.
const (
	wireVarint = 0
	wireBytes  = 2
	wireFixed4 = 5
)

func (m *message) tag(field, wire int) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3|uint64(wire))
}

func (m *message) integer(field int, v int64) {
	m.tag(field, wireVarint)
	*m = binary.AppendUvarint(*m, uint64(v))
}

func (m *message) float(field int, v float32) {
	m.tag(field, wireFixed4)
	*m = binary.LittleEndian.AppendUint32(*m, math.Float32bits(v))
}

func (m *message) text(field int, s string) {
	m.tag(field, wireBytes)
	*m = binary.AppendUvarint(*m, uint64(len(s)))
	*m = append(*m, s...)
}

func (m *message) sub(field int, s message) {
	m.tag(field, wireBytes)
	*m = binary.AppendUvarint(*m, uint64(len(s)))
	*m = append(*m, s...)
}

// attribute is an AttributeProto of an integer, a list of them, a number or a text.
func attribute(name string, value any) message {
	var a message
	a.text(1, name)
	switch v := value.(type) {
	case int:
		a.integer(3, int64(v))
		a.integer(20, 2)
	case float64:
		a.float(2, float32(v))
		a.integer(20, 1)
	case []int:
		for _, i := range v {
			a.integer(8, int64(i))
		}
		a.integer(20, 7)
	case string:
		a.text(4, v)
		a.integer(20, 3)
	}
	return a
}

// Element types of TensorProto.
const (
	typeFloat = 1
	typeByte  = 2
	typeInt64 = 7
)

// floats is a TensorProto.
func floats(name string, shape []int, data []float32) message {
	t := make(message, 0, 4*len(data)+64)
	for _, d := range shape {
		t.integer(1, int64(d))
	}
	t.integer(2, typeFloat)
	t.text(8, name)
	t.tag(9, wireBytes)
	t = binary.AppendUvarint(t, uint64(4*len(data)))
	for _, v := range data {
		t = binary.LittleEndian.AppendUint32(t, math.Float32bits(v))
	}
	return t
}

// integers is a TensorProto of one dimension.
func integers(name string, data ...int) message {
	var t, raw message
	t.integer(1, int64(len(data)))
	t.integer(2, typeInt64)
	t.text(8, name)
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	t.sub(9, raw)
	return t
}

// value is a ValueInfoProto of an element type; a dimension is a number or the name of a free one.
func value(name string, element int, dims ...any) message {
	var shape, tensor, kind, v message
	for _, d := range dims {
		var dim message
		switch d := d.(type) {
		case int:
			dim.integer(1, int64(d))
		case string:
			dim.text(2, d)
		}
		shape.sub(1, dim)
	}
	tensor.integer(1, int64(element))
	tensor.sub(2, shape)
	kind.sub(1, tensor)
	v.text(1, name)
	v.sub(2, kind)
	return v
}
