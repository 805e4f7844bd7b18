//go:build mpi && (linux || darwin)

package mpi

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// tied are lifelines of n ranks in one process, and what they have said.
func tied(t *testing.T, n int) (lines []*lifelines, ended chan string) {
	t.Helper()
	ended = make(chan string, 8)
	says := func(rank int) func(int) { return func(of int) { ended <- fmt.Sprint(rank, " of ", of) } }
	first, where, err := openLifelines(says(0))
	if err != nil {
		t.Fatal(err)
	}
	lines = append(lines, first)
	for rank := 1; rank < n; rank++ {
		l := dialLifeline(where, rank, says(rank))
		if l == nil {
			t.Fatalf("rank %d reaches nobody at %s", rank, where[tokenLen:])
		}
		lines = append(lines, l)
	}
	for rank, l := range lines {
		want := 1
		if rank == 0 {
			want = n - 1
		}
		for have := 0; have < want; time.Sleep(time.Millisecond) { // keep runs on its own
			l.mu.Lock()
			have = len(l.conns)
			l.mu.Unlock()
		}
	}
	return lines, ended
}

// breakOff ends a rank's line as its process's end does.
func breakOff(l *lifelines, rank int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.conns[rank].Close()
}

func TestMPITheEndOfAProcessIsKnownByItsRank(t *testing.T) {
	lines, ended := tied(t, 3)
	breakOff(lines[2], 0)
	if s := <-ended; s != "0 of 2" {
		t.Error(s)
	}
	select { // rank 2 itself reads of a closed line, which is no end of rank 0
	case s := <-ended:
		t.Error(s)
	case <-time.After(200 * time.Millisecond):
	}
	defer lines[0].goodbye()
	lines[1].goodbye() // rank 0 has it from the line alone
	breakOff(lines[1], 0)
	select {
	case s := <-ended:
		t.Errorf("after goodbye: %s", s)
	case <-time.After(100 * time.Millisecond):
	}
}

func TestMPIRankZeroSaysToWhichCallItHasCome(t *testing.T) {
	lines, _ := tied(t, 2)
	defer lines[0].goodbye()
	lines[0].arrived(7)
	for range 2000 {
		if lines[1].waitsAt(7) {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if !lines[1].waitsAt(7) || lines[1].waitsAt(8) || (*lifelines)(nil).waitsAt(7) {
		t.Error("rank 1 does not know where rank 0 is")
	}
	lines[1].heard.Store(time.Now().Add(-time.Minute).UnixNano())
	if lines[1].waitsAt(7) {
		t.Error("what was said a minute ago is taken for now")
	}
}

// TestMPIStrangersAreNoRanks: whoever does not show the token is sent away, and a rank that is
// answered by another program goes on without a line.
func TestMPIStrangersAreNoRanks(t *testing.T) {
	ended := make(chan int, 1)
	l, where, err := openLifelines(func(rank int) { ended <- rank })
	if err != nil {
		t.Fatal(err)
	}
	defer l.goodbye()
	address, _, _ := strings.Cut(string(where[tokenLen:]), "\n")
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(make([]byte, tokenLen+4)); err != nil {
		t.Fatal(err)
	}
	if n, _ := io.Copy(io.Discard, c); n != 0 || len(l.conns) != 0 {
		t.Errorf("a stranger was told %d bytes, of %d lines", n, len(l.conns))
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	start := time.Now()
	if l := dialLifeline(append(where[:tokenLen:tokenLen], silent.Addr().String()...), 1, nil); l != nil || time.Since(start) > 4*dialTimeout {
		t.Errorf("%v after %v", l, time.Since(start))
	}
	if dialLifeline(nil, 1, nil) != nil {
		t.Error("a line to nowhere")
	}
}
