//go:build !unix

package train

// PeakRSS is 0 where the system does not tell the largest resident memory.
func PeakRSS() int64 { return 0 }
