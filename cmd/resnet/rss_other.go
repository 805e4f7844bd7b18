//go:build !unix

package main

// peakRSS is the largest resident size of this process so far in bytes, or 0 where it is unknown.
func peakRSS() int64 { return 0 }
