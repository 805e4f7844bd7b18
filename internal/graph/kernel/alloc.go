package kernel

import "unsafe"

// hugePage is the size from which memory is worth large pages, and their alignment.
const hugePage = 2 << 20

// Alloc returns n zeros that start on a cache line, so that no vector of 16 straddles two. Slices
// of a large page and more start on one, and ask for whole ones: a training step reads far more
// than the processor's page tables cache, and each thread begins a region with weights that are new
// to it.
func Alloc(n int) []float32 {
	if n == 0 {
		return nil
	}
	align, size := 64, n
	if 4*n >= hugePage {
		align = hugePage
		size = (4*n + hugePage - 1) &^ (hugePage - 1) / 4
	}
	s := make([]float32, size+align/4-1)
	skip := 0
	if over := int(uintptr(unsafe.Pointer(&s[0])) % uintptr(align)); over != 0 {
		skip = (align - over) / 4
	}
	if align == hugePage {
		adviseHuge(unsafe.Slice((*byte)(unsafe.Pointer(&s[skip])), 4*size))
	}
	return s[skip : skip+n : skip+n]
}
