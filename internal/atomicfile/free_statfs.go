//go:build linux || darwin || freebsd

package atomicfile

import "golang.org/x/sys/unix"

// freeBytes is what an unprivileged process may still write.
func freeBytes(dir string) (uint64, bool) {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return 0, false
	}
	return uint64(max(s.Bavail, 0)) * uint64(s.Bsize), true //nolint:unconvert // FreeBSD has an int64
}
