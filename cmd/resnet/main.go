package main

import (
	"io"
	"log"
	"os"
)

func main() {
	// Libraries log what concerns their authors, once for every frame of a recording at 24 kHz.
	log.SetOutput(io.Discard)
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
