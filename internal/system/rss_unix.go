//go:build unix

package system

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// PeakRSS is the largest resident size of this process so far in bytes, or 0 where it is unknown.
func PeakRSS() int64 {
	// On Linux the figure of getrusage begins with the size of the process that started this one.
	if peak := kilobytes(files("/").field("/proc/self/status", "VmHWM")); peak > 0 {
		return peak
	}
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return u.Maxrss // bytes there, kilobytes elsewhere
	}
	return u.Maxrss << 10
}
