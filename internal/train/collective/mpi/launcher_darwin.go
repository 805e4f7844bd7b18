//go:build mpi && darwin

package mpi

// orphan does nothing here: there is no /proc to find the launcher in.
func orphan() {}
