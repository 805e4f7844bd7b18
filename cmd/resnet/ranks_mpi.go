//go:build mpi && (linux || darwin)

package main

import (
	"fmt"
	"os"

	"resnet/internal/text"
	"resnet/internal/train/collective/mpi"
)

// joinRanks joins the processes of a launch.
func joinRanks(a *app, l mpi.Launch) (rankGroup, error) {
	stderr := a.err
	g, err := mpi.Join(l, mpi.Options{
		Getenv: a.getenv, Say: func(line string) { fmt.Fprintln(stderr, "resnet: "+text.PrintableLines(line)) }, Exit: os.Exit,
	})
	if err != nil {
		return nil, err // not g: a nil *mpi.Group is not a nil rankGroup
	}
	return g, nil
}
