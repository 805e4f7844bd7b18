package kernel

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// adviseHuge asks for large pages for the whole ones inside b, before b is touched. It is advice:
// an error changes nothing.
func adviseHuge(b []byte) {
	start := uintptr(unsafe.Pointer(&b[0]))
	skip := int(-start & (hugePage - 1))
	if n := (len(b) - skip) &^ (hugePage - 1); n > 0 {
		_ = unix.Madvise(b[skip:skip+n], unix.MADV_HUGEPAGE)
	}
}
