package input

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func TestAChangeIsAnotherState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	state := func() State {
		t.Helper()
		s, err := StateOfFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	put := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("one")
	first := state()
	if first.Bytes != 3 || state() != first {
		t.Errorf("%+v, then %+v", first, state())
	}
	put("two") // of the same size, at once
	second := state()
	if second == first {
		t.Error("another content of the same size has the same state")
	}
	put("six")
	when := time.Unix(0, second.MTime)
	if err := os.Chtimes(path, when, when); err != nil {
		t.Fatal(err)
	}
	if third := state(); runtime.GOOS != "windows" && (third == second || third.MTime != second.MTime) {
		t.Errorf("with the old time: %+v, before %+v", third, second)
	}
}

// TestAStateIsTakenWhenItsTimesHaveSettled: within a tick of its clock a file may change and keep
// its times.
func TestAStateIsTakenWhenItsTimesHaveSettled(t *testing.T) {
	second := int64(1_700_000_000) * int64(time.Second)
	for _, c := range []struct {
		s    State
		want time.Duration
	}{
		{State{MTime: second + 5, CTime: second}, tick + 5},
		{State{MTime: second, CTime: second + 7}, tick + 7},
		{State{MTime: second, CTime: second}, coarseTick}, // a file system of whole seconds
	} {
		if got := c.s.settles().Sub(time.Unix(0, second)); got != c.want {
			t.Errorf("%+v settles after %v, want %v", c.s, got, c.want)
		}
	}
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := StateOfFile(path)
	if err != nil || s.settles().After(time.Now()) {
		t.Errorf("%+v (%v) has not settled", s, err)
	}
}
