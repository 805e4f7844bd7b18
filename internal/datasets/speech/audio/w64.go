package audio

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"resnet/internal/datasets/fault"
)

// The names of Sony's Wave64, which are GUIDs: four letters and a tail, that of the file another.
const (
	w64File = "riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
	w64Tail = "\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
)

// streamW64 reads Wave64: WAV with names of 16 bytes and sizes of 64 bits, which count the 24 bytes
// of their own head, and chunks at multiples of 8.
func streamW64(r *bufio.Reader, name string) (*Stream, error) {
	var head [40]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[:16]) != w64File || string(head[24:]) != "wave"+w64Tail {
		return nil, fault.Dataf("%s: begins as a Wave64 file and is none", name)
	}
	at := int64(len(head))
	var format *layout
	for {
		var chunk [24]byte
		if _, err := io.ReadFull(r, chunk[:]); err != nil {
			return nil, cut(name, at, err, `there is no chunk "data"`)
		}
		at += int64(len(chunk))
		whole := binary.LittleEndian.Uint64(chunk[16:])
		size := int64(whole) - int64(len(chunk))
		if whole > maxBytes || size < 0 {
			return nil, fault.Dataf("%s: byte %d: a chunk %q that claims %d bytes", name, at, chunk[:4], whole)
		}
		id := ""
		if bytes.HasSuffix(chunk[:16], []byte(w64Tail)) {
			id = string(chunk[:4])
		}
		switch id {
		case "fmt ":
			f, err := readFormat(r, binary.LittleEndian, size, name, at)
			if err != nil {
				return nil, err
			}
			format = &f
		case "data":
			if format == nil {
				return nil, fault.Dataf("%s: byte %d: the samples come before the chunk \"fmt \" that describes them", name, at)
			}
			if size == 0 { // written to a pipe
				size = -1
			}
			return format.stream(r, size, name, at)
		default:
			if n, err := io.CopyN(io.Discard, r, size); err != nil {
				return nil, cut(name, at+n, err, fmt.Sprintf("the chunk %q claims %d bytes", chunk[:4], size))
			}
		}
		at += size
		for ; at%8 != 0; at++ {
			if _, err := r.ReadByte(); err != nil {
				break
			}
		}
	}
}
