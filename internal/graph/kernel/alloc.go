package kernel

import "unsafe"

// hugePage is the size from which memory is worth large pages, and their alignment.
const hugePage = 2 << 20

// Alloc returns n zeros that start on a cache line, so that no vector of 16 straddles two. Large
// slices ask for large pages: the activations of a training step are far more than the processor's
// page tables cache.
func Alloc(n int) []float32 {
	if n == 0 {
		return nil
	}
	s := make([]float32, n+15)
	if 4*n >= 2*hugePage {
		adviseHuge(unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), 4*len(s)))
	}
	skip := 0
	if over := int(uintptr(unsafe.Pointer(&s[0])) % 64); over != 0 {
		skip = (64 - over) / 4
	}
	return s[skip : skip+n : skip+n]
}
