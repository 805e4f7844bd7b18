//go:build !linux || !(amd64 || arm64)

package atomicfiletest

import "testing"

// Trace needs the ptrace of Linux.
func Trace(t *testing.T, _ func(dir string)) ([]Call, string) {
	t.Helper()
	t.Skip("system calls are traced on Linux alone")
	return nil, ""
}

// TraceCommand needs the ptrace of Linux.
func TraceCommand(t *testing.T, _, _ []string) []Call {
	t.Helper()
	t.Skip("system calls are traced on Linux alone")
	return nil
}
