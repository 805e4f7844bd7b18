//go:build mpi && (darwin || (linux && !amd64 && !arm64))

package mpi

// handleOnSignalStack does nothing: how the kernel is told is known of Linux alone.
func handleOnSignalStack() {}
