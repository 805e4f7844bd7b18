//go:build mpi && linux

package mpi

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestMPITheLauncherIsFoundAboveScripts(t *testing.T) {
	proc := t.TempDir()
	for _, p := range []struct {
		pid, parent int
		name        string
	}{{50, 40, "resnet-mpi"}, {40, 30, "sh (odd) x"}, {30, 20, "orted"}, {20, 1, "sshd"}, {60, 70, "resnet-mpi"}, {70, 1, "slurmstepd"}} {
		dir := filepath.Join(proc, strconv.Itoa(p.pid))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string]string{"comm": p.name + "\n", "stat": strconv.Itoa(p.pid) + " (" + p.name + ") S " + strconv.Itoa(p.parent) + " 1 1"} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if pid, name := launcherAbove(proc, 50); pid != 30 || name != "orted" {
		t.Errorf("%d %q", pid, name)
	}
	for _, pid := range []int{60, 20, 99} {
		if found, name := launcherAbove(proc, pid); found != 0 {
			t.Errorf("above %d: %d %q", pid, found, name)
		}
	}
}

// TestMPIALauncherThatStaysIsEnded runs the script on a process that does not heed SIGTERM, on one
// that has another name by now, and where a line says that all is well.
func TestMPIALauncherThatStaysIsEnded(t *testing.T) {
	stays := exec.Command("sh", "-c", "trap '' TERM; while :; do sleep 0.1; done")
	if err := stays.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stays.Process.Kill() }()
	end := func(name, line string) {
		c := exec.Command("sh", "-c", endLauncher, "sh", strconv.Itoa(stays.Process.Pid), name, "0.1", "0.3")
		c.Stdin = strings.NewReader(line)
		if err := c.Run(); err != nil {
			t.Error(err)
		}
	}
	gone := make(chan bool)
	go func() { _ = stays.Wait(); close(gone) }()
	end("orted", "")
	end("sh", "\n")
	select {
	case <-gone:
		t.Error("a process of another name was ended, or one whose rank has taken leave")
	default:
	}
	end("sh", "")
	select {
	case <-gone:
	case <-time.After(5 * time.Second):
		t.Error("it is still there")
	}
}
