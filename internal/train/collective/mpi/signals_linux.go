//go:build mpi && (amd64 || arm64)

package mpi

import (
	"syscall"
	"unsafe"
)

// action is the kernel's struct sigaction.
type action struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

const (
	onStack = 0x08000000 // SA_ONSTACK
	signals = 64
)

func getAction(sig int, a *action) bool {
	_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), 0, uintptr(unsafe.Pointer(a)), unsafe.Sizeof(a.mask), 0, 0)
	return errno == 0
}

func setAction(sig int, a *action) bool {
	_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(a)), 0, unsafe.Sizeof(a.mask), 0, 0)
	return errno == 0
}

// handleOnSignalStack has the handlers that a library has set run on the stack for signals. MPICH's
// for SIGUSR1 calls the one of Go's runtime, which was there before, and Go ends a process whose
// signal comes while a thread is on a goroutine's stack.
func handleOnSignalStack() {
	const ignored = 1 // SIG_IGN; 0 is SIG_DFL
	for sig := 1; sig <= signals; sig++ {
		var a action
		if getAction(sig, &a) && a.handler > ignored && a.flags&onStack == 0 {
			a.flags |= onStack
			setAction(sig, &a)
		}
	}
}
