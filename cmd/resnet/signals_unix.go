//go:build unix

package main

import (
	"os"
	"syscall"
)

var watched = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE, syscall.SIGUSR1}

func isSaveSignal(s os.Signal) bool { return s == syscall.SIGUSR1 }
