package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const tinyConfig = `model: {family: cifar, depth: 8, residual: true}
data: {name: fashion-sample, downsample: 4, limit: 8}
train: {batch: 4, iterations: 2, schedule: {rate: 0.01}}
eval: {batch: 250}
`

// refuse runs a training that has to be refused with a message, leaving nothing, and returns the
// most memory that it held, in bytes.
func refuse(t *testing.T, want string, args ...string) int64 {
	t.Helper()
	run := filepath.Join(t.TempDir(), "run")
	c := measure(t, t.TempDir(), time.Minute, append([]string{"train", "--run", run}, args...)...)
	if c.status != exitUsage || !strings.Contains(c.stderr, want) {
		t.Errorf("%q: status %d, want %d and %q: %s", args, c.status, exitUsage, want, c.stderr)
	}
	if _, err := os.Stat(run); err == nil {
		t.Errorf("%q left its folder", args)
	}
	return c.peak
}

// TestWhatCannotFitIsRefusedBeforeItIsMade: a network of 1202 layers takes 160 MB before its first
// activation. The program itself takes about 40.
func TestWhatCannotFitIsRefusedBeforeItIsMade(t *testing.T) {
	large := []string{"--config", "cifar1202", "--set", "data.name=fashion-sample"}
	if rss := refuse(t, "--max-memory is 1 GB", append(large, "--max-memory", "1GB")...); rss > 120<<20 {
		t.Errorf("the refusal took %d bytes", rss)
	}
	t.Setenv("GOMEMLIMIT", "1000MiB")
	if rss := refuse(t, "and GOMEMLIMIT leaves 1.0", large...); rss > 120<<20 {
		t.Errorf("the refusal took %d bytes", rss)
	}
}

// TestWhatDoesNotFitOnceItIsMadeIsRefused: at least 0.96 MB are needed, and 4.5 as the network is
// run.
func TestWhatDoesNotFitOnceItIsMadeIsRefused(t *testing.T) {
	config := filepath.Join(t.TempDir(), "tiny.yaml")
	if err := os.WriteFile(config, []byte(tinyConfig), 0o644); err != nil {
		t.Fatal(err)
	}
	refuse(t, "--max-memory is 2 MB", "--config", config, "--max-memory", "2MB")
	refuse(t, "--max-memory is 500 KB", "--config", config, "--max-memory", "500KB")
}
