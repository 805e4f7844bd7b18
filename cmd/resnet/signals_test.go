//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"resnet/internal/train"
)

// safeBuffer is a bytes.Buffer that several goroutines may write to.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// exits starts a watcher, sends it signals and returns the status with which it ended the process,
// or -1 where it did not within a moment.
func exits(t *testing.T, grace time.Duration, signals ...syscall.Signal) (status int, said string) {
	t.Helper()
	var out safeBuffer
	a := &app{out: &out, err: &out}
	ended := make(chan int, 4)
	w := a.watchSignals(train.NewControl(), grace, func(status int) { ended <- status })
	defer w.stop()
	for _, s := range signals {
		w.ch <- s // as the runtime does, without disturbing the other tests of this process
	}
	select {
	case status = <-ended:
	case <-time.After(200 * time.Millisecond):
		status = -1
	}
	return status, out.String()
}

func TestAStopThatTakesTooLongGivesUpAfterTheGrace(t *testing.T) {
	// The status of the signal would say that all is saved.
	if status, said := exits(t, time.Millisecond, syscall.SIGTERM); status != exitFailed || !strings.Contains(said, "Not saved within 1ms (--grace)") {
		t.Errorf("status %d, %q", status, said)
	}
	if status, _ := exits(t, 0, syscall.SIGTERM); status != -1 {
		t.Errorf("without a limit, the end came with status %d", status)
	}
}

// TestWhatIsSavedIsNotSaidToBeLost: the report of a training may take longer than the grace.
func TestWhatIsSavedIsNotSaidToBeLost(t *testing.T) {
	var out safeBuffer
	a := &app{out: &out, err: &out}
	ended := make(chan int, 4)
	w := a.watchSignals(train.NewControl(), 50*time.Millisecond, func(status int) { ended <- status })
	defer w.stop()
	w.ch <- syscall.SIGTERM
	w.saved()
	select {
	case status := <-ended:
		t.Errorf("ended with status %d", status)
	case <-time.After(200 * time.Millisecond):
	}
	w.ch <- syscall.SIGTERM
	if status := <-ended; status != exitTerminated || strings.Contains(out.String(), "not saved") || strings.Contains(out.String(), "lost") {
		t.Errorf("status %d, %q", status, out.String())
	}
	if status, said := exits(t, time.Hour, syscall.SIGTERM, syscall.SIGTERM); status != exitTerminated || !strings.Contains(said, "is not saved") {
		t.Errorf("a second signal before that: status %d, %q", status, said)
	}
}

func TestTheSecondSignalEndsAtOnceAndAClosedTerminalNever(t *testing.T) {
	if status, _ := exits(t, time.Hour, syscall.SIGINT, syscall.SIGINT); status != exitInterrupt {
		t.Errorf("status %d, want 130", status)
	}
	if status, said := exits(t, time.Millisecond, syscall.SIGHUP, syscall.SIGHUP); status != -1 || said != "" {
		t.Errorf("SIGHUP counted as a stop: status %d, %q", status, said)
	}
}

// TestWorkThatWaitsInTheSystemEndsWithTheSignal: a read of a disk that is gone knows no context.
func TestWorkThatWaitsInTheSystemEndsWithTheSignal(t *testing.T) {
	var said safeBuffer
	a := &app{out: &said, err: &said}
	ended, blocked := make(chan int, 1), make(chan struct{})
	defer close(blocked)
	go func() {
		_ = a.interruptibleFor(context.Background(), "", time.Millisecond, func(status int) { ended <- status }, func(context.Context) error {
			if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
				t.Error(err)
			}
			<-blocked
			return nil
		})
	}()
	select {
	case status := <-ended:
		if status != exitTerminated || said.String() != "Stopped while waiting for the system.\n" {
			t.Errorf("status %d, said %q", status, said.String())
		}
	case <-time.After(time.Minute):
		t.Error("SIGTERM did not end it")
	}
}

// TestASignalEndsTheWorkWithItsStatus sends this process a signal; tests that run in parallel wait
// until this one has ended.
func TestASignalEndsTheWorkWithItsStatus(t *testing.T) {
	own := errors.New("its own")
	for _, c := range []struct {
		name    string
		signal  syscall.Signal // 0 means none
		result  error          // of the work; nil where it ends as its context does
		status  int
		message string
	}{
		{"SIGTERM", syscall.SIGTERM, nil, exitTerminated, "What there is.\n"},
		{"SIGINT", syscall.SIGINT, nil, exitInterrupt, "What there is.\n"},
		{"another failure meanwhile", syscall.SIGINT, own, exitInterrupt, "What there is.\n"},
		{"no signal", 0, own, exitFailed, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var said safeBuffer
			a := &app{out: &said, err: &said}
			err := a.interruptible(context.Background(), "What there is.", func(ctx context.Context) error {
				if c.signal != 0 {
					if err := syscall.Kill(syscall.Getpid(), c.signal); err != nil {
						t.Fatal(err)
					}
					<-ctx.Done()
				}
				if c.result != nil {
					return c.result
				}
				return ctx.Err()
			})
			if status := exitStatus(err); status != c.status || said.String() != c.message {
				t.Errorf("status %d, said %q: want %d, %q", status, said.String(), c.status, c.message)
			}
			if c.signal == 0 && err != own { //nolint:errorlint // the very error
				t.Errorf("error %v", err)
			}
		})
	}
	// Work that was done when the signal came is done.
	a := &app{out: &bytes.Buffer{}, err: &bytes.Buffer{}}
	err := a.interruptible(context.Background(), "", func(ctx context.Context) error {
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-ctx.Done()
		return nil
	})
	if err != nil {
		t.Errorf("finished work: %v", err)
	}
}
