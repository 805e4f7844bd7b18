//go:build mpi && (linux || darwin)

package mpi

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
	"unsafe"
)

// A part is bytes for, or of, another rank.
type part struct {
	rank int
	data []byte
}

// transfer is a message of MPI on its way.
type transfer struct {
	request uint64 // as wide as the widest handle
	rank    int    // the other one
	data    []byte // which MPI reads or writes until it is done
	done    bool
}

// maxMessage is how many bytes a message has at most: a count of MPI has 31 bits.
const maxMessage = 1 << 30

// The tags of messages.
const (
	tagArrival = 1
	tagGo      = 2
	tagData    = 3
)

// send begins to send a message.
func (g *Group) send(b []byte, to int, tag int32) (*transfer, error) {
	l, t := g.lib, &transfer{rank: to, data: b}
	return t, l.check("MPI_Isend", l.isend(pointer(b), int32(len(b)), l.byteType, int32(to), tag, l.world, unsafe.Pointer(&t.request)))
}

// receive asks for a message of at most so many bytes.
func (g *Group) receive(b []byte, from int, tag int32) (*transfer, error) {
	l, t := g.lib, &transfer{rank: from, data: b}
	return t, l.check("MPI_Irecv", l.irecv(pointer(b), int32(len(b)), l.byteType, int32(from), tag, l.world, unsafe.Pointer(&t.request)))
}

// isDone reports whether a message has arrived, or been taken.
func (g *Group) isDone(t *transfer) (bool, error) {
	if t.done {
		return true, nil
	}
	var flag int32
	if err := g.lib.check("MPI_Test", g.lib.test(unsafe.Pointer(&t.request), &flag, unsafe.Pointer(&g.status))); err != nil {
		return false, fmt.Errorf("%s: %w", g.place(t.rank), err)
	}
	t.done = flag != 0
	return t.done, nil
}

// exchange sends and takes parts, whose messages are all on their way at once. So no rank waits for
// another because of a third, and those whose messages are missing when the time is over are those
// that hang. It runs on the thread of MPI.
func (g *Group) exchange(send, recv []part, limit time.Duration) error {
	var all []*transfer
	each := func(parts []part, start func(b []byte, rank int, tag int32) (*transfer, error)) error {
		for _, p := range parts {
			for b := p.data; len(b) > 0; {
				n := min(len(b), maxMessage)
				t, err := start(b[:n], p.rank, tagData)
				if err != nil {
					return err
				}
				all = append(all, t)
				b = b[n:]
			}
		}
		return nil
	}
	// Sends come first: a long message is announced, and begins when the other side has said that
	// it may. Said before our own announcement it would let the other rank begin, whose permission
	// to us then waits behind all its data: one direction after the other.
	if err := each(send, g.send); err != nil {
		return err
	}
	if err := each(recv, g.receive); err != nil {
		return err
	}
	return g.finish(all, limit)
}

// finish waits for transfers, and ends the group when some are not done in time.
func (g *Group) finish(all []*transfer, limit time.Duration) error {
	ok, err := g.awaitTransfers(all, limit+g.deference())
	if err != nil || ok {
		return err
	}
	g.end(exitRanks, g.noAnswer(all, limit))
	return nil
}

// awaitTransfers reports whether all are done before the time is over.
func (g *Group) awaitTransfers(all []*transfer, limit time.Duration) (bool, error) {
	first := 0 // that is not done
	return g.await(limit, func() (bool, error) {
		for _, t := range all[first:] {
			if _, err := g.isDone(t); err != nil {
				return false, err
			}
		}
		for first < len(all) && all[first].done {
			first++
		}
		return first == len(all), nil
	})
}

// noAnswer says of which ranks transfers are not done in time. Where that is several, this rank may
// be the one that is cut off.
func (g *Group) noAnswer(all []*transfer, limit time.Duration) string {
	var names []string
	for rank := range g.size {
		if slices.ContainsFunc(all, func(t *transfer) bool { return t.rank == rank && !t.done }) {
			names = append(names, g.place(rank))
		}
	}
	if len(names) > 1 {
		return fmt.Sprintf("%s: no answer to %s for %v (distributed.timeout): they hang, or a link is cut, perhaps that of the latter", strings.Join(names, ", "), g.place(g.rank), limit)
	}
	return fmt.Sprintf("%s: no answer for %v (distributed.timeout): it hangs, or its link is cut", strings.Join(names, ", "), limit)
}

// deference is how much longer than rank 0 a rank waits for what is missing, so that one of them
// says it and not all.
func (g *Group) deference() time.Duration {
	if g.rank == 0 {
		return 0
	}
	return 2*time.Second + time.Duration(min(g.rank-1, 5))*400*time.Millisecond
}

// The waits between two looks for messages: none for a moment, since ranks seldom differ much, and
// then a part of the time that was waited, so that a core is left to those who compute. Between two
// looks of the longest pause 10 Gb/s bring 250 KB, which the system keeps.
const (
	looking  = 50 * time.Microsecond
	pausing  = 8 // one part of so many
	maxPause = 200 * time.Microsecond
)

// await calls done until it reports true, fails, or the time is over.
func (g *Group) await(limit time.Duration, done func() (bool, error)) (bool, error) {
	start := time.Now()
	for {
		if ok, err := done(); ok || err != nil {
			return ok, err
		}
		waited := time.Since(start)
		switch {
		case waited > limit:
			return false, nil
		case waited < looking:
			runtime.Gosched()
		default:
			sleep(min(waited/pausing, maxPause))
		}
	}
}
