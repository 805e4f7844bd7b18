//go:build unix

package train

import (
	"runtime"
	"syscall"
)

// PeakRSS is the largest resident memory of this process so far, in bytes, or 0 where the system
// does not tell.
func PeakRSS() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) * 1024
}
