//go:build mpi && darwin

package mpi

import (
	"time"

	"golang.org/x/sys/unix"
)

// sleep is time.Sleep, whose shortest time is a millisecond where no goroutine runs.
func sleep(d time.Duration) {
	tv := unix.NsecToTimeval(int64(d))
	_, _ = unix.Select(0, nil, nil, nil, &tv) // a signal ends it before
}
