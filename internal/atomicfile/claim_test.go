//go:build unix

package atomicfile_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"resnet/internal/atomicfile"
	"resnet/internal/atomicfile/atomicfiletest"
)

// writerHelper, set in the environment, turns the test binary into a writer of the file that the
// variable names: it writes a part, says so, and commits when its standard input has a line.
const writerHelper = "RESNET_TEST_WRITER_FILE"

func TestMain(m *testing.M) {
	path := os.Getenv(writerHelper)
	if path == "" {
		os.Exit(m.Run())
	}
	f, err := atomicfile.Create(atomicfile.OS, path, "test")
	if err == nil {
		_, err = f.Write([]byte("slow"))
	}
	if err == nil {
		err = f.Finish() // closed, but not renamed yet
	}
	fmt.Println("written", err)
	if line, _ := bufio.NewReader(os.Stdin).ReadString('\n'); line == "" || err != nil || f.Commit() != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// writer starts a process that is writing a file.
func writer(t *testing.T, path string) (cmd *exec.Cmd, commit func() error) {
	t.Helper()
	return atomicfiletest.Start(t, writerHelper, path, "written <nil>")
}

func TestWhatADeadWriterHasLeftGoesAndALivingOnesStays(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	write := func(path, kind string) {
		t.Helper()
		if err := atomicfile.WriteFile(atomicfile.OS, path, kind, []byte("quick")); err != nil {
			t.Fatal(err)
		}
	}
	_, commit := writer(t, path)
	write(path, "test")
	if got := read(t, path); got != "quick" {
		t.Fatal(got)
	}
	if err := commit(); err != nil {
		t.Fatalf("what a living process writes was removed: %v", err)
	}
	if got := names(t, dir); got != "x" || read(t, path) != "slow" {
		t.Errorf("%s, %s", got, read(t, path))
	}
	cmd, _ := writer(t, path)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	write(path, "other")
	write(path+"y", "test")
	if got := names(t, dir); !strings.HasPrefix(got, ".x.tmp-test-") {
		t.Errorf("the leftover of another file or kind was removed: %s", got)
	}
	write(path, "test")
	if got := names(t, dir); got != "x xy" {
		t.Errorf("a leftover stays: %s", got)
	}
}

func TestLeftoversOfOtherMachinesAndVersions(t *testing.T) {
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Skip(err)
	}
	gone, here := dead.Process.Pid, os.Getppid()
	old := time.Now().Add(-25 * time.Hour)
	for _, c := range []struct {
		name string
		time time.Time
		goes bool
	}{
		{fmt.Sprintf(".x.tmp-test-%d-0123abcd", gone), time.Now(), true},
		{fmt.Sprintf(".x.tmp-test-%d-0123abcd", here), old, false},
		{fmt.Sprintf(".x.tmp-test-else.where-7-%d-0123abcd", gone), time.Now(), false},
		{fmt.Sprintf(".x.tmp-test-else.where-7-%d-0123abcd", here), old, true},
		{".x.tmp-test-0123abcd", old, false},
		{fmt.Sprintf(".xx.tmp-test-%d-0123abcd", gone), old, false},
	} {
		dir := t.TempDir()
		put(t, filepath.Join(dir, c.name), "left")
		if err := os.Chtimes(filepath.Join(dir, c.name), c.time, c.time); err != nil {
			t.Fatal(err)
		}
		if err := atomicfile.WriteFile(atomicfile.OS, filepath.Join(dir, "x"), "test", nil); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Lstat(filepath.Join(dir, c.name)); (err != nil) != c.goes {
			t.Errorf("%s, of %v: gone %v, want %v", c.name, c.time, err != nil, c.goes)
		}
	}
}

// TestATemporaryNameTellsItsOwner: a person, too, can see whose it is.
func TestATemporaryNameTellsItsOwner(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Skip(err)
	}
	name := filepath.Base(atomicfile.TempName("a/x.ark", "kaldi"))
	if want := fmt.Sprintf(".x.ark.tmp-kaldi-%s-%d-", host, os.Getpid()); !strings.HasPrefix(name, want) || !atomicfile.IsTemp(name, "kaldi") {
		t.Errorf("%s, want %s...", name, want)
	}
}
