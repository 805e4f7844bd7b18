//go:build (amd64 || arm64) && !purego

package kernel

import "unsafe"

// asm turns an assembly kernel into a function of its argument struct.
func asm[T any](f func(*byte)) func(*T) {
	return func(a *T) { f((*byte)(unsafe.Pointer(a))) }
}

// tiles is a table of kernels by size, from 1 on.
func tiles[T any](fs ...func(*byte)) []func(*T) {
	out := make([]func(*T), 1, len(fs)+1)
	for _, f := range fs {
		out = append(out, asm[T](f))
	}
	return out
}

// peakArgs is the argument of the peak kernels.
type peakArgs struct{ n int }

func peakOf(f func(*byte), flops float64) func(int) float64 {
	return func(n int) float64 {
		a := peakArgs{n}
		f((*byte)(unsafe.Pointer(&a)))
		return float64(n) * flops
	}
}
