package jpeg_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/datasets/jpeg"
)

// fixtures holds small files and digests of the pixels that Pillow decodes from them: see
// generate.py there.
const fixtures = "../../../testdata/jpeg"

// files reads the regular files of a tar, by their names without folders.
func files(t testing.TB, r io.Reader) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for r := tar.NewReader(r); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if all[path.Base(h.Name)], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// made are the small files.
func made(t testing.TB) map[string][]byte {
	t.Helper()
	packed, err := os.ReadFile(filepath.Join(fixtures, "made.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	return files(t, r)
}

// photographs are those of ImageNet that RESNET_IMAGENET_SAMPLE names or that stand beside the
// repository; without them the test is skipped.
func photographs(t testing.TB) map[string][]byte {
	t.Helper()
	name := os.Getenv("RESNET_IMAGENET_SAMPLE")
	if name == "" {
		name = filepath.Join("..", "..", "..", "..", "shared", "data", "imagenet-sample", "val.tar")
	}
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("no photographs of ImageNet at %s: RESNET_IMAGENET_SAMPLE names a tar of val/WNID/*.JPEG", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return files(t, f)
}

// rgb decodes a file.
func rgb(t testing.TB, d *jpeg.Decoder, data []byte) (w, h int, pix []byte, err error) {
	t.Helper()
	m, err := d.Decode(data)
	if err != nil {
		return 0, 0, nil, err
	}
	pix = make([]byte, 3*m.Width*m.Height)
	for y := range m.Height {
		m.RGB(pix[3*m.Width*y:], y, 0, m.Width)
	}
	return m.Width, m.Height, pix, nil
}

// agree holds what is decoded from files to a list of digests, which names so many.
func agree(t *testing.T, data map[string][]byte, list string, want int) {
	t.Helper()
	f, err := os.Open(filepath.Join(fixtures, list))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var d jpeg.Decoder
	seen := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		line := s.Text()
		if strings.HasPrefix(line, "#") {
			continue
		}
		var wantW, wantH int
		var digest, name string
		if _, err := fmt.Sscan(line, &wantW, &wantH, &digest, &name); err != nil {
			t.Fatalf("%s: %q: %v", list, line, err)
		}
		if data[name] == nil {
			continue
		}
		seen++
		w, h, pix, err := rgb(t, &d, data[name])
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if sum := sha256.Sum256(pix); w != wantW || h != wantH || hex.EncodeToString(sum[:]) != digest {
			t.Errorf("%s: %d×%d pixels, or not their values: Pillow has %d×%d", name, w, h, wantW, wantH)
		}
		head, err := jpeg.ReadHeader(bytes.NewReader(data[name]))
		if err != nil || head.Width != w || head.Height != h {
			t.Errorf("%s: the header says %d×%d: %v", name, head.Width, head.Height, err)
		}
	}
	if seen < want {
		t.Errorf("%d of %d files were there", seen, want)
	}
}

// TestMadeFilesAreDecodedToPillowsBytes: sizes, qualities, samplings, codings and spaces.
func TestMadeFilesAreDecodedToPillowsBytes(t *testing.T) { agree(t, made(t), "digests.txt", 425) }

func TestPhotographsAreDecodedToPillowsBytes(t *testing.T) {
	agree(t, photographs(t), "photographs.txt", 84)
}
