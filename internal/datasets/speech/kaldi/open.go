package kaldi

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"

	"resnet/internal/datasets/fault"
	"resnet/internal/input"
)

// What an entry of a file compressed with gzip may hold: gzip itself could make a thousand times as
// much of nothing.
const (
	unpackedFree = 16 << 20
	unpackedRate = 100
)

// source is an open file, unpacked where it is compressed.
type source struct {
	*bufio.Reader
	file  *os.File
	limit int64 // bytes that an object may have; 0 where the file itself is the limit
}

// Close closes the file.
func (s *source) Close() error { return s.file.Close() }

// openFile opens a file for reading at an offset, which counts unpacked bytes.
func openFile(path string, offset int64) (*source, error) {
	f, err := input.Open(path)
	if err != nil {
		return nil, openError(path, err)
	}
	s, err := newSource(f, offset)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func openError(path string, err error) error {
	return fault.Opening(path, err, "check the path")
}

func newSource(f *os.File, offset int64) (*source, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	s := &source{Reader: bufio.NewReaderSize(f, 1<<16), file: f}
	magic, _ := s.Peek(2)
	if string(magic) != "\x1f\x8b" {
		if offset > 0 {
			if info.Mode().IsRegular() && offset >= info.Size() {
				return nil, fault.Dataf("offset %d lies behind the end of the file, which has %d bytes", offset, info.Size())
			}
			if _, err := f.Seek(offset, io.SeekStart); err != nil {
				return nil, err
			}
			s.Reset(f)
		}
		return s, nil
	}
	z, err := gzip.NewReader(s.Reader)
	if err != nil {
		return nil, fault.Dataf("damaged gzip: %w", err)
	}
	s.Reader, s.limit = bufio.NewReaderSize(z, 1<<16), unpackedFree+unpackedRate*info.Size()
	if n, err := io.CopyN(io.Discard, s.Reader, offset); err != nil {
		return nil, fault.Dataf("offset %d lies behind the end of the file, which unpacks to %d bytes", offset, n)
	}
	return s, nil
}
