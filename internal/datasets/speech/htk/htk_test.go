package htk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/fault/faulttest"
)

const (
	fbankDAZ  = Kind(7 | 0o400 | 0o1000 | 0o4000)
	tenMillis = 100000
)

// file is a feature file: a header and whatever follows, big-endian.
func file(frames, period int32, width int16, kind Kind, values ...any) []byte {
	var b bytes.Buffer
	for _, v := range append([]any{frames, period, width, uint16(kind)}, values...) {
		if err := binary.Write(&b, binary.BigEndian, v); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

func TestEveryFormOfAFeatureFileIsRead(t *testing.T) {
	plain := []float32{1, -2, 3.5, 0, 1e-20, 6}
	// by hand: (x + B) / A with A = 100, 4 and B = 50, -2
	a, b := []float32{100, 4}, []float32{50, -2}
	packed, unpacked := []int16{150, 6, -50, 2, -32768, 32767}, []float32{2, 1, 0, 0, -327.18, 8191.25}
	for name, c := range map[string]struct {
		raw  []byte
		kind string
		want []float32
	}{
		"float":         {file(3, tenMillis, 8, fbankDAZ, plain), "FBANK_D_A_Z", plain},
		"checksum":      {file(3, tenMillis, 8, 6|checksum, plain, uint16(0xabcd)), "MFCC_K", plain},
		"compressed":    {file(3+4, tenMillis, 4, fbankDAZ|compressed, a, b, packed), "FBANK_D_A_C_Z", unpacked},
		"both":          {file(3+4, tenMillis, 4, 11|compressed|checksum, a, b, packed, uint16(1)), "PLP_C_K", unpacked},
		"IREFC":         {file(3, tenMillis, 4, 5, []int16{32767, 0, -32767, 0, 0, 32767}), "IREFC", []float32{1, 0, -1, 0, 0, 1}},
		"other letters": {file(3, tenMillis, 8, 9|0o100|0o200|0o20000|0o40000|0o100000, plain), "USER_E_N_0_V_T", plain},
	} {
		f, err := Read(bytes.NewReader(c.raw), name)
		if err != nil {
			t.Error(err)
			continue
		}
		if f.Kind.String() != c.kind || f.Frames != 3 || f.Dim != 2 || f.Period != 10*time.Millisecond || f.Checksum != strings.Contains(c.kind, "_K") {
			t.Errorf("%s: %s, %d × %d every %v", name, f.Kind, f.Frames, f.Dim, f.Period)
		}
		if !slices.EqualFunc(f.Data, c.want, func(x, y float32) bool { return math.Abs(float64(x-y)) <= 1e-6*math.Abs(float64(y)) }) {
			t.Errorf("%s: %v, want %v", name, f.Data, c.want)
		}
		for n := range c.raw { // cut anywhere
			if _, err := Read(bytes.NewReader(c.raw[:n]), name); !errors.Is(err, fault.ErrData) || !strings.HasPrefix(err.Error(), name) {
				t.Fatalf("%s: %d of %d bytes: %v", name, n, len(c.raw), err)
			}
		}
		if _, err := Read(bytes.NewReader(append(slices.Clone(c.raw), 0)), name); !errors.Is(err, fault.ErrData) {
			t.Errorf("%s with a byte too many: %v", name, err)
		}
	}
}

func TestFeatureFilesThatLieAreRefusedBeforeMemoryIsSpent(t *testing.T) {
	for want, raw := range map[string][]byte{
		"in 2147483647 frames":   file(math.MaxInt32, tenMillis, 32764, 6, []float32{1}),
		"WAVEFORM":               file(1, 625, 2, 0, int16(1)),
		"DISCRETE":               file(1, tenMillis, 2, 10, int16(1)),
		"-1 frames":              file(-1, tenMillis, 8, 6),
		"of 0 bytes":             file(1, tenMillis, 0, 6),
		"of -8 bytes":            file(1, tenMillis, -8, 6),
		"kind 13":                file(1, tenMillis, 8, 13, []float32{1, 2}),
		"values of 4 bytes":      file(1, tenMillis, 6, 6, []float32{1, 2}),
		"values of 2 bytes":      file(5, tenMillis, 3, 6|compressed, []float32{1, 2}),
		"count as 4":             file(3, tenMillis, 4, 6|compressed, []float32{1, 2, 3, 4}),
		"is scaled by 0":         file(5, tenMillis, 2, 6|compressed, []float32{0, 1}, int16(1)),
		"is scaled by NaN":       file(5, tenMillis, 2, 6|compressed, []float32{1, float32(math.NaN())}, int16(1)),
		"header of 12 bytes":     {1, 2, 3},
		"scales of a compressed": file(math.MaxInt32, tenMillis, 32766, 6|compressed, []float32{1}),
	} {
		var err error
		spent := faulttest.Allocated(func() { _, err = Read(bytes.NewReader(raw), "x.fbk") })
		if !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), want) || spent > 2<<20 {
			t.Errorf("%s: %d bytes allocated, %v", want, spent, err)
		}
	}
	if _, err := ReadFile("nowhere.fbk"); !errors.Is(err, fault.ErrMissing) {
		t.Error(err)
	}
}

// FuzzHTK: whatever the bytes, reading is refused as fault.ErrData or gives as many values as
// frames and dimension say.
func FuzzHTK(f *testing.F) {
	f.Add(file(3, tenMillis, 8, fbankDAZ, []float32{1, 2, 3, 4, 5, 6}))
	f.Add(file(5, tenMillis, 2, 6|compressed|checksum, []float32{1, 1}, int16(1), uint16(1)))
	f.Add(file(math.MaxInt32, tenMillis, 32764, 6))
	f.Fuzz(func(t *testing.T, data []byte) {
		var h File
		var err error
		spent := faulttest.Allocated(func() { h, err = Read(bytes.NewReader(data), "x") })
		if err != nil && !errors.Is(err, fault.ErrData) || err == nil && len(h.Data) != h.Frames*h.Dim {
			t.Fatalf("%d × %d with %d values, %v", h.Frames, h.Dim, len(h.Data), err)
		}
		if spent > 4<<20+uint64(16*len(data)) {
			t.Fatalf("%d bytes allocated for %d", spent, len(data))
		}
	})
}

// TestAHeaderFitsItsFileToTheByte: HTK has no mark, so the length alone decides.
func TestAHeaderFitsItsFileToTheByte(t *testing.T) {
	head := func(frames int32, width int16) []byte { return file(frames, tenMillis, width, 6)[:12] }
	for _, c := range []struct {
		head []byte
		size int64
		want bool
	}{
		{head(3, 8), 12 + 24, true},
		{head(1, 1), 13, true},          // the smallest
		{head(3, 8), 12 + 24 + 2, true}, // with a checksum
		{head(3, 8), 12 + 24 + 1, false},
		{head(3, 8), 12 + 24 - 1, false},
		{head(3, 8), 12 + 24 + 3, false},
		{head(0, 8), 12, false},
		{head(-1, 8), 12 - 8, false},
		{head(1, 0), 12, false},
		{head(1, -2), 10, false},
		{head(3, 8)[:11], 12 + 24, false},
	} {
		if got := Fits(c.head, c.size); got != c.want {
			t.Errorf("% x in a file of %d bytes: %v", c.head, c.size, got)
		}
	}
	path := filepath.Join(t.TempDir(), "x.fbk")
	for want, raw := range map[bool][]byte{true: file(1, tenMillis, 8, 6, []float32{1, 2}), false: {0, 0, 0, 1}} {
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		if FileFits(path) != want {
			t.Errorf("a file of %d bytes: %v", len(raw), !want)
		}
	}
	if FileFits(filepath.Dir(path)) || FileFits(path+"x") {
		t.Error("a folder or nothing fits")
	}
}
