//go:build !windows && (!unix || solaris || aix)

package filelock

import (
	"errors"
	"os"
)

// Try fails with ErrUnsupported.
func Try(*os.File) (bool, error) { return false, ErrUnsupported }

// Remove removes a file that was a lock by being there.
func Remove(f *os.File, path string) error {
	return errors.Join(f.Close(), os.Remove(path))
}
