//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// refuse runs a training that has to be refused with a message, leaving nothing, and returns the
// most memory that it held, in bytes.
func refuse(t *testing.T, env, want string, args ...string) int64 {
	t.Helper()
	resnet, err := exec.LookPath("resnet") // which testscript.Main has put there
	if err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(t.TempDir(), "run")
	c := exec.Command(resnet, append([]string{"train", "--run", run}, args...)...)
	c.Env = environment("HOME="+t.TempDir(), env)
	out, err := c.CombinedOutput()
	if err == nil || c.ProcessState.ExitCode() != exitUsage || !strings.Contains(string(out), want) {
		t.Errorf("%q with %s: %v, want status %d and %q: %s", args, env, err, exitUsage, want, out)
	}
	if _, err := os.Stat(run); err == nil {
		t.Errorf("%q with %s left its folder", args, env)
	}
	rss := int64(c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
	if runtime.GOOS != "darwin" { // which counts bytes
		rss <<= 10
	}
	return rss
}

// TestWhatCannotFitIsRefusedBeforeItIsMade: a network of 1202 layers takes 160 MB before its first
// activation. The program itself takes about 40.
func TestWhatCannotFitIsRefusedBeforeItIsMade(t *testing.T) {
	large := []string{"--config", "cifar1202", "--set", "data.name=fashion-sample"}
	if rss := refuse(t, "X=", "--max-memory is 1 GB", append(large, "--max-memory", "1GB")...); rss > 120<<20 {
		t.Errorf("the refusal took %d bytes", rss)
	}
	if rss := refuse(t, "GOMEMLIMIT=1000MiB", "GOMEMLIMIT is 1.05 GB", large...); rss > 120<<20 {
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
	refuse(t, "X=", "--max-memory is 2 MB", "--config", config, "--max-memory", "2MB")
	refuse(t, "X=", "--max-memory is 500 KB", "--config", config, "--max-memory", "500KB")
}
