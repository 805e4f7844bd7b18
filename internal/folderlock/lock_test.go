package folderlock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestALockHasOneHolderAtATime lets many contenders acquire and release: never are there two.
func TestALockHasOneHolderAtATime(t *testing.T) {
	folder := t.TempDir()
	var holders, acquired atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 300 {
				l, err := Acquire(filepath.Join(folder, "lock"), "testing here")
				if errors.Is(err, ErrLocked) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				acquired.Add(1)
				if n := holders.Add(1); n != 1 {
					t.Errorf("%d holders at once", n)
				}
				if l.TakenFrom != "" {
					t.Errorf("took over from %s, which had released", l.TakenFrom)
				}
				holders.Add(-1)
				if err := l.Release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if acquired.Load() == 0 {
		t.Error("never acquired")
	}
}

func TestWithoutFileLocksTheFileIsTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock.held")
	l, err := acquireByExistence(path, "testing here")
	if err != nil {
		t.Fatal(err)
	}
	_, err = acquireByExistence(path, "testing here")
	var locked *LockedError
	if !errors.As(err, &locked) || locked.PID != os.Getpid() || !strings.Contains(err.Error(), "remove the file") || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	if l, err = acquireByExistence(path, "testing here"); err != nil {
		t.Fatal(err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestALockFileOfGarbageIsNotFatal(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "lock")
	for _, text := range []string{"", "garbage", "{", `{"pid":"x"}`, strings.Repeat("[", 20_000)} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		l, err := Acquire(filepath.Join(folder, "lock"), "testing here")
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Release(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWaitTellsWhoHasItAndTakesItNext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := Acquire(path, "testing here")
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan string, 10)
	var second *Lock
	done := make(chan error)
	go func() {
		var err error
		second, err = Wait(t.Context(), path, "testing here", func(e *LockedError) { told <- e.Waiting() })
		done <- err
	}()
	host, _ := os.Hostname()
	if got, want := <-told, fmt.Sprintf("%s: process %d on %s (since ", path, os.Getpid(), host); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, ") is testing here: waiting until it has ended") {
		t.Errorf("told %q", got)
	}
	select {
	case err := <-done:
		t.Fatalf("did not wait: %v", err)
	case <-time.After(3 * pollInterval):
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || len(told) > 0 {
		t.Fatalf("%v, told %d times more", err, len(told))
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, err := Wait(ctx, path, "testing here", func(*LockedError) { cancel() })
		done <- err
	}()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("a wait that was ended: %v", err)
	}
	if err := second.Release(); err != nil {
		t.Fatal(err)
	}
}
