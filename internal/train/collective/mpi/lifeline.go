//go:build mpi && (linux || darwin)

package mpi

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// lifelines are TCP connections beside MPI, one from every rank to rank 0. A process that ends
// takes its connection with it, at once and whatever killed it, which MPI reports late, or not at
// all, and never by the rank's name. Rank 0 says on them every second to which call it has come, so
// that the others know whether it is rank 0 that they wait for.
type lifelines struct {
	ended func(rank int) // called when a rank's process has ended without a word

	mu      sync.Mutex
	conns   map[int]net.Conn
	closing bool
	token   [tokenLen]byte

	call  atomic.Uint32 // to which rank 0 has come, as far as this rank knows
	heard atomic.Int64  // when it said so, in nanoseconds of the clock; 0 means never
}

const (
	tokenLen = 16
	// dialTimeout is how long a rank tries to reach rank 0. Where nothing answers the training goes
	// on without.
	dialTimeout = 2 * time.Second
	beatEvery   = time.Second
	// tellTimeout is far above what a busy machine takes to write a few bytes. They wait for nobody
	// unless a rank has been stopped for days.
	tellTimeout = 100 * time.Millisecond
	// The words of a lifeline: a beat is followed by the number of a call.
	wordBeat    = 'b'
	wordGoodbye = 'g'
	wordTake    = 't' // of both ends, before the first beat
)

// openLifelines is for rank 0. It returns what dialLifeline needs, with which the other ranks come.
func openLifelines(ended func(rank int)) (*lifelines, []byte, error) {
	l := &lifelines{ended: ended, conns: map[int]net.Conn{}}
	if _, err := rand.Read(l.token[:]); err != nil {
		return nil, nil, err
	}
	listener, err := net.Listen("tcp", ":0") //nolint:gosec // of all networks: the ranks may be on any
	if err != nil {
		return nil, nil, err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return nil, nil, err
	}
	go l.accept(listener)
	go l.beat()
	return l, append(l.token[:], addresses(port)...), nil
}

// addresses are those of this machine with a port, one a line.
func addresses(port string) []byte {
	var list [][]byte
	all, _ := net.InterfaceAddrs() // without any, no rank comes
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLinkLocalUnicast() {
			list = append(list, []byte(net.JoinHostPort(n.IP.String(), port)))
		}
	}
	return bytes.Join(list, []byte("\n"))
}

// accept takes the connections of ranks, which show the token.
func (l *lifelines) accept(listener net.Listener) {
	for {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			var hello [tokenLen + 4]byte
			_ = c.SetReadDeadline(time.Now().Add(dialTimeout))
			if _, err := io.ReadFull(c, hello[:]); err != nil || !bytes.Equal(hello[:tokenLen], l.token[:]) {
				_ = c.Close()
				return
			}
			rank := int(binary.LittleEndian.Uint32(hello[tokenLen:]))
			var taken [1]byte // of several addresses that lead here, a rank takes one
			if _, err := c.Write([]byte{wordTake}); err == nil {
				if _, err = io.ReadFull(c, taken[:]); err == nil && c.SetReadDeadline(time.Time{}) == nil {
					l.keep(rank, c)
					return
				}
			}
			_ = c.Close()
		}()
	}
}

// dialLifeline is for the other ranks. It returns nil where rank 0 does not answer.
func dialLifeline(where []byte, rank int, ended func(rank int)) *lifelines {
	if len(where) < tokenLen {
		return nil
	}
	hello := binary.LittleEndian.AppendUint32(bytes.Clone(where[:tokenLen]), uint32(rank))
	answered := make(chan net.Conn)
	over := time.After(dialTimeout)
	done := make(chan struct{})
	defer close(done)
	for address := range bytes.SplitSeq(where[tokenLen:], []byte("\n")) {
		go func() {
			c, err := net.DialTimeout("tcp", string(address), dialTimeout)
			if err != nil {
				return
			}
			var first [1]byte
			_ = c.SetDeadline(time.Now().Add(dialTimeout))
			if _, err := c.Write(hello); err == nil {
				if _, err = io.ReadFull(c, first[:]); err == nil && c.SetDeadline(time.Time{}) == nil {
					select {
					case answered <- c:
						return
					case <-done:
					}
				}
			}
			_ = c.Close()
		}()
	}
	select {
	case c := <-answered:
		if _, err := c.Write([]byte{wordTake}); err != nil {
			return nil
		}
		l := &lifelines{ended: ended, conns: map[int]net.Conn{}}
		go l.keep(0, c)
		return l
	case <-over:
		return nil
	}
}

// keep reads the words of a rank until its process has ended.
func (l *lifelines) keep(rank int, c net.Conn) {
	l.mu.Lock()
	l.conns[rank] = c
	l.mu.Unlock()
	r := bufio.NewReader(c)
	for {
		word, err := r.ReadByte()
		switch {
		case err == nil && word == wordBeat:
			var call [4]byte
			if _, err = io.ReadFull(r, call[:]); err == nil {
				l.call.Store(binary.LittleEndian.Uint32(call[:]))
				l.heard.Store(time.Now().UnixNano())
				continue
			}
		case err == nil: // goodbye
			return
		}
		l.mu.Lock()
		closing := l.closing
		l.mu.Unlock()
		if !closing && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)) {
			l.ended(rank)
		}
		return
	}
}

// arrived says to which call this rank has come.
func (l *lifelines) arrived(call uint32) {
	if l != nil {
		l.call.Store(call)
	}
}

// beat tells the other ranks every second to which call rank 0 has come.
func (l *lifelines) beat() {
	for range time.Tick(beatEvery) {
		word := binary.LittleEndian.AppendUint32([]byte{wordBeat}, l.call.Load())
		if !l.tell(word) {
			return
		}
	}
}

// tell sends a word on all lines, and reports false after goodbye. A rank that does not read, as it
// is stopped, does not hold up the others.
func (l *lifelines) tell(word []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return false
	}
	for _, c := range l.conns {
		_ = c.SetWriteDeadline(time.Now().Add(tellTimeout))
		_, _ = c.Write(word) // an end is met by keep
	}
	return true
}

// waitsAt reports whether rank 0 has said in the last seconds that it has come to a call.
func (l *lifelines) waitsAt(call uint32) bool {
	return l != nil && l.call.Load() == call && time.Since(time.Unix(0, l.heard.Load())) < 3*beatEvery
}

// goodbye says that this process may end, and that others may: their ends are no news from here on.
func (l *lifelines) goodbye() {
	if l == nil {
		return
	}
	l.tell([]byte{wordGoodbye})
	l.mu.Lock()
	l.closing = true
	l.mu.Unlock()
}
