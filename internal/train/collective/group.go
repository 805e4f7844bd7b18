package collective

import (
	"encoding/binary"
	"errors"
	"unsafe"
)

// ErrAborted is what every call of a Group fails with after one of its ranks has called Abort.
var ErrAborted = errors.New("another rank has given up")

// A Group is the processes, or goroutines, of one training. All ranks make the same calls in the
// same order; each returns when all have made it, and after an error the group is of no use. Slices
// belong to the caller again when a call returns. The methods are called by one goroutine at a
// time.
type Group interface {
	Rank() int // from 0
	Size() int
	// AllToAll cuts send and recv into Size equal parts: part k of send goes to rank k, and becomes
	// part Rank of its recv.
	AllToAll(send, recv []byte) error
	// AllGather puts every rank's send, which are of one length, one after another into recv.
	AllGather(send, recv []byte) error
	// Broadcast fills b with that of rank 0; all are of one length.
	Broadcast(b []byte) error
	// Barrier waits for all.
	Barrier() error
	// Abort ends the group: of processes all end with the code, and Abort does not return. It may
	// be called at any time, by any goroutine.
	Abort(code int)
}

// Solo is the group of one.
type Solo struct{}

// Rank implements Group.
func (Solo) Rank() int { return 0 }

// Size implements Group.
func (Solo) Size() int { return 1 }

// AllToAll implements Group.
func (Solo) AllToAll(send, recv []byte) error { copy(recv, send); return nil }

// AllGather implements Group.
func (Solo) AllGather(send, recv []byte) error { copy(recv, send); return nil }

// Broadcast implements Group.
func (Solo) Broadcast([]byte) error { return nil }

// Barrier implements Group.
func (Solo) Barrier() error { return nil }

// Abort implements Group; there is nobody to tell.
func (Solo) Abort(int) {}

// Gather returns what each rank gives, of any length.
func Gather(g Group, own []byte) ([][]byte, error) {
	n := g.Size()
	lengths := make([]byte, 8*n)
	if err := g.AllGather(binary.LittleEndian.AppendUint64(nil, uint64(len(own))), lengths); err != nil {
		return nil, err
	}
	longest := 0
	for k := range n {
		longest = max(longest, int(binary.LittleEndian.Uint64(lengths[8*k:])))
	}
	out := make([][]byte, n)
	if longest == 0 {
		return out, nil
	}
	send, all := make([]byte, longest), make([]byte, n*longest)
	copy(send, own)
	if err := g.AllGather(send, all); err != nil {
		return nil, err
	}
	for k := range out {
		out[k] = all[k*longest:][:binary.LittleEndian.Uint64(lengths[8*k:])]
	}
	return out, nil
}

// Share returns what rank 0 gives, of any length.
func Share(g Group, own []byte) ([]byte, error) {
	length := make([]byte, 8)
	binary.LittleEndian.PutUint64(length, uint64(len(own)))
	if err := g.Broadcast(length); err != nil {
		return nil, err
	}
	if g.Rank() != 0 {
		own = make([]byte, binary.LittleEndian.Uint64(length))
	}
	if len(own) == 0 {
		return own, nil
	}
	return own, g.Broadcast(own)
}

// ShareValues fills v with that of rank 0; all are of one length.
func ShareValues(g Group, v []float32) error {
	if len(v) == 0 {
		return nil
	}
	return g.Broadcast(bytesOf(v))
}

// bytesOf are the bytes of values, in the memory of the values. All ranks have the same processor
// kind, which is compared when they start.
func bytesOf[T float32 | uint16](v []T) []byte {
	if len(v) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), len(v)*int(unsafe.Sizeof(v[0])))
}
