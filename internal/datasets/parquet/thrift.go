package parquet

import (
	"encoding/binary"
	"errors"

	"github.com/parquet-go/parquet-go/encoding/thrift"

	"resnet/internal/datasets/fault"
)

const (
	// maxThriftItems bounds the entries of all lists of a structure, of which the largest take some
	// hundred bytes each in memory.
	maxThriftItems = 1 << 18
	maxThriftDepth = 32
)

// errThriftEnd says that a structure goes on behind the bytes that are there.
var errThriftEnd = errors.New("it ends early")

// decodeThrift reads a structure of Thrift's compact protocol at the start of data and gives its
// length. The library makes lists as long as they say they are, before it reads them, so what they
// say is held to the bytes that are there first.
func decodeThrift(data []byte, into any) (n int, err error) {
	s := thriftScan{data: data}
	if err := s.structure(0); err != nil {
		return 0, err
	}
	// It panics on types that it does not expect: what a file says is an error, not an end.
	defer func() {
		if r := recover(); r != nil {
			err = fault.Dataf("its metadata cannot be read: %v", r)
		}
	}()
	var p thrift.CompactProtocol
	if err := thrift.Unmarshal(&p, data[:s.at], into); err != nil {
		return 0, fault.Dataf("its metadata cannot be read: %w", err)
	}
	return s.at, nil
}

// thriftScan passes over a structure without keeping any of it.
type thriftScan struct {
	data  []byte
	at    int
	items int
}

func (s *thriftScan) skip(n uint64) error {
	if n > uint64(len(s.data)-s.at) {
		return errThriftEnd
	}
	s.at += int(n)
	return nil
}

func (s *thriftScan) number() (uint64, error) {
	v, n := binary.Uvarint(s.data[s.at:])
	switch {
	case n == 0:
		return 0, errThriftEnd
	case n < 0:
		return 0, fault.Dataf("its metadata have a number of more than 64 bits")
	}
	s.at += n
	return v, nil
}

func (s *thriftScan) octet() (byte, error) {
	if s.at >= len(s.data) {
		return 0, errThriftEnd
	}
	s.at++
	return s.data[s.at-1], nil
}

func (s *thriftScan) structure(depth int) error {
	if depth > maxThriftDepth {
		return fault.Dataf("its metadata are nested more than %d deep", maxThriftDepth)
	}
	for {
		head, err := s.octet()
		if err != nil || head == 0 {
			return err
		}
		if head>>4 == 0 {
			if _, err := s.number(); err != nil {
				return err
			}
		}
		// Of a field, a truth value is its type.
		if kind := thrift.Type(head & 15); kind != thrift.TRUE && kind != thrift.FALSE {
			if err := s.value(kind, depth); err != nil {
				return err
			}
		}
	}
}

func (s *thriftScan) value(kind thrift.Type, depth int) error {
	switch kind {
	case thrift.TRUE, thrift.FALSE, thrift.I8:
		return s.skip(1)
	case thrift.I16, thrift.I32, thrift.I64:
		_, err := s.number()
		return err
	case thrift.DOUBLE:
		return s.skip(8)
	case thrift.BINARY:
		n, err := s.number()
		if err != nil {
			return err
		}
		return s.skip(n)
	case thrift.LIST, thrift.SET:
		return s.list(depth)
	case thrift.STRUCT:
		return s.structure(depth + 1)
	}
	return fault.Dataf("its metadata have a value of type %d, which Parquet's have not", kind)
}

func (s *thriftScan) list(depth int) error {
	if depth > maxThriftDepth {
		return fault.Dataf("its metadata are nested more than %d deep", maxThriftDepth)
	}
	head, err := s.octet()
	if err != nil {
		return err
	}
	n := uint64(head >> 4)
	if n == 15 {
		if n, err = s.number(); err != nil {
			return err
		}
	}
	if n > uint64(maxThriftItems-s.items) {
		return fault.Dataf("its metadata have more than %d entries", maxThriftItems)
	}
	s.items += int(n)
	for range n {
		if err := s.value(thrift.Type(head&15), depth+1); err != nil {
			return err
		}
	}
	return nil
}
