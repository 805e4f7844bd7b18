//go:build mpi && (amd64 || arm64)

package mpi

import (
	"syscall"
	"testing"
)

// A handler that a library sets without a stack for signals gets it, and stays.
func TestMPIHandlersRunOnTheSignalStack(t *testing.T) {
	var before, got action
	if !getAction(int(syscall.SIGUSR1), &before) || before.flags&onStack == 0 {
		t.Fatalf("Go's own handler: %+v", before)
	}
	defer setAction(int(syscall.SIGUSR1), &before)
	foreign := before
	foreign.flags &^= onStack
	if !setAction(int(syscall.SIGUSR1), &foreign) {
		t.Fatal("no handler can be set")
	}
	handleOnSignalStack()
	if getAction(int(syscall.SIGUSR1), &got); got != before {
		t.Errorf("%+v, want %+v", got, before)
	}
}
