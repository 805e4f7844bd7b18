package weights

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is a field of a message of protocol buffers: a number for varints and fixed types, bytes
// for what has a length.
type field struct {
	num   protowire.Number
	typ   protowire.Type
	value uint64
	bytes []byte
}

// eachField calls f with the fields of a message in their order. Groups are passed over, whatever
// they hold.
func eachField(b []byte, f func(field) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		x := field{num: num, typ: typ}
		switch typ {
		case protowire.VarintType:
			x.value, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(b)
			x.value = uint64(v)
		case protowire.Fixed64Type:
			x.value, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			x.bytes, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		if err := f(x); err != nil {
			return err
		}
	}
	return nil
}

// text is the field as a string.
func (x field) text() (string, error) {
	if x.typ != protowire.BytesType {
		return "", fmt.Errorf("field %d is no text", x.num)
	}
	return string(x.bytes), nil
}

// number is the field as a whole number from 0.
func (x field) number() (int, error) {
	if x.typ != protowire.VarintType || x.value > math.MaxInt32 {
		return 0, fmt.Errorf("field %d is no number that can be used", x.num)
	}
	return int(x.value), nil
}

// numbers appends a repeated whole number, packed or not, to a list of at most most.
func (x field) numbers(list []int, most int) ([]int, error) {
	if x.typ == protowire.VarintType {
		n, err := x.number()
		if err == nil && len(list) == most {
			err = fmt.Errorf("field %d has more than %d numbers", x.num, most)
		}
		return append(list, n), err
	}
	if x.typ != protowire.BytesType {
		return list, fmt.Errorf("field %d is no list of numbers", x.num)
	}
	for b := x.bytes; len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return list, protowire.ParseError(n)
		}
		b = b[n:]
		if v > math.MaxInt32 || len(list) == most {
			return list, fmt.Errorf("field %d is no list of numbers that can be used", x.num)
		}
		list = append(list, int(v))
	}
	return list, nil
}

// errWire is a message that is not what its place wants.
var errWire = errors.New("not a message of this kind")

// values appends a repeated float or double, packed or not.
func (x field) values(list []float32, d DType) ([]float32, error) {
	size := d.Size()
	switch {
	case x.typ == protowire.BytesType && len(x.bytes)%size == 0:
		n := len(x.bytes) / size
		at := len(list)
		list = append(list, make([]float32, n)...)
		decodeFloat32(list[at:], x.bytes, d)
	case x.typ == protowire.Fixed32Type && d == F32:
		list = append(list, math.Float32frombits(uint32(x.value)))
	case x.typ == protowire.Fixed64Type && d == F64:
		list = append(list, float32(math.Float64frombits(x.value)))
	default:
		return list, fmt.Errorf("field %d holds no %s values", x.num, d)
	}
	return list, nil
}
