//go:build amd64 && !purego

package kernel

import "syscall"

// permitAMX asks the kernel for the tiles' registers, which a process has only when it wants them
// (Linux 5.16, Documentation/arch/x86/xstate.rst). It holds for all threads.
func permitAMX() bool {
	const requestPermission, tileData = 0x1023, 18
	_, _, errno := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, requestPermission, tileData, 0)
	return errno == 0
}
