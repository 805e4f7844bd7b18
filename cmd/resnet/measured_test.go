package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"resnet/internal/system"
)

// peakFile names the variable with the file into which a program that a test started writes its
// largest resident size.
const peakFile = "RESNET_TEST_PEAK"

// measured is main; the test binary runs it under the name resnet.
func measured() {
	log.SetOutput(io.Discard)
	status := run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	if path := os.Getenv(peakFile); path != "" {
		if os.WriteFile(path, strconv.AppendInt(nil, system.PeakRSS(), 10), 0o644) != nil {
			status = 99
		}
	}
	os.Exit(status)
}

// cost is what a run of the program gave and took.
type cost struct {
	status         int // -1: it was killed because it did not end
	stdout, stderr string
	peak           int64 // bytes resident at most; 0 where it did not end by itself
	took           time.Duration
}

// measure runs the program in a folder, for at most so long.
func measure(t *testing.T, dir string, limit time.Duration, args ...string) cost {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	private := t.TempDir()
	program := filepath.Join(private, "resnet")
	if err := os.Symlink(self, program); err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	peak := filepath.Join(private, "peak")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), peakFile+"="+peak, "HOME="+private, "XDG_CACHE_HOME="+filepath.Join(private, "cache"))
	var out, errw bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errw
	start := time.Now()
	err = cmd.Run()
	c := cost{took: time.Since(start), stdout: out.String(), stderr: errw.String(), status: cmd.ProcessState.ExitCode()}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(peak); err == nil {
		c.peak, _ = strconv.ParseInt(string(text), 10, 64)
	}
	return c
}
