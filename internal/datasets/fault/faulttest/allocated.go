// Package faulttest helps the tests of readers of hostile files.
package faulttest

import "runtime"

// Allocated runs f and returns how many bytes it took from the heap in all.
func Allocated(f func()) uint64 {
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	f()
	runtime.ReadMemStats(&b)
	return b.TotalAlloc - a.TotalAlloc
}
