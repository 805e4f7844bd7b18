package corpus

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"resnet/internal/datasets"
)

// A script may name feature files of HTK beside matrices of Kaldi.
func TestFeatureFilesOfHTKAreUtterances(t *testing.T) {
	dir := t.TempDir()
	file := binary.BigEndian.AppendUint32(nil, 3)      // frames
	file = binary.BigEndian.AppendUint32(file, 100000) // 10 ms
	file = binary.BigEndian.AppendUint16(file, 8)      // bytes of a vector
	file = binary.BigEndian.AppendUint16(file, 7)      // FBANK
	want := []float32{1, -2, 3.5, 4, 0.25, 6}
	for _, v := range want {
		file = binary.BigEndian.AppendUint32(file, math.Float32bits(v))
	}
	write := func(name string, b []byte) { must(t, os.WriteFile(filepath.Join(dir, name), b, 0o600)) }
	write("a.fbk", file)
	write("b.ark", []byte(" [\n 1 2\n 3 4 ]\n"))
	write("feats.scp", []byte("a a.fbk\nb b.ark\n"))
	write("labels", []byte("a x\nb y\n"))
	c := DefaultConfig()
	c.Frontend.Deltas, c.Frontend.Normalize, c.Labels = 0, NoNorm, filepath.Join(dir, "labels")
	o, err := Open(t.Context(), datasets.Config{Name: "kaldi", Dir: dir}, c, 1)
	must(t, err)
	if info := o.Info(); info.Train != 2 || info.Dim != 2 || info.Frames != 5 {
		t.Errorf("%+v", info)
	}
	f, err := o.Read(datasets.Train, 0, nil)
	must(t, err)
	if f.Frames != 3 || !slices.Equal(f.Data, want) {
		t.Errorf("%+v, want %v", f, want)
	}
	for line, want := range map[string]string{
		"a a.fbk[0:1]": "feats.scp:1", // no part of it is read, and not all of it instead
		"a v.ark":      "feats.scp:1: a: a vector",
	} {
		write("v.ark", []byte(" [ 1 2 ]\n"))
		write("feats.scp", []byte(line+"\nb b.ark\n"))
		if _, err := Open(t.Context(), datasets.Config{Name: "kaldi", Dir: dir}, c, 1); !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", line, err)
		}
	}
	write("feats.scp", []byte("a a.fbk\nb b.ark\n"))
	write("a.fbk", file[:len(file)-1])
	if _, err := Open(t.Context(), datasets.Config{Name: "kaldi", Dir: dir}, c, 1); !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), "feats.scp:1") {
		t.Errorf("a truncated file: %v", err)
	}
}
