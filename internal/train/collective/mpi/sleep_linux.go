//go:build mpi && linux

package mpi

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sleep is time.Sleep, whose shortest time is a millisecond where no goroutine runs. It is a system
// call that Go does not know of: otherwise Go would look every 20 µs whether the thread still
// sleeps, which takes as much of a core as the looks for messages do.
func sleep(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	// A signal ends it before.
	_, _, _ = unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&ts)), 0, 0)
}
