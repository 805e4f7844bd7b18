package kernel

import "unsafe"

// Alloc returns n zeros that start on a cache line, so that no vector of 16 straddles two.
func Alloc(n int) []float32 {
	if n == 0 {
		return nil
	}
	s := make([]float32, n+15)
	skip := 0
	if over := int(uintptr(unsafe.Pointer(&s[0])) % 64); over != 0 {
		skip = (64 - over) / 4
	}
	return s[skip : skip+n : skip+n]
}
