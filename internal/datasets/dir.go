package datasets

import (
	"fmt"
	"os"
	"path/filepath"
)

// DefaultDir is where a data set is kept when no folder is given: resnet/data/NAME in the user's
// cache folder.
func DefaultDir(name string) (string, error) {
	return defaultDir(name, "set data.dir (on the command line --data-dir or --dir) to the folder of the data")
}

// defaultDir is DefaultDir with what to do where there is no cache folder.
func defaultDir(name, remedy string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", faultf(ErrMissing, "%s: no cache folder (%w): %s", name, err, remedy)
	}
	return filepath.Join(cache, "resnet", "data", name), nil
}

// resolveDir is dir, or the default folder where it is empty.
func resolveDir(name, dir string) (string, error) {
	if dir == "" {
		return DefaultDir(name)
	}
	st, err := os.Stat(dir)
	if err != nil {
		return "", openFault(fmt.Sprintf("%s: %s", name, dir), err, remedy(name))
	}
	if !st.IsDir() {
		return "", faultf(ErrMissing, "%s: %s is a file, and data.dir names a folder", name, dir)
	}
	return dir, nil
}

// remedy ends the message about a missing or damaged file.
func remedy(name string) string {
	if registry()[name].fetch == nil {
		return "set data.dir (on the command line --data-dir or --dir) to the folder that holds it"
	}
	return fmt.Sprintf("set data.dir to the folder that holds it, or run `resnet data fetch %s`", name)
}
