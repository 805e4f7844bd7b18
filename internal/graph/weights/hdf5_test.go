package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

func readBestNnet(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(foreignFixtures + "best.nnet")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDataSetsOfHDF5AreRead: in one piece, in chunks that the edges of a data set cut, packed and
// shuffled, whole numbers.
func TestDataSetsOfHDF5AreRead(t *testing.T) {
	b := readBestNnet(t)
	list, err := readHDF5(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]Tensor{}
	for _, x := range list {
		byName[x.Name] = x
	}
	for name, shape := range map[string][]int{
		"conv1/W": {4, 3, 3, 3}, "res1/a/bn1/gamma": {4}, "res1/b1/conv2/W": {5, 5, 3, 3}, "pooler/W": {1, 4}, "classifier/1/b": {6}, "blstm/1/lstm_bw/W_x": {3, 12}, "pdf_counts": {6},
	} {
		x, ok := byName[name]
		if !ok || !slices.Equal(x.Shape, shape) {
			t.Errorf("%s: %v, want %v", name, x.Shape, shape)
		}
	}
	if got := byName["pdf_counts"].Data; !slices.Equal(got, []float32{5, 4, 3, 2, 1, 7}) {
		t.Errorf("pdf_counts %v", got)
	}
}

func TestFilesOfHDF5ThatLieAreRefused(t *testing.T) {
	good := readBestNnet(t)
	change := func(at int, b ...byte) []byte {
		c := slices.Clone(good)
		copy(c[at:], b)
		return c
	}
	header := binary.LittleEndian.Uint64(good[64:])
	for what, c := range map[string]struct {
		file []byte
		want string
	}{
		"a later version":      {change(8, 3), "libver"},
		"short offsets":        {change(13, 4), "offsets of 4"},
		"an inner file":        {change(24, 1), "within another file"},
		"a root beyond it":     {change(64, 0xff, 0xff, 0xff, 0xff), "truncated"},
		"an object of version": {change(int(header), 2), "later version"},
		"cut":                  {good[:len(good)/2], "truncated"},
		"nothing behind":       {good[:40], "later version"},
	} {
		_, err := readForeign(bytes.NewReader(c.file), int64(len(c.file)), "x.nnet")
		if !errors.Is(err, ErrHDF5) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
	// A group that is in itself.
	circle := slices.Clone(good)
	at := bytes.Index(circle, []byte("SNOD"))
	binary.LittleEndian.PutUint64(circle[at+8+8:], header)
	if _, err := readForeign(bytes.NewReader(circle), int64(len(circle)), "x.nnet"); !errors.Is(err, ErrHDF5) {
		t.Errorf("a group in itself: %v", err)
	}
}

// FuzzHDF5: no file makes the reader panic, or take many times its size.
func FuzzHDF5(f *testing.F) {
	good := readBestNnet(f)
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add(good[:96])
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := readHDF5(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		total := 0
		for _, x := range list {
			total += len(x.Data)
		}
		if total > maxHDF5Growth*len(b) {
			t.Errorf("%d values from %d bytes", total, len(b))
		}
		_, _ = wrbnNetwork(list) // must not panic
	})
}
