package datasets

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// PublishedFile is a file whose name says how its SHA-256 begins, as those of PyTorch's hub do:
// resnet50-0676ba61.pth.
type PublishedFile struct {
	Base   string // address of its folder
	Name   string
	SHA256 string // the first digits, hexadecimal
}

// FetchFile downloads a file into dir, as Fetch does: it goes on where it was interrupted, and has
// its name only when its digest is right. An empty dir means the user's cache folder for weights.
// It gives the path of the file, and fails as Fetch does.
func FetchFile(ctx context.Context, f PublishedFile, dir string, o FetchOptions) (string, error) {
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", faultf(ErrMissing, "%s: no cache folder (%w): name a folder with --dir", f.Name, err)
		}
		dir = filepath.Join(cache, "resnet", "weights")
	}
	b := bundle{base: f.Base, files: []remote{{name: f.Name, begins: "sha256:" + f.SHA256}}}
	if err := fetchBundle(ctx, b, dir, o); err != nil {
		return "", fmt.Errorf("%s: %w", f.Name, err)
	}
	return filepath.Join(dir, f.Name), nil
}
