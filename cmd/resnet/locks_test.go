//go:build unix

package main

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"resnet/internal/folderlock"
)

// hold takes the lock of a file as another process would.
func hold(t *testing.T, path string) *folderlock.Lock {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := folderlock.Acquire(path, "testing")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Release() })
	return l
}

// holder is how a message names this process.
func holder() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("process %d on %s (since %d-", os.Getpid(), host, time.Now().UTC().Year())
}

// TestTheSecondAtOneOutputIsRefusedAndChangesNothing: the holder would lose its work, or the two
// would mix theirs.
func TestTheSecondAtOneOutputIsRefusedAndChangesNothing(t *testing.T) {
	wav, photos := t.TempDir(), t.TempDir()
	put(t, filepath.Join(wav, "1_ann_0.wav"), tone(4000, 300))
	var picture bytes.Buffer
	if err := png.Encode(&picture, noise(1)); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(photos, "train", "a", "x.png"), picture.Bytes())
	for _, c := range []struct{ lock, args string }{
		{"lock", "train --config quickstart --run OUT"},
		{"lock", "quickstart --out OUT"},
		{".x.ark.lock", "speech features " + wav + " --out OUT/x.ark"},
		{".s.ark.lock", "speech features " + wav + " --out OUT/x.ark --normalize speaker --utt2spk OUT/utt2spk --write-statistics OUT/s.ark"},
		{".pack.lock", "data pack folder --dir " + photos + " --out OUT"},
	} {
		out := filepath.Join(t.TempDir(), "out")
		put(t, filepath.Join(out, ".x.tmp-run-1-0123abcd"), nil) // what the holder is writing
		put(t, filepath.Join(out, "utt2spk"), []byte("1_ann_0 ann\n"))
		hold(t, filepath.Join(out, c.lock))
		before := listed(t, out)
		var o, e bytes.Buffer
		args := strings.Fields(strings.ReplaceAll(c.args, "OUT", out))
		if status := run(args, strings.NewReader(""), &o, &e); status != exitLocked || !strings.Contains(e.String(), holder()) || o.Len() > 0 {
			t.Errorf("%s: status %d, %q, %q", c.args, status, o.String(), e.String())
		}
		if got := listed(t, out); got != before {
			t.Errorf("%s: the folder had %s, and has %s", c.args, before, got)
		}
	}
}

func listed(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// started runs the program, and says when a line with the text has come.
func started(t *testing.T, said string, args ...string) (c *exec.Cmd, out *safeBuffer) {
	t.Helper()
	out = &safeBuffer{}
	c = exec.Command("resnet", args...)
	c.Stdout, c.Stderr = out, out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	for begun := time.Now(); !strings.Contains(out.String(), said); time.Sleep(5 * time.Millisecond) {
		if time.Since(begun) > time.Minute {
			t.Fatalf("%q: no %q in %q", args, said, out.String())
		}
	}
	return c, out
}

// TestAnInterruptEndsAWaitAtOnce also looks at what is said of the holder.
func TestAnInterruptEndsAWaitAtOnce(t *testing.T) {
	dir := t.TempDir()
	hold(t, filepath.Join(dir, "data", ".fetch.lock"))
	hold(t, filepath.Join(dir, "compared", "plain8-seed1", "lock"))
	hold(t, filepath.Join(dir, "compared", "resnet8-seed1", "lock"))
	for _, args := range [][]string{
		{"data", "fetch", "cifar10", "--dir", filepath.Join(dir, "data")},
		{"compare", "plain-vs-residual", "--config", "quickstart", "--depths", "8", "--set", "data.limit=256", "--out", filepath.Join(dir, "compared")},
	} {
		for signal, want := range map[syscall.Signal]int{syscall.SIGINT: exitInterrupt, syscall.SIGTERM: exitTerminated} {
			c, out := started(t, "waiting until it has ended", args...)
			begun := time.Now()
			_ = c.Process.Signal(signal)
			_ = c.Wait()
			if got := c.ProcessState.ExitCode(); got != want || !strings.Contains(out.String(), holder()) || time.Since(begun) > 10*time.Second {
				t.Errorf("%q: status %d after %v, want %d: %s", args, got, time.Since(begun), want, out.String())
			}
		}
	}
}

// TestAComparisonDoesItsPartAndWaitsForTheRest: one of the runs is held by another process, which
// ends before it has finished it.
func TestAComparisonDoesItsPartAndWaitsForTheRest(t *testing.T) {
	out := filepath.Join(t.TempDir(), "compared")
	lock := hold(t, filepath.Join(out, "plain8-seed1", "lock"))
	args := append([]string{"compare", "plain-vs-residual", "--config", "quickstart", "--depths", "8", "--out", out}, tinyTraining...)
	c, said := started(t, "plain8-seed1"+string(filepath.Separator)+"lock: "+holder(), args...)
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(out, "resnet8-seed1", "report.html")); err == nil {
			break
		}
		if time.Since(begun) > time.Minute {
			t.Fatalf("the other run is not trained meanwhile: %s", said)
		}
	}
	if _, err := os.Stat(filepath.Join(out, "plain8-seed1", "config.yaml")); err == nil {
		t.Error("it trains in a folder that another process holds")
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
	for _, name := range []string{"points.csv", "plain8-seed1/report.html"} {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
	if n := strings.Count(said.String(), holder()); n != 1 {
		t.Errorf("the holder is named %d times", n)
	}
}
