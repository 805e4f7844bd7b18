//go:build arm64 && !purego

package kernel

import "testing"

// Every arm64 processor has NEON, so that plain Go there is a mistake of the build.
func TestNEONIsInUse(t *testing.T) {
	if atStart != "neon" {
		t.Errorf("at start %s of %v, want neon", atStart, Available())
	}
}
