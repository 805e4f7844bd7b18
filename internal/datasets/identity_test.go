package datasets_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"resnet/internal/datasets"
)

// TestACopyIsOtherDataThanThePublishedFiles: files of the right sizes with other contents, the
// published ones where this machine has some, and data of which nothing is published.
func TestACopyIsOtherDataThanThePublishedFiles(t *testing.T) {
	copied := t.TempDir()
	for _, file := range []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"} {
		path := filepath.Join(copied, file)
		write(t, path, nil)
		if err := os.Truncate(path, 3073*10_000); err != nil { // black images of class 0
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		config datasets.Config
		want   string
		copied bool
	}{
		{datasets.Config{Name: "cifar10", Dir: copied}, "cifar10 (converted copy)", true},
		{datasets.Config{Name: "fashion-sample"}, "fashion-sample", false},
		{datasets.Config{Name: "fashion-mnist"}, "fashion-mnist", false},
	} {
		c.config.Downsample = 1
		d, err := datasets.Open(t.Context(), c.config, 0)
		if errors.Is(err, datasets.ErrMissing) {
			t.Logf("%s is not on this machine", c.config.Name)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Identity(t.Context())
		if err != nil || got != c.want || datasets.IsCopy(got) != c.copied || (datasets.CopyNote(got) != "") != c.copied {
			t.Errorf("%s: %q (%v), note %q, want %q", c.config.Name, got, err, datasets.CopyNote(got), c.want)
		}
		if err := os.RemoveAll(copied); err != nil {
			t.Fatal(err)
		}
		if again, err := d.Identity(t.Context()); again != got || err != nil {
			t.Errorf("%s: asked again %q (%v)", c.config.Name, again, err)
		}
	}
}
