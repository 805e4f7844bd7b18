//go:build mpi && (linux || darwin)

package mpi

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"resnet/internal/train/collective"
)

// Group is a collective.Group over MPI.
type Group struct {
	lib        *library
	rank, size int
	hosts      []string
	work       chan func()
	timeout    atomic.Int64 // time.Duration; how long a rank waits for the others
	say        func(string)
	exit       func(int)
	calls      uint32 // collective calls so far
	recv       []mailbox
	status     [64]byte // longer than any MPI_Status
}

// mailbox is where a message arrives.
type mailbox struct {
	request [8]byte
	text    [messageLen]byte
}

var _ collective.Group = (*Group)(nil)

// Options say how a Group is made.
type Options struct {
	Getenv func(string) string
	// Say writes a line for the user; any rank's.
	Say func(string)
	// Exit ends the process; it does not return.
	Exit func(code int)
}

// StartTimeout is how long ranks wait for each other before SetTimeout is called.
const StartTimeout = 5 * time.Minute

// Join opens the library and joins the processes of a launch.
func Join(l Launch, o Options) (*Group, error) {
	lib, err := open(o.Getenv, l.By)
	if err != nil {
		return nil, err
	}
	g := &Group{lib: lib, work: make(chan func()), say: o.Say, exit: o.Exit}
	g.timeout.Store(int64(StartTimeout))
	go g.thread()
	if err := g.do(g.start); err != nil {
		return nil, err
	}
	if g.size != l.Size {
		if g.size == 1 {
			_ = g.do(func() error { lib.finalize(); return nil })
		}
		return nil, fmt.Errorf("the launcher (%s) has started %d processes, and %s (%s) sees %d: it belongs to another launcher; set %s to the library of this one",
			l.By, l.Size, lib.path, lib.version(), g.size, LibraryVariable)
	}
	g.recv = make([]mailbox, g.size)
	host, err := os.Hostname()
	if err != nil {
		host = "an unnamed host"
	}
	names, err := collective.Gather(g, []byte(host))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		g.hosts = append(g.hosts, string(name))
	}
	return g, nil
}

// thread makes all calls of MPI.
func (g *Group) thread() {
	runtime.LockOSThread()
	for f := range g.work {
		f()
	}
}

// do runs f on the thread of MPI.
func (g *Group) do(f func() error) error {
	done := make(chan error, 1)
	g.work <- func() { done <- f() }
	return <-done
}

func (g *Group) start() error {
	l := g.lib
	var provided, rank, size int32
	if err := l.check("MPI_Init_thread", l.initThread(0, 0, l.funneled, &provided)); err != nil {
		return err
	}
	l.setErrhandler(l.world, l.errorsReturn)
	if err := l.check("MPI_Comm_rank", l.commRank(l.world, &rank)); err != nil {
		return err
	}
	if err := l.check("MPI_Comm_size", l.commSize(l.world, &size)); err != nil {
		return err
	}
	g.rank, g.size = int(rank), int(size)
	return nil
}

// Rank implements collective.Group.
func (g *Group) Rank() int { return g.rank }

// Size implements collective.Group.
func (g *Group) Size() int { return g.size }

// Host is the name of this machine.
func (g *Group) Host() string { return g.hosts[g.rank] }

// Library says which library it is.
func (g *Group) Library() string { return g.lib.version() }

// Hosts names the machine of every rank.
func (g *Group) Hosts() []string { return g.hosts }

// SetTimeout says how long a rank waits for the others.
func (g *Group) SetTimeout(d time.Duration) { g.timeout.Store(int64(d)) }

func (g *Group) place(rank int) string {
	p := collective.Place{Rank: rank, Size: g.size, Host: "an unknown host"}
	if rank < len(g.hosts) {
		p.Host = g.hosts[rank]
	}
	return p.String()
}

// AllToAll implements collective.Group.
func (g *Group) AllToAll(send, recv []byte) error {
	n := int32(len(send) / g.size)
	return g.call(kindAllToAll, func() int32 {
		return g.lib.alltoall(pointer(send), n, g.lib.byteType, pointer(recv), n, g.lib.byteType, g.lib.world)
	})
}

// AllGather implements collective.Group.
func (g *Group) AllGather(send, recv []byte) error {
	n := int32(len(send))
	return g.call(kindAllGather, func() int32 {
		return g.lib.allgather(pointer(send), n, g.lib.byteType, pointer(recv), n, g.lib.byteType, g.lib.world)
	})
}

// Broadcast implements collective.Group.
func (g *Group) Broadcast(b []byte) error {
	const most = 1 << 30 // a count of MPI has 31 bits
	for len(b) > 0 {
		part := b[:min(len(b), most)]
		if err := g.call(kindBroadcast, func() int32 {
			return g.lib.bcast(pointer(part), int32(len(part)), g.lib.byteType, 0, g.lib.world)
		}); err != nil {
			return err
		}
		b = b[len(part):]
	}
	return nil
}

// Barrier implements collective.Group.
func (g *Group) Barrier() error { return g.call(kindBarrier, func() int32 { return 0 }) }

func pointer(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

// call makes a collective call when all ranks have come to it.
func (g *Group) call(k kind, f func() int32) error {
	return g.do(func() error {
		limit := time.Duration(g.timeout.Load())
		if err := g.arrive(message{kind: k}, limit); err != nil {
			return err
		}
		// All are there: what follows takes as long as the bytes do.
		watchdog := time.AfterFunc(limit, func() {
			g.end(exitRanks, fmt.Sprintf("%s: the other ranks were there, and nothing has come from them for %v (distributed.timeout): a rank hangs, or its link is cut", g.place(g.rank), limit))
		})
		defer watchdog.Stop()
		return g.lib.check(k.String(), f())
	})
}

// Abort implements collective.Group.
func (g *Group) Abort(code int) { g.end(code, "") }

// exitRanks is the exit status when ranks do not answer: to be started again.
const exitRanks = 75

// end ends all processes, or at least this one, whatever state MPI is in.
func (g *Group) end(code int, text string) {
	if text != "" {
		g.say(text)
		time.Sleep(300 * time.Millisecond) // launchers lose what comes with the end
	}
	time.AfterFunc(3*time.Second, func() { g.exit(code) })
	g.lib.abort(g.lib.world, int32(code))
	g.exit(code)
}

// Close ends the group at the end of the program, with this rank's exit status and, unless that is
// 0, its error: it returns the status of all, and on rank 0 the errors that it does not know. A
// rank that has failed alone ends the others.
func (g *Group) Close(code int, text string) (status int, others []string) {
	limit := time.Duration(g.timeout.Load())
	if code != 0 {
		limit = 5 * time.Second // the others may be at work, and never come
	}
	m := message{kind: kindClose, code: int32(code), text: text}
	if err := g.do(func() error { return g.arrive(m, limit) }); err != nil {
		var left *leftError
		switch {
		case code != 0 && g.rank == 0: // which has said it
			g.end(code, "")
		case code != 0:
			g.end(code, g.place(g.rank)+": "+text)
		case errors.As(err, &left):
			g.end(left.code, left.text)
		}
		g.end(exitRanks, err.Error())
	}
	own := binary.LittleEndian.AppendUint32(nil, uint32(code))
	all, err := collective.Gather(direct{g}, append(own, text...))
	if err != nil {
		g.end(max(code, 1), err.Error())
	}
	for rank, b := range all {
		c, t := int(binary.LittleEndian.Uint32(b)), string(b[4:])
		if status == 0 {
			status = c
		}
		if rank > 0 && c != 0 && t != "" && !strings.Contains(text, t) && !contains(others, t) {
			others = append(others, g.place(rank)+": "+t)
		}
	}
	_ = g.do(func() error { g.lib.finalize(); return nil })
	return status, others
}

func contains(list []string, part string) bool {
	for _, s := range list {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}

// direct is the group without arrivals: all are there.
type direct struct{ *Group }

func (d direct) AllGather(send, recv []byte) error {
	g := d.Group
	return g.do(func() error {
		n := int32(len(send))
		return g.lib.check("MPI_Allgather", g.lib.allgather(pointer(send), n, g.lib.byteType, pointer(recv), n, g.lib.byteType, g.lib.world))
	})
}

// kind is a collective call.
type kind uint32

const (
	kindAllToAll kind = iota + 1
	kindAllGather
	kindBroadcast
	kindBarrier
	kindClose
)

func (k kind) String() string {
	switch k {
	case kindAllToAll:
		return "MPI_Alltoall"
	case kindAllGather:
		return "MPI_Allgather"
	case kindBroadcast:
		return "MPI_Bcast"
	}
	return "MPI"
}

// message is what a rank sends when it arrives.
type message struct {
	kind  kind
	calls uint32
	code  int32 // exit status of a rank that ends
	text  string
}

const (
	messageHead = 16
	messageLen  = 1024
)

func (m message) encode() []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(m.kind))
	b = binary.LittleEndian.AppendUint32(b, m.calls)
	b = binary.LittleEndian.AppendUint32(b, uint32(m.code))
	text := m.text[:min(len(m.text), messageLen-messageHead)]
	b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	return append(b, text...)
}

func decode(b []byte) message {
	n := min(binary.LittleEndian.Uint32(b[12:]), messageLen-messageHead)
	return message{
		kind: kind(binary.LittleEndian.Uint32(b)), calls: binary.LittleEndian.Uint32(b[4:]), code: int32(binary.LittleEndian.Uint32(b[8:])),
		text: string(bytes.ToValidUTF8(b[messageHead:messageHead+n], nil)),
	}
}

// leftError says that a rank has ended while others wait for it.
type leftError struct {
	code int
	text string
}

func (e *leftError) Error() string { return e.text }

// The tags of messages.
const (
	tagArrival = 1
	tagGo      = 2
)

// arrive tells rank 0 that this rank has come to a call, and returns when all have. It runs on the
// thread of MPI.
func (g *Group) arrive(m message, limit time.Duration) error {
	if g.size == 1 {
		return nil
	}
	g.calls++
	m.calls = g.calls
	if g.rank == 0 {
		return g.awaitAll(m, limit)
	}
	own := m.encode()
	if err := g.lib.check("MPI_Send", g.lib.send(pointer(own), int32(len(own)), g.lib.byteType, 0, tagArrival, g.lib.world)); err != nil {
		return err
	}
	box := &g.recv[0]
	if err := g.expect(box, 0, tagGo); err != nil {
		return err
	}
	// Rank 0 knows who is missing, and is given the time to say so.
	ok, err := g.await(limit+5*time.Second, func() (bool, error) { return g.arrived(box) })
	if err == nil && !ok && m.kind != kindClose {
		g.end(exitRanks, fmt.Sprintf("%s: %s has not answered for %v (distributed.timeout): it hangs, or its link is cut", g.place(g.rank), g.place(0), limit))
	}
	if err == nil && !ok {
		err = errors.New("the other ranks are at work")
	}
	return err
}

// awaitAll waits on rank 0 for all others.
func (g *Group) awaitAll(m message, limit time.Duration) error {
	missing := map[int]*mailbox{}
	for rank := 1; rank < g.size; rank++ {
		box := &g.recv[rank]
		if err := g.expect(box, int32(rank), tagArrival); err != nil {
			return err
		}
		missing[rank] = box
	}
	ok, err := g.await(limit, func() (bool, error) {
		for rank, box := range missing {
			come, err := g.arrived(box)
			if err != nil {
				return false, err
			}
			if !come {
				continue
			}
			delete(missing, rank)
			if err := g.compare(m, rank, decode(box.text[:])); err != nil {
				return false, err
			}
		}
		return len(missing) == 0, nil
	})
	var left *leftError
	switch {
	case errors.As(err, &left) && m.kind != kindClose:
		g.end(left.code, left.text)
	case err != nil:
		return err
	case !ok && m.kind == kindClose && m.code != 0:
		return errors.New("the other ranks are at work")
	case !ok:
		var names []string
		for rank := 1; rank < g.size; rank++ {
			if missing[rank] != nil {
				names = append(names, g.place(rank))
			}
		}
		g.end(exitRanks, fmt.Sprintf("%s: no answer for %v (distributed.timeout): it hangs, or its link is cut", strings.Join(names, ", "), limit))
	}
	word := []byte{1}
	for rank := 1; rank < g.size; rank++ {
		if err := g.lib.check("MPI_Send", g.lib.send(pointer(word), 1, g.lib.byteType, int32(rank), tagGo, g.lib.world)); err != nil {
			return err
		}
	}
	return nil
}

// compare fails unless a rank has come to the same call.
func (g *Group) compare(own message, rank int, m message) error {
	switch {
	case m.kind == own.kind && m.calls == own.calls:
		return nil
	case m.kind == kindClose:
		text := m.text
		if text == "" {
			text = "has ended"
		}
		code := int(m.code)
		if code == 0 {
			code = exitRanks
		}
		return &leftError{code, g.place(rank) + ": " + text}
	}
	return &leftError{exitRanks, fmt.Sprintf("%s is at call %d (%s), and rank 0 at %d (%s): the ranks do not run the same program", g.place(rank), m.calls, m.kind, own.calls, own.kind)}
}

// expect asks for a message.
func (g *Group) expect(box *mailbox, from, tag int32) error {
	return g.lib.check("MPI_Irecv", g.lib.irecv(unsafe.Pointer(&box.text), messageLen, g.lib.byteType, from, tag, g.lib.world, unsafe.Pointer(&box.request)))
}

// arrived reports whether the message is there.
func (g *Group) arrived(box *mailbox) (bool, error) {
	var flag int32
	err := g.lib.check("MPI_Test", g.lib.test(unsafe.Pointer(&box.request), &flag, unsafe.Pointer(&g.status)))
	return flag != 0, err
}

// The waits between two looks for messages: none for a moment, since ranks seldom differ much, and
// then some, so that a core is left to those who compute.
const (
	looks = 200
	pause = 50 * time.Microsecond
)

// await calls done until it reports true, fails, or the time is over.
func (g *Group) await(limit time.Duration, done func() (bool, error)) (bool, error) {
	start := time.Now()
	for n := 0; ; n++ {
		if ok, err := done(); ok || err != nil {
			return ok, err
		}
		if n > looks {
			if time.Since(start) > limit {
				return false, nil
			}
			time.Sleep(pause)
		} else {
			runtime.Gosched()
		}
	}
}
