package datasets

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/datasets/sample"
)

func TestTheEmbeddedImagesAreThoseThatWereChosen(t *testing.T) {
	files, err := verifySample(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Status != StatusOK {
			t.Errorf("%+v", f)
		}
	}
}

func TestTheEmbeddedImagesAreSmallAndLicensed(t *testing.T) {
	if n := len(sample.TrainPNG) + len(sample.TestPNG); n > 2_500_000 {
		t.Errorf("%d bytes in the binary, want at most 2.5 MB", n)
	}
	text, err := os.ReadFile(filepath.Join("sample", "LICENSE"))
	if err != nil || !strings.Contains(string(text), "2017 Zalando SE") {
		t.Errorf("no licence with the copyright of Zalando: %v", err)
	}
}

// TestTheEmbeddedImagesAreOfFashionMNIST runs where the system package dataset-fashion-mnist is
// installed.
func TestTheEmbeddedImagesAreOfFashionMNIST(t *testing.T) {
	if _, err := os.Stat(fashionMNIST.system); err != nil {
		t.Skip("the system package dataset-fashion-mnist is not installed: ", err)
	}
	whole, err := Open(t.Context(), Config{Name: "fashion-mnist", Dir: fashionMNIST.system}, 0)
	if err != nil {
		t.Fatal(err)
	}
	part, err := Open(t.Context(), Config{Name: "fashion-sample"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	const size = sample.Size * sample.Size
	for _, s := range []Split{Train, Test} {
		known := map[[size]byte]int{}
		var buf [size]byte
		for i := range whole.Len(s) {
			l, _ := whole.Image(s, i, buf[:])
			known[buf] = l
		}
		for i := range part.Len(s) {
			l, _ := part.Image(s, i, buf[:])
			if want, ok := known[buf]; !ok || want != l {
				t.Fatalf("%s image %d with label %d: in Fashion-MNIST %v, with label %d", s, i, l, ok, want)
			}
		}
	}
}
