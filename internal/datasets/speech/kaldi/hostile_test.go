package kaldi

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/fault/faulttest"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// drain reads an archive to its end or its first error.
func drain(data []byte) error {
	r := NewReader(bytes.NewReader(data), "x.ark")
	for {
		if _, _, err := r.Next(); err != nil {
			return err
		}
	}
}

func TestArchivesCutAnywhereAreRefused(t *testing.T) {
	for _, file := range []string{"kinds.ark", "integers.ark"} {
		raw, err := os.ReadFile(fixtures + file)
		if err != nil {
			t.Fatal(err)
		}
		ends := map[int]bool{0: true} // where an entry ends, and a shorter archive is whole
		r := NewReader(bytes.NewReader(raw), file)
		for {
			if _, _, err := r.Next(); err != nil {
				break
			}
			ends[int(r.at)] = true
		}
		for n := range raw {
			err := drain(raw[:n])
			if whole := err.Error() == "EOF"; whole != ends[n] || !whole && !errors.Is(err, fault.ErrData) {
				t.Fatalf("%s: %d of %d bytes: %v", file, n, len(raw), err)
			}
		}
	}
	for _, text := range []string{"k [", "k [ 1 2", "k [\n 1 2\n", "k"} {
		if err := drain([]byte(text)); !errors.Is(err, fault.ErrData) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestArchivesThatLieAreRefusedBeforeMemoryIsSpent(t *testing.T) {
	head := func(kind string, dims ...int32) []byte {
		b := []byte("k \x00B" + kind)
		for _, d := range dims {
			b = binary.LittleEndian.AppendUint32(append(b, 4), uint32(d))
		}
		return append(b, 1, 2, 3, 4)
	}
	squeezed := func(kind string, low, span uint32, rows, cols int32) []byte {
		b := []byte("k \x00B" + kind + " ")
		for _, x := range []uint32{low, span, uint32(rows), uint32(cols)} {
			b = binary.LittleEndian.AppendUint32(b, x)
		}
		return append(b, make([]byte, 100)...)
	}
	const big = 1<<31 - 1
	for name, data := range map[string][]byte{
		"gigabytes":          head("FM ", 1<<20, 1<<10),
		"the largest":        head("DM ", big, big),
		"a long vector":      head("FV ", big),
		"negative":           head("FM ", -1, 5),
		"rows of nothing":    head("FM ", 5, 0),
		"integers":           head("", big),
		"negative integers":  head("", -5),
		"an unmarked size":   []byte("k \x00BFM \x05\x01\x00\x00\x00\x05\x01\x00\x00\x00abcd"),
		"unmarked integers":  []byte("k \x00B\x04\x01\x00\x00\x00\x05\x01\x00\x00\x00"),
		"another object":     []byte("k \x00B<TransitionModel> "),
		"compressed":         squeezed("CM", 0, 0x3f800000, big, big),
		"columns":            squeezed("CM", 0, 0x3f800000, 1, big),
		"compressed 2":       squeezed("CM2", 0, 0x3f800000, big, big),
		"compressed 3":       squeezed("CM3", 0, 0x3f800000, -1, 2),
		"not finite":         squeezed("CM2", 0x7fc00000, 0x3f800000, 1, 1),
		"a recording":        []byte("k RIFF\x10\x00\x00\x00WAVE"),
		"no archive":         []byte("\x7fELF\x02\x01\x01\x00"),
		"a key without end":  []byte(strings.Repeat("k", 1<<20)),
		"a number that long": []byte("k [ " + strings.Repeat("1", 1000) + " ]\n"),
		"rows of two widths": []byte("k [\n 1 2\n 1\n ]\n"),
		"words":              []byte("k [ one two ]\n"),
		"text":               []byte("utt1 the words that were said\n"),
		"too large":          []byte("k 3000000000\n"),
		"after the bracket":  []byte("k [ 1 ] 2\n"),
		"a lone bracket":     []byte("k 1 ]\n"),
	} {
		var err error
		spent := faulttest.Allocated(func() { err = drain(data) })
		if !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), "x.ark") || spent > 8<<20 {
			t.Errorf("%s: %d bytes allocated, %v", name, spent, err)
		}
	}
}

func TestABombStaysCompressed(t *testing.T) {
	const claimed = 1 << 30
	var packed bytes.Buffer
	z, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	// 262,144 × 1024.
	for _, b := range [][]byte{[]byte("k \x00BFM "), {4, 0, 0, 4, 0}, {4, 0, 4, 0, 0}} {
		_, _ = z.Write(b)
	}
	nothing := make([]byte, 1<<20)
	for range claimed >> 24 { // a sixteenth of it is enough to be spent in vain
		_, _ = z.Write(nothing)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	path := write(t, t.TempDir()+"/bomb.ark.gz", packed.String())
	var err error
	spent := faulttest.Allocated(func() { err = Each(path, func(string, Value) error { return nil }) })
	if !errors.Is(err, fault.ErrData) || spent > 1<<20 {
		t.Errorf("%d bytes of gzip: %d bytes allocated, %v", packed.Len(), spent, err)
	}
}

// FuzzArk: whatever the bytes, reading ends with io.EOF or fault.ErrData, takes little memory, and
// what was read is written and read again alike.
func FuzzArk(f *testing.F) {
	for _, file := range []string{"kinds.ark", "kinds.txt", "integers.ark"} {
		raw, err := os.ReadFile(fixtures + file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte("k [ 1 2 ]\nl 1 2 3\n"))
	f.Add([]byte("k \x00BFM \x04\x01\x00\x00\x00\x04\x01\x00\x00\x00abcd"))
	f.Add([]byte("k \x00BCM \x00\x00\x00\x00\x00\x00\x80\x3f\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x01\x00\x02\x00\x03\x00\x07"))
	f.Fuzz(func(t *testing.T, data []byte) {
		spent := faulttest.Allocated(func() {
			r := NewReader(bytes.NewReader(data), "x")
			for {
				_, v, err := r.Next()
				if err != nil {
					if err.Error() != "EOF" && !errors.Is(err, fault.ErrData) {
						t.Fatal(err)
					}
					return
				}
				again(t, v)
			}
		})
		if spent > 4<<20+uint64(400*len(data)) {
			t.Fatalf("%d bytes allocated for %d", spent, len(data))
		}
	})
}

// again writes a value and reads it back: its kind apart, which text changes, and the values of
// compressed ones, it is the same.
func again(t *testing.T, v Value) {
	var b bytes.Buffer
	if _, err := v.WriteTo(&b); err != nil {
		return // compressed values that are not finite
	}
	w, err := (&Reader{r: NewReader(&b, "").r}).object()
	if err != nil || w.Cols != v.Cols || len(w.Floats) != len(v.Floats) || len(w.Doubles) != len(v.Doubles) || len(w.Ints) != len(v.Ints) {
		t.Fatalf("%+v was written and read back as %+v, %v", v, w, err)
	}
}

// FuzzScp: whatever the text, a script is refused as fault.ErrData or holds no pipe.
func FuzzScp(f *testing.F) {
	f.Add("a x.ark:2\nb y.ark:3[1:2]\n")
	f.Add("a cat x |\n")
	f.Add("a -")
	f.Add("a x:1[0:1,2:3]")
	f.Fuzz(func(t *testing.T, text string) {
		err := scanLines(strings.NewReader(text), "x.scp", 0, func(_ int, key, rest string) error {
			e, err := parseEntry(key, rest)
			if err == nil && (strings.HasSuffix(strings.TrimSpace(rest), "|") || strings.HasPrefix(rest, "|") || rest == "-" || e.Path == "" || e.Offset < 0 ||
				e.Rows.Set && e.Rows.Last < e.Rows.First) {
				t.Fatalf("%q was read as %+v", rest, e)
			}
			return err
		})
		if err != nil && !errors.Is(err, fault.ErrData) {
			t.Fatal(err)
		}
	})
}
