package inspect

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"resnet/internal/datasets/fault"
)

const fixtures = "../../../../testdata/speech/"

func items(t *testing.T, path string) (Report, []Item) {
	t.Helper()
	var all []Item
	r, err := File(context.Background(), path, func(i Item) error {
		all = append(all, i)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r, all
}

// write makes a file of 16-bit and 32-bit values, big-endian, or of bytes.
func write(t *testing.T, path string, values ...any) string {
	t.Helper()
	var b []byte
	for _, v := range values {
		var err error
		if text, ok := v.(string); ok {
			b = append(b, text...)
		} else if b, err = binary.Append(b, binary.BigEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestContentsSayWhatAFileIs(t *testing.T) {
	dir := t.TempDir()
	htk := write(t, filepath.Join(dir, "x.fbk"), int32(2), int32(100000), int16(8), int16(7), []float32{1, -2, float32(math.NaN()), 4})
	object := write(t, filepath.Join(dir, "global"), "\x00BFV \x04\x01\x00\x00\x00\x00\x00\x80\x3f")
	scp := write(t, filepath.Join(dir, "x.scp"), "r "+abs(t, fixtures+"audio/pcm24.wav")+"\nm "+abs(t, fixtures+"kinds.ark")+":3\n")
	for path, want := range map[string]struct {
		format string
		kinds  map[string]int
		frames int64
		dims   []int
		odd    int
	}{
		fixtures + "audio/flac16.flac": {"recording", map[string]int{"flac16": 1}, 551, []int{2}, 0},
		fixtures + "integers.ark":      {"Kaldi archive", map[string]int{"int32": 3}, 5, []int{0, 1, 4}, 0},
		fixtures + "kinds.txt":         {"Kaldi archive", map[string]int{"text matrix": 2, "text vector": 2}, 0, nil, 0},
		fixtures + "kinds.ark.gz":      {"Kaldi archive", map[string]int{"FM": 3, "DM": 1, "FV": 1, "DV": 1, "CM": 8, "CM2": 5, "CM3": 6}, 0, nil, 0},
		htk:                            {"HTK", map[string]int{"FBANK": 1}, 2, []int{2}, 1},
		object:                         {"Kaldi object", map[string]int{"FV": 1}, 1, []int{1}, 0},
		scp:                            {"Kaldi script", map[string]int{"pcm24": 1, "FM": 1}, 551 + 23, []int{2, 5}, 0},
	} {
		r, all := items(t, path)
		if r.Format != want.format || len(all) != r.Entries || r.Odd != want.odd || want.frames > 0 && r.Frames != want.frames || want.dims != nil && !slices.Equal(r.Dims, want.dims) {
			t.Errorf("%s: %+v", path, r)
		}
		for kind, n := range want.kinds {
			if r.Kinds[kind] != n {
				t.Errorf("%s: %d of kind %s, want %d: %v", path, r.Kinds[kind], kind, n, r.Kinds)
			}
		}
	}
	if r, all := items(t, htk); r.Min != -2 || r.Max != 4 || all[0].PeriodMS != 10 {
		t.Errorf("%+v %+v", r, all)
	}
}

func abs(t *testing.T, path string) string {
	t.Helper()
	p, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWhatCannotBeReadIsNamed(t *testing.T) {
	dir := t.TempDir()
	for path, kind := range map[string]error{
		filepath.Join(dir, "nowhere"):         fault.ErrMissing,
		dir:                                   fault.ErrData,
		write(t, filepath.Join(dir, "empty")): fault.ErrData,
		write(t, filepath.Join(dir, "x.sph"), "NIST_1A\n"):    fault.ErrData,
		write(t, filepath.Join(dir, "x.scp"), "a sort x |\n"): fault.ErrData,
		"cat x |": fault.ErrData,
		write(t, filepath.Join(dir, "cut.ark"), "a \x00BFM \x04"): fault.ErrData,
		write(t, filepath.Join(dir, "cut.mat"), "\x00BFM \x04"):   fault.ErrData,
		write(t, filepath.Join(dir, "y.scp"), "a no/such/file\n"): fault.ErrMissing,
	} {
		if _, err := File(context.Background(), path, func(Item) error { return nil }); !errors.Is(err, kind) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// What gunzip gives may be features as well: they are read by their archive's name.
func TestAnArchiveBehindGunzipIsNamed(t *testing.T) {
	dir := t.TempDir()
	archive, err := filepath.Abs("../../../../testdata/speech/kinds.ark.gz")
	if err != nil {
		t.Fatal(err)
	}
	scp := write(t, filepath.Join(dir, "feats.scp"), "a gunzip -c "+archive+" |\n")
	_, err = File(context.Background(), scp, func(Item) error { return nil })
	if !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), "feats.scp:1: ") || !strings.Contains(err.Error(), "name "+archive+" itself: gzip is read as it is") {
		t.Errorf("%v", err)
	}
}
