package tensorboard

import (
	"encoding/binary"
	"hash/crc32"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// A Scalar is the value of a curve at a step. Tags group curves by what is before a slash:
// "test/error".
type Scalar struct {
	Tag   string
	Value float64 // written as float32
}

// event is one record: scalars of a step, or the version.
type event struct {
	wall    float64 // seconds since 1970
	step    int64
	version string
	scalars []Scalar
}

const version = "brain.Event:2"

// The field numbers of tensorflow.Event, Summary and Summary.Value.
const (
	eventWall, eventStep, eventVersion, eventSummary protowire.Number = 1, 2, 3, 5
	summaryValue                                     protowire.Number = 1
	valueTag, valueSimple                            protowire.Number = 1, 2
)

func (e event) encode() []byte {
	b := protowire.AppendTag(nil, eventWall, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, math.Float64bits(e.wall))
	if e.step != 0 {
		b = protowire.AppendTag(b, eventStep, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(e.step))
	}
	if e.version != "" {
		b = protowire.AppendTag(b, eventVersion, protowire.BytesType)
		b = protowire.AppendString(b, e.version)
	}
	var summary []byte
	for _, s := range e.scalars {
		var v []byte
		v = protowire.AppendTag(v, valueTag, protowire.BytesType)
		v = protowire.AppendString(v, s.Tag)
		v = protowire.AppendTag(v, valueSimple, protowire.Fixed32Type)
		v = protowire.AppendFixed32(v, math.Float32bits(float32(s.Value)))
		summary = protowire.AppendTag(summary, summaryValue, protowire.BytesType)
		summary = protowire.AppendBytes(summary, v)
	}
	if summary != nil {
		b = protowire.AppendTag(b, eventSummary, protowire.BytesType)
		b = protowire.AppendBytes(b, summary)
	}
	return b
}

// decode reads what encode writes: the step, the version and the tags. Other fields are passed
// over; ok is false for bytes that are no message.
func decode(b []byte) (e event, ok bool) {
	ok = fields(b, func(n protowire.Number, value uint64, data []byte) bool {
		switch n {
		case eventStep:
			e.step = int64(value)
		case eventVersion:
			e.version = string(data)
		case eventSummary:
			return fields(data, func(n protowire.Number, _ uint64, data []byte) bool {
				if n != summaryValue {
					return true
				}
				var s Scalar
				e.scalars = append(e.scalars, s)
				return fields(data, func(n protowire.Number, value uint64, data []byte) bool {
					last := &e.scalars[len(e.scalars)-1]
					switch n {
					case valueTag:
						last.Tag = string(data)
					case valueSimple:
						last.Value = float64(math.Float32frombits(uint32(value)))
					}
					return true
				})
			})
		}
		return true
	})
	return e, ok
}

// fields calls do with each field of a message; numbers are in value, strings and messages in data.
// It reports whether the message is whole and do never returned false.
func fields(b []byte, do func(n protowire.Number, value uint64, data []byte) bool) bool {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return false
		}
		b = b[n:]
		var value uint64
		var data []byte
		switch typ {
		case protowire.VarintType:
			value, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			value, n = protowire.ConsumeFixed64(b)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(b)
			value = uint64(v)
		case protowire.BytesType:
			data, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 || !do(num, value, data) {
			return false
		}
		b = b[n:]
	}
	return true
}

// headSize and tailSize are the bytes of a record around its data.
const (
	headSize = 12
	tailSize = 4
)

// appendRecord frames data as a TFRecord.
func appendRecord(b, data []byte) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(data)))
	b = binary.LittleEndian.AppendUint32(b, masked(b[start:start+8]))
	b = append(b, data...)
	return binary.LittleEndian.AppendUint32(b, masked(data))
}

// nextRecord returns the data of the record at the start of b and its size with the frame; 0 when
// it is torn or damaged.
func nextRecord(b []byte) (data []byte, size int) {
	if len(b) < headSize+tailSize || binary.LittleEndian.Uint32(b[8:]) != masked(b[:8]) {
		return nil, 0
	}
	n := binary.LittleEndian.Uint64(b)
	if n > uint64(len(b)-headSize-tailSize) {
		return nil, 0
	}
	data = b[headSize : headSize+int(n)]
	if binary.LittleEndian.Uint32(b[headSize+int(n):]) != masked(data) {
		return nil, 0
	}
	return data, headSize + int(n) + tailSize
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is the CRC-32C as TFRecord stores it: rotated by 15 bits and shifted by a constant, so
// that records of records do not hold the CRC of their own bytes.
func masked(b []byte) uint32 {
	c := crc32.Checksum(b, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}
