package internal_test

import (
	"os/exec"
	"testing"
)

// TestEveryGuardOfTheMutantsIsThere: a guard that has moved would no longer be taken away.
func TestEveryGuardOfTheMutantsIsThere(t *testing.T) {
	c := exec.Command("go", "run", "./testdata/mutants", "-check")
	c.Dir = ".."
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
