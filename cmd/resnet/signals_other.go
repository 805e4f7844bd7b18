//go:build !unix

package main

import (
	"os"
	"syscall"
)

var watched = []os.Signal{os.Interrupt, syscall.SIGTERM}

func isSaveSignal(os.Signal) bool { return false }
