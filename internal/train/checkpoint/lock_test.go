package checkpoint

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/atomicfile/atomicfiletest"
	"resnet/internal/folderlock"
)

// lockHelper, set in the environment, turns the test binary into a second training: it opens the
// run folder that the variable names, says so, and holds it until its standard input ends.
const lockHelper = "RESNET_TEST_LOCK_FOLDER"

func TestMain(m *testing.M) {
	folder := os.Getenv(lockHelper)
	if folder == "" {
		os.Exit(m.Run())
	}
	s, err := Open(folder, Options{Producer: "resnet v0.1.0"})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("locked")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	if err := s.Close(); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// startTraining starts a second process that holds the folder.
func startTraining(t *testing.T, folder string) (cmd *exec.Cmd, stop func() error) {
	t.Helper()
	return atomicfiletest.Start(t, lockHelper, folder, "locked")
}

func TestASecondTrainingIsRefusedByNameOfTheFirst(t *testing.T) {
	folder := t.TempDir()
	cmd, stop := startTraining(t, folder)
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(folder, Options{Producer: "resnet v0.1.0"})
	var locked *folderlock.LockedError
	if !errors.As(err, &locked) || !errors.Is(err, ErrLocked) {
		t.Fatalf("error %v, want a LockedError", err)
	}
	if locked.PID != cmd.Process.Pid || locked.Host != host || locked.Since == "" {
		t.Errorf("%+v, want process %d on %s", locked, cmd.Process.Pid, host)
	}
	if want := fmt.Sprintf("process %d on %s", cmd.Process.Pid, host); !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), folder) {
		t.Errorf("error %q lacks %q", err, want)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(folder, Options{Producer: "resnet v0.1.0"})
	if err != nil {
		t.Fatalf("after the first ended: %v", err)
	}
	if len(s.Notes) > 0 {
		t.Errorf("notes %q after an orderly end", s.Notes)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestTheLockOfADeadProcessIsTakenOver(t *testing.T) {
	folder := t.TempDir()
	cmd, _ := startTraining(t, folder)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if _, err := os.Stat(filepath.Join(folder, "lock")); err != nil {
		t.Fatalf("the dead process left no lock: %v", err)
	}
	s, err := Open(folder, Options{Producer: "resnet v0.1.0"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if len(s.Notes) != 1 || !strings.Contains(s.Notes[0], fmt.Sprintf("process %d on", cmd.Process.Pid)) {
		t.Errorf("notes %q do not name process %d", s.Notes, cmd.Process.Pid)
	}
	if _, err := AcquireLock(folder); !errors.Is(err, ErrLocked) {
		t.Errorf("the lock taken over does not hold: %v", err)
	}
}
