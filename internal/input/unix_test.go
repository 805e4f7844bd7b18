//go:build unix

package input_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"resnet/internal/input"
)

// within fails when f does not come back: that is what opening a pipe does.
func within(t *testing.T, what string, f func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(10 * time.Second):
		t.Fatalf("%s waits", what)
		return nil
	}
}

func TestWhatIsNoRegularFileIsNamedAndNeverWaitedFor(t *testing.T) {
	dir := t.TempDir()
	pipe, link, socket := filepath.Join(dir, "pipe"), filepath.Join(dir, "link"), filepath.Join(dir, "s")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o644), os.Symlink("pipe", link)); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for path, says := range map[string]string{pipe: "a pipe", link: "a pipe", socket: "a socket", "/dev/null": "a device", "/dev/zero": "a device", dir: "a folder"} {
		for name, flag := range map[string]int{"reading": os.O_RDONLY, "writing": os.O_WRONLY, "both": os.O_RDWR | os.O_CREATE} {
			err := within(t, name+" "+path, func() error {
				f, err := input.OpenFile(path, flag, 0o644)
				if err == nil {
					f.Close()
				}
				return err
			})
			if !errors.Is(err, input.ErrNotRegular) || !strings.Contains(err.Error(), path+": not a regular file but "+says) {
				t.Errorf("%s %s: %v", name, path, err)
			}
		}
		err := within(t, path, func() error { _, err := input.ReadStream(path, 10); return err })
		if !errors.Is(err, input.ErrNotRegular) {
			t.Errorf("%s as a stream: %v", path, err)
		}
	}
}

// TestPipesThatTheProcessWasGivenAreReadAsStreams: those of a shell's <(command), whose writer is
// there already.
func TestPipesThatTheProcessWasGivenAreReadAsStreams(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	path := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if _, err := os.Stat(path); err != nil {
		t.Skip(err)
	}
	go func() {
		time.Sleep(20 * time.Millisecond)
		_, _ = w.WriteString("text")
		w.Close()
	}()
	if b, err := input.ReadStream(path, 10); string(b) != "text" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := input.Read(path, 10); !errors.Is(err, input.ErrNotRegular) {
		t.Errorf("not as a stream: %v", err)
	}
}
