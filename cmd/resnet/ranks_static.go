//go:build !mpi || !(linux || darwin)

package main

import (
	"errors"
	"fmt"
	"runtime"

	"resnet/internal/train/collective/mpi"
)

// joinRanks says which binary joins the processes of a launch.
func joinRanks(_ *app, l mpi.Launch) (rankGroup, error) {
	if runtime.GOOS == "windows" {
		return nil, errors.New("there is no MPI on Windows here: start one process, with --workers")
	}
	return nil, fmt.Errorf("the launcher (%s) has started %d processes, and this binary knows no MPI: start resnet-mpi (`make build-mpi`) in its place", l.By, l.Size)
}
