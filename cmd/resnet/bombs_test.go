package main

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"strings"
	"testing"
)

func smallPNG(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 40))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

func deflated(n int) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	zeros := make([]byte, 1<<20)
	for ; n > 0; n -= len(zeros) {
		_, _ = w.Write(zeros[:min(n, len(zeros))])
	}
	_ = w.Close()
	return b.Bytes()
}

func pngChunk(name string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, name...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

func pngOf(w, h, bits, colours, interlaced int, chunks ...[]byte) []byte {
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(w)), uint32(h))
	b := append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", append(head, byte(bits), byte(colours), 0, 0, byte(interlaced)))...)
	for _, c := range chunks {
		b = append(b, c...)
	}
	return append(b, pngChunk("IEND", nil)...)
}

// flatPNG is black.
func flatPNG(w, h, bits, colours, interlaced int) []byte {
	pixel := bits / 8 * map[int]int{0: 1, 2: 3, 6: 4}[colours]
	passes := [][4]int{{0, 0, 1, 1}}
	if interlaced == 1 { // Adam7: first column and row, steps
		passes = [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}
	}
	n := 0
	for _, p := range passes {
		n += (1 + (w-p[0]+p[2]-1)/p[2]*pixel) * ((h - p[1] + p[3] - 1) / p[3])
	}
	return pngOf(w, h, bits, colours, interlaced, pngChunk("IDAT", deflated(n)))
}

// flatPNGHeader promises so many pixels and has n bytes of something.
func flatPNGHeader(w, h, bits, colours, interlaced, n int) []byte {
	return pngOf(w, h, bits, colours, interlaced, pngChunk("IDAT", bytes.Repeat([]byte{0x55}, n)))
}

// chunkBomb is a tiny picture with a text or a profile of 200 MB.
func chunkBomb(name string) []byte {
	return pngOf(2, 2, 8, 0, 0, pngChunk(name, append([]byte("k\x00\x00"), deflated(200<<20)...)), pngChunk("IDAT", deflated(6)))
}

// progressiveJPEG has colours of full resolution and scans of the first coefficients alone, each of
// n bytes of zeros: a bit a block.
func progressiveJPEG(w, h, colours, scans, n int) []byte {
	b := []byte{0xff, 0xd8, 0xff, 0xdb, 0, 67, 0}
	b = append(b, bytes.Repeat([]byte{1}, 64)...)
	b = append(b, 0xff, 0xc2, 0, byte(8+3*colours), 8, byte(h>>8), byte(h), byte(w>>8), byte(w), byte(colours))
	for k := range byte(colours) {
		b = append(b, k+1, 0x11, 0)
	}
	b = append(b, 0xff, 0xc4, 0, 20, 0, 1) // the one code, 0, is category 0
	b = append(append(b, make([]byte, 15)...), 0)
	for range scans {
		b = append(b, 0xff, 0xda, 0, byte(6+2*colours), byte(colours))
		for k := range byte(colours) {
			b = append(b, k+1, 0)
		}
		b = append(b, 0, 0, 0)
		b = append(b, make([]byte, n)...)
	}
	return append(b, 0xff, 0xd9)
}

// numbered is a text of n parts with their numbers, behind its length as safetensors has it.
func numbered(begin, part string, n int) []byte {
	b := append(make([]byte, 8), begin...)
	for i := range n {
		if strings.Contains(part, "%d") {
			b = fmt.Appendf(b, part, i)
		} else {
			b = append(b, part...)
		}
	}
	binary.LittleEndian.PutUint64(b, uint64(len(b)-8))
	return b
}

// silentFLAC has blocks of so many zeros of 16 bits at 16 kHz, of 16 bytes each.
func silentFLAC(blocks, samples int) []byte {
	b := append([]byte("fLaC"), 0x80, 0, 0, 34)
	b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, uint16(samples)), uint16(samples))
	b = append(b, make([]byte, 6)...)
	b = binary.BigEndian.AppendUint64(b, 16000<<44|15<<36)
	b = append(b, make([]byte, 16)...)
	for i := range blocks { // whose numbers are coded as UTF-8 codes characters
		f := append([]byte{0xff, 0xf8, 0x75, 0x08}, []byte(string(rune(i)))...)
		f = binary.BigEndian.AppendUint16(f, uint16(samples-1))
		f = append(f, byte(flacCRC(f, 0x07, 8)), 0, 0, 0)
		b = append(b, binary.BigEndian.AppendUint16(f, uint16(flacCRC(f, 0x8005, 16)))...)
	}
	return b
}

func flacCRC(data []byte, poly uint32, bits int) uint32 {
	var c uint32
	for _, v := range data {
		c ^= uint32(v) << (bits - 8)
		for range 8 {
			c <<= 1
			if c>>bits&1 == 1 {
				c ^= poly
			}
		}
		c &= 1<<bits - 1
	}
	return c
}
