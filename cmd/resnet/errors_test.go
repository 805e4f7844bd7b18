package main

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/experiment"
	"resnet/internal/train"
	"resnet/internal/train/checkpoint"
)

func TestEveryKindOfFailureHasItsExitStatus(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("anything"), 1},
		{usageErrorf("flag"), 2},
		{&config.Error{}, 2},
		{datasets.ErrData, 65},
		{checkpoint.ErrCorrupt, 65},
		{eval.ErrModel, 65},
		// What a file says wrongly is no mistake of whoever names the file.
		{fmt.Errorf("%w: %w", eval.ErrModel, datasets.ErrConfig), 65},
		{fmt.Errorf("%w: %w", checkpoint.ErrCorrupt, datasets.ErrConfig), 65},
		{datasets.ErrConfig, 2},
		{datasets.ErrMissing, 66},
		{&experiment.MissingError{Err: errors.New("no such image")}, 66},
		{checkpoint.ErrNotFound, 66},
		{fs.ErrNotExist, 66},
		{train.ErrNonFinite, 70},
		{eval.ErrNonFinite, 70},
		{checkpoint.ErrLocked, 73},
		{checkpoint.ErrIO, 74},
		{eval.ErrIO, 74},
		// What is to be written is no missing input.
		{&experiment.IOError{Err: fmt.Errorf("mkdir: %w", fs.ErrNotExist)}, 74},
		{&fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}, 74},
		{&stoppedError{130}, 130},
	} {
		for _, err := range []error{c.err, wrapped(c.err)} {
			if got := exitStatus(err); got != c.want {
				t.Errorf("%v: exit status %d, want %d", err, got, c.want)
			}
		}
	}
}

func wrapped(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("runs/x: %w", err)
}

func TestSuggestedCommandsCallTheProgramAsTheUserDid(t *testing.T) {
	for arg0, want := range map[string]string{"resnet": "resnet", "bin/resnet": "bin/resnet", "./my dir/resnet": "'./my dir/resnet'"} {
		if got := selfName(arg0); got != want {
			t.Errorf("%s: %s, want %s", arg0, got, want)
		}
	}
}
