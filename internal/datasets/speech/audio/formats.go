package audio

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"resnet/internal/datasets/fault"
)

// readers are the containers that are read, by how their files begin.
var readers = []struct {
	magic string
	read  func(r *bufio.Reader, name string) (*Stream, error)
}{
	{"RIFF", streamWAV},
	{"RIFX", streamWAV},
	{"RF64", streamWAV},
	{"BW64", streamWAV},
	{"fLaC", streamFLAC},
	{sphereMagic, streamSphere},
	{"riff\x2e\x91\xcf\x11", streamW64},
}

// others are the formats that people have and this package does not read, by how their files begin.
var others = []struct{ magic, name, remedy string }{
	{"FORM", "an AIFF file", "sox IN.aiff OUT.wav"},
	{"ID3", "an MP3 file with a damaged tag", "ffmpeg -i IN.mp3 OUT.wav"},
	{"OggS", "an Ogg file", "ffmpeg -i IN.ogg OUT.wav"},
	{".snd", "an AU file", "sox IN.au OUT.wav"},
	{"caff", "a CAF file", "ffmpeg -i IN.caf OUT.wav"},
	{"wvpk", "a WavPack file", "wvunpack IN.wv"},
	{"MAC ", "a Monkey's Audio file", "ffmpeg -i IN.ape OUT.wav"},
	{"ajkg", "a Shorten file", "shorten -x IN.shn OUT.wav"},
	{"#!AMR", "an AMR file", "ffmpeg -i IN.amr OUT.wav"},
	{"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a WMA (ASF) file", "ffmpeg -i IN.wma OUT.wav"},
	{"\x1aE\xdf\xa3", "a Matroska or WebM file", "ffmpeg -i IN.webm OUT.wav"},
}

// Known reports whether a file that begins with head, of 12 bytes or more where it has them, holds
// sound: also in a format that is refused with its name.
func Known(head []byte) bool {
	for _, r := range readers {
		if bytes.HasPrefix(head, []byte(r.magic)) {
			return true
		}
	}
	t := tagged(head) // an archive may have the key TAG
	return otherFormat(head) != nil || t != nil && t.name != "ID3v1"
}

// otherFormat is the refusal of a format that is known and not read.
func otherFormat(head []byte) error {
	what, remedy := "", ""
	for _, o := range others {
		if bytes.HasPrefix(head, []byte(o.magic)) {
			what, remedy = o.name, o.remedy
		}
	}
	switch {
	case what != "":
	case len(head) >= 8 && string(head[4:8]) == "ftyp":
		what, remedy = "an MP4 (M4A) file", "ffmpeg -i IN.m4a OUT.wav"
	case isMPEG(head):
		what, remedy = "an MP3 file", "ffmpeg -i IN.mp3 OUT.wav"
	case len(head) >= 2 && head[0] == 0xff && head[1]&0xf6 == 0xf0:
		what, remedy = "an AAC file", "ffmpeg -i IN.aac OUT.wav"
	default:
		return nil
	}
	return fault.Dataf("this is %s, which is not read: convert it: %s", what, remedy)
}

// isMPEG reports whether a frame of MPEG audio begins here: eleven bits of ones, then a version, a
// layer, a bit rate and a sampling rate that exist (ISO 11172-3, 2.4.1.3).
func isMPEG(b []byte) bool {
	return len(b) >= 3 && b[0] == 0xff && b[1]&0xe0 == 0xe0 && b[1]&0x18 != 0x08 && b[1]&0x06 != 0 && b[2]&0xf0 != 0xf0 && b[2]&0x0c != 0x0c
}

// A tag is what stands before the sound: titles and pictures.
type tag struct {
	name string
	size int64 // with its head; known from the first 12 bytes of an ID3v2 tag, else of 32
}

// tagged is the tag that begins here, or nil.
func tagged(head []byte) *tag {
	switch {
	case len(head) >= 10 && bytes.HasPrefix(head, []byte("ID3")) && head[3] != 0xff && (head[6]|head[7]|head[8]|head[9])&0x80 == 0:
		t := &tag{"ID3v2", 10 + int64(head[6])<<21 + int64(head[7])<<14 + int64(head[8])<<7 + int64(head[9])}
		if head[5]&0x10 != 0 { // a footer like the header
			t.size += 10
		}
		return t
	case len(head) >= 16 && bytes.HasPrefix(head, []byte("APETAGEX")):
		return &tag{"APEv2", 32 + int64(head[12]) + int64(head[13])<<8 + int64(head[14])<<16 + int64(head[15])<<24}
	case bytes.HasPrefix(head, []byte("TAG")) && len(head) >= 16:
		return &tag{"ID3v1", 128}
	}
	return nil
}

// peekLength shows every magic number and the sizes of tags.
const peekLength = 16

// skipTags passes over tags and the zeros that pad them, and returns what follows.
func skipTags(b *bufio.Reader, name string) (head []byte, err error) {
	before := ""
	for {
		head, err = b.Peek(peekLength)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if before != "" && len(head) > 0 && head[0] == 0 {
			b.Discard(1) //nolint:errcheck // it was peeked at
			continue
		}
		t := tagged(head)
		if t == nil {
			break
		}
		before = t.name
		if n, err := io.CopyN(io.Discard, b, t.size); err != nil {
			return nil, cut(name, n, err, fmt.Sprintf("the %s tag before the sound claims %d bytes", t.name, t.size))
		}
	}
	if before != "" && len(head) == 0 {
		return nil, fault.Dataf("%s: an %s tag and no sound behind it", name, before)
	}
	return head, nil
}

// What a recording compressed with gzip may hold: gzip itself could make a thousand times as much
// of nothing.
const (
	unpackedFree = 16 << 20
	unpackedRate = 100
)

// gunzip unpacks what b has, within bounds.
func gunzip(b *bufio.Reader, name string) (*bufio.Reader, error) {
	packed := &countingReader{r: b}
	z, err := gzip.NewReader(bufio.NewReader(packed))
	if err != nil {
		return nil, fault.Dataf("%s: damaged gzip: %w", name, err)
	}
	return bufio.NewReaderSize(&boundedReader{z: z, packed: packed, name: name}, 1<<16), nil
}

// boundedReader refuses to unpack more than a recording has.
type boundedReader struct {
	z      io.Reader
	packed *countingReader
	n      int64
	name   string
}

func (r *boundedReader) Read(p []byte) (int, error) {
	n, err := r.z.Read(p)
	r.n += int64(n)
	if r.n > unpackedFree+unpackedRate*r.packed.n {
		return 0, fault.Dataf("%s: %d bytes of gzip unpack to more than %d: no recording is that empty", r.name, r.packed.n, r.n-int64(n))
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = fault.Dataf("%s: damaged gzip: %w", r.name, err)
	}
	return n, err
}
