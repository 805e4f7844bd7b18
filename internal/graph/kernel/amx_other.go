//go:build amd64 && !purego && !linux

package kernel

// permitAMX says no: how a process asks is known on Linux alone.
func permitAMX() bool { return false }
