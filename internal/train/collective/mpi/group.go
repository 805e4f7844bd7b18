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
	"sync"
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
	calls      uint32   // collective calls so far
	status     [64]byte // longer than any MPI_Status
	lines      *lifelines
	launcher   *guard
	ending     sync.Mutex   // held by whoever ends the process
	leaving    atomic.Int64 // when the launcher has asked this process to end; 0 means never
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
	g.launcher = guardLauncher()
	if err := g.join(l); err != nil {
		g.launcher.release()
		return nil, err
	}
	return g, nil
}

func (g *Group) join(l Launch) error {
	late := time.AfterFunc(StartTimeout, func() {
		g.say(fmt.Sprintf("rank %d of %d: MPI_Init has not come to its end in %v: a rank is not there, or its network leads nowhere", l.Rank, l.Size, StartTimeout))
		g.exit(exitRanks)
	})
	err := g.do(g.start)
	late.Stop()
	if err != nil {
		return err
	}
	if g.size != l.Size {
		if g.size == 1 {
			_ = g.do(func() error { g.lib.leave(); return nil })
		}
		return fmt.Errorf("the launcher (%s) has started %d processes, and %s (%s) sees %d: it belongs to another launcher; set %s to the library of this one",
			l.By, l.Size, g.lib.path, g.lib.version(), g.size, LibraryVariable)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "an unnamed host"
	}
	names, err := collective.Gather(g, []byte(host))
	if err != nil {
		return err
	}
	for _, name := range names {
		g.hosts = append(g.hosts, string(name))
	}
	return g.tie()
}

// tie opens the lifelines. A training goes on without where there can be none.
func (g *Group) tie() error {
	if g.size == 1 {
		return nil
	}
	var where []byte
	if g.rank == 0 {
		g.lines, where, _ = openLifelines(g.lost)
	}
	where, err := collective.Share(g, where)
	if g.rank > 0 && err == nil {
		g.lines = dialLifeline(where, g.rank, g.lost)
	}
	return err
}

// lost ends the group when a rank's process has ended without a word.
func (g *Group) lost(rank int) {
	// A launcher that ends all does so one after another, a second after it has asked them to.
	if t := g.leaving.Load(); t != 0 && time.Since(time.Unix(0, t)) > time.Second/2 {
		return
	}
	if g.rank > 1 {
		// Rank 1 says it, where there is one.
		time.Sleep(time.Duration(min(g.rank-1, 5)) * 300 * time.Millisecond)
	}
	g.end(exitRanks, g.place(rank)+": its process has ended without a word: it was killed, perhaps since its machine was out of memory")
}

// Leaving says that this process was asked to end, by a launcher or a user: what others do a moment
// later is no news.
func (g *Group) Leaving() { g.leaving.CompareAndSwap(0, time.Now().UnixNano()) }

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
	handleOnSignalStack()
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
	n := len(send) / g.size
	copy(recv[g.rank*n:][:n], send[g.rank*n:])
	return g.call(kindAllToAll, g.others(func(to int) []byte { return send[to*n:][:n] }), g.others(func(from int) []byte { return recv[from*n:][:n] }))
}

// AllGather implements collective.Group.
func (g *Group) AllGather(send, recv []byte) error {
	to, from := g.gather(send, recv)
	return g.call(kindAllGather, to, from)
}

// gather are the parts of an AllGather.
func (g *Group) gather(send, recv []byte) (to, from []part) {
	n := len(send)
	copy(recv[g.rank*n:][:n], send)
	return g.others(func(int) []byte { return send }), g.others(func(k int) []byte { return recv[k*n:][:n] })
}

// others are parts for, or of, all other ranks, beginning with the next.
func (g *Group) others(data func(rank int) []byte) []part {
	parts := make([]part, 0, g.size-1)
	for k := 1; k < g.size; k++ {
		rank := (g.rank + k) % g.size
		parts = append(parts, part{rank, data(rank)})
	}
	return parts
}

// Broadcast implements collective.Group: rank 0 deals b out, and all give each other what they
// have, so that rank 0 does not send all of it to each.
func (g *Group) Broadcast(b []byte) error {
	slice := func(rank int) []byte {
		return b[len(b)*rank/g.size : len(b)*(rank+1)/g.size]
	}
	own := func(to int) []byte {
		if to == 0 {
			return nil // rank 0 has all
		}
		return slice(g.rank)
	}
	if g.rank == 0 {
		if err := g.call(kindBroadcast, g.others(slice), nil); err != nil {
			return err
		}
		return g.call(kindBroadcast, g.others(own), nil)
	}
	if err := g.call(kindBroadcast, nil, []part{{0, slice(g.rank)}}); err != nil {
		return err
	}
	return g.call(kindBroadcast, g.others(own), g.others(slice))
}

// Barrier implements collective.Group.
func (g *Group) Barrier() error { return g.call(kindBarrier, nil, nil) }

func pointer(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

// call exchanges parts when all ranks have come to it.
func (g *Group) call(k kind, send, recv []part) error {
	return g.do(func() error {
		limit := time.Duration(g.timeout.Load())
		if err := g.arrive(message{kind: k}, limit); err != nil {
			g.end(exitRanks, err.Error()) // of MPI, which is of no use from here on
		}
		// All are there: what follows takes as long as the bytes do. The watchdog is for a call of
		// MPI that does not return.
		watchdog := time.AfterFunc(limit+10*time.Second, func() {
			g.end(exitRanks, fmt.Sprintf("%s: %s has not come to its end in %v (distributed.timeout): a rank hangs, or its link is cut", g.place(g.rank), k, limit))
		})
		defer watchdog.Stop()
		if err := g.exchange(send, recv, limit); err != nil {
			g.end(exitRanks, err.Error())
		}
		return nil
	})
}

// Abort implements collective.Group.
func (g *Group) Abort(code int) { g.end(code, "") }

// exitRanks is the exit status when ranks do not answer: to be started again.
const exitRanks = 75

// end ends all processes, or at least this one, whatever state MPI is in.
func (g *Group) end(code int, text string) {
	g.ending.Lock() // for good
	if text != "" {
		g.say(text) // before all else: MPICH's launcher kills the others soon
	}
	g.lines.goodbye()
	if text != "" {
		time.Sleep(300 * time.Millisecond) // launchers lose what comes with the end
	}
	if code != exitRanks {
		g.launcher.release()
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
	g.lines.goodbye() // before the first rank can know that all have come
	g.launcher.release()
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
	finalized := make(chan struct{})
	go func() {
		_ = g.do(func() error { g.lib.leave(); return nil })
		close(finalized)
	}()
	select {
	case <-finalized:
	case <-time.After(finalizeTimeout): // all ranks have said all: the process may end without
	}
	return status, others
}

// finalizeTimeout is how long MPI_Finalize may take. MPICH's was seen not to return, over TCP.
const finalizeTimeout = 10 * time.Second

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
	to, from := g.gather(send, recv)
	return g.do(func() error { return g.exchange(to, from, time.Duration(g.timeout.Load())) })
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
		return "all-to-all"
	case kindAllGather:
		return "all-gather"
	case kindBroadcast:
		return "broadcast"
	case kindBarrier:
		return "barrier"
	}
	return "the end"
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
	answer, err := g.receive(make([]byte, 1), 0, tagGo)
	if err != nil {
		return err
	}
	own, err := g.send(m.encode(), 0, tagArrival)
	if err != nil {
		return err
	}
	// Rank 0 knows who is missing, and is given the time to say so, all the more when it is there.
	both := []*transfer{answer, own}
	for {
		switch ok, err := g.awaitTransfers(both, limit+g.deference()); {
		case ok || err != nil:
			return err
		case m.kind == kindClose:
			return errAtWork
		case !g.lines.waitsAt(m.calls):
			g.end(exitRanks, g.noAnswer(both, limit))
		}
	}
}

// errAtWork says that the others have not come to the end.
var errAtWork = errors.New("the other ranks are at work")

// awaitAll waits on rank 0 for all others.
func (g *Group) awaitAll(m message, limit time.Duration) error {
	g.lines.arrived(m.calls)
	var arrivals []*transfer
	for rank := 1; rank < g.size; rank++ {
		t, err := g.receive(make([]byte, messageLen), rank, tagArrival)
		if err != nil {
			return err
		}
		arrivals = append(arrivals, t)
	}
	ok, err := g.await(limit, func() (bool, error) {
		all := true
		for _, t := range arrivals {
			if t.done {
				continue
			}
			if come, err := g.isDone(t); err != nil {
				return false, err
			} else if !come {
				all = false
				continue
			}
			if err := g.compare(m, t.rank, decode(t.data)); err != nil {
				return false, err
			}
		}
		return all, nil
	})
	var left *leftError
	switch {
	case errors.As(err, &left) && m.kind != kindClose:
		g.end(left.code, left.text)
	case err != nil:
		return err
	case !ok && m.kind == kindClose && m.code != 0:
		return errAtWork
	case !ok:
		g.end(exitRanks, g.noAnswer(arrivals, limit))
	}
	var words []*transfer
	for rank := 1; rank < g.size; rank++ {
		t, err := g.send([]byte{1}, rank, tagGo)
		if err != nil {
			return err
		}
		words = append(words, t)
	}
	return g.finish(words, limit)
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
