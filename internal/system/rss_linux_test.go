package system

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

// TestThePeakIsThatOfThisProcessInBytes: getrusage has that of the go command, which started it.
func TestThePeakIsThatOfThisProcessInBytes(t *testing.T) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		t.Skip("no VmHWM")
	}
	kib, _ := strconv.ParseFloat(string(m[1]), 64)
	if got := float64(PeakRSS()); got < 0.9*1024*kib || got > 1.1*1024*kib+4e6 {
		t.Errorf("%v bytes, /proc says %v KiB", got, kib)
	}
}
