//go:build !unix

package system

// PeakRSS is the largest resident size of this process so far in bytes, or 0 where it is unknown.
func PeakRSS() int64 { return 0 }
