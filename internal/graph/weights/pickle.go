package weights

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Limits of a pickle. A network of 1202 layers takes 3 MB, 400,000 operations and 16 MB of values.
const (
	maxPickle       = 32 << 20 // bytes
	maxPickleOps    = 2_000_000
	maxPickleStack  = 1 << 18  // values; pickle itself empties it after each 1000 of a container
	maxPickleMemory = 64 << 20 // bytes of the values made, approximately
)

// The approximate memory of values. What reading a file allocates is counted and limited, whatever
// sizes the file claims.
const (
	costSlot = 16  // an interface on the stack, in a tuple or in a list
	costBox  = 32  // a slice header, a number or text behind an interface
	costMemo = 64  // an entry of the memo, with the room of a map that grows
	costPair = 128 // an entry of a dictionary, with its place in the order
	costMade = 256 // what a call or a persistent id describes
)

// unpickler reads one pickle as data. It has no way to call anything: a global is a name, and call
// and persistent decide which names and arguments mean a value; all others are opaque.
type unpickler struct {
	r          *bufio.Reader
	read       int64 // bytes
	limit      int64
	spent      int64 // bytes of values made, by the costs above
	scratch    [8]byte
	stack      []any
	memo       map[uint32]any
	call       func(f pyGlobal, args []any) (any, error)
	persistent func(id any) (any, error)
}

// spend counts n bytes of a new value.
func (u *unpickler) spend(n int) error {
	if u.spent += int64(n); u.spent > maxPickleMemory {
		return fmt.Errorf("a pickle whose values take more than %d MB", maxPickleMemory>>20)
	}
	return nil
}

var errCut = errors.New("the pickle is cut off")

func errLeft(n uint64, left int64) error {
	return fmt.Errorf("a value of %d bytes, and at most %d are left", n, left)
}

// byte reads one byte.
func (u *unpickler) byte() (byte, error) {
	if u.read >= u.limit {
		return 0, errLeft(1, 0)
	}
	c, err := u.r.ReadByte()
	if err != nil {
		return 0, errCut
	}
	u.read++
	return c, nil
}

// bytes reads n bytes.
func (u *unpickler) bytes(n uint64) ([]byte, error) {
	if n > uint64(u.limit-u.read) {
		return nil, errLeft(n, u.limit-u.read)
	}
	b := make([]byte, 0, min(n, 1<<16)) // grows with what the file really has
	for uint64(len(b)) < n {
		at := len(b)
		b = append(b, make([]byte, min(n-uint64(at), 1<<16))...)
		m, err := io.ReadFull(u.r, b[at:])
		u.read += int64(m)
		if err != nil {
			return nil, errCut
		}
	}
	return b, nil
}

// number reads a little-endian unsigned number of n bytes, at most 8.
func (u *unpickler) number(n int) (uint64, error) {
	if int64(n) > u.limit-u.read {
		return 0, errLeft(uint64(n), u.limit-u.read)
	}
	m, err := io.ReadFull(u.r, u.scratch[:n])
	u.read += int64(m)
	if err != nil {
		return 0, errCut
	}
	clear(u.scratch[n:])
	return binary.LittleEndian.Uint64(u.scratch[:]), nil
}

// text reads a length of n bytes, and so many bytes.
func (u *unpickler) text(n int) (string, error) {
	size, err := u.number(n)
	if err != nil {
		return "", err
	}
	b, err := u.bytes(size)
	if err == nil {
		err = u.spend(costBox + len(b))
	}
	return string(b), err
}

func (u *unpickler) line() (string, error) {
	var b []byte
	for len(b) < 1024 {
		c, err := u.byte()
		if err != nil {
			return "", err
		}
		if c == '\n' {
			return string(b), nil
		}
		b = append(b, c)
	}
	return "", errors.New("a name of more than 1024 bytes")
}

func (u *unpickler) push(v any) { u.stack = append(u.stack, v) }

var errStack = errors.New("an operation without its operands")

func (u *unpickler) pop() (any, error) {
	if len(u.stack) == 0 {
		return nil, errStack
	}
	v := u.stack[len(u.stack)-1]
	u.stack = u.stack[:len(u.stack)-1]
	if _, ok := v.(pyMark); ok {
		return nil, errStack
	}
	return v, nil
}

func (u *unpickler) top() any {
	if len(u.stack) == 0 {
		return nil
	}
	return u.stack[len(u.stack)-1]
}

// popMark takes what stands above the last mark, and the mark.
func (u *unpickler) popMark() ([]any, error) {
	for i := len(u.stack) - 1; i >= 0; i-- {
		if _, ok := u.stack[i].(pyMark); ok {
			items := append([]any(nil), u.stack[i+1:]...)
			clear(u.stack[i:]) // nothing above the top keeps memory
			u.stack = u.stack[:i]
			return items, u.spend(costBox + costSlot*len(items))
		}
	}
	return nil, errStack
}

// popTuple makes a tuple of the last n values.
func (u *unpickler) popTuple(n int) error {
	if err := u.spend(costBox + costSlot*n); err != nil {
		return err
	}
	items := make([]any, n)
	for i := n - 1; i >= 0; i-- {
		v, err := u.pop()
		if err != nil {
			return err
		}
		items[i] = v
	}
	u.push(items)
	return nil
}

// load runs to the end of one pickle and returns its value.
func (u *unpickler) load() (any, error) {
	u.memo = map[uint32]any{}
	for range maxPickleOps {
		op, err := u.byte()
		if err != nil {
			return nil, err
		}
		if op == opStop {
			return u.pop()
		}
		if err := u.step(op); err != nil {
			return nil, fmt.Errorf("pickle byte %d: %w", u.read, err)
		}
		if len(u.stack) > maxPickleStack {
			return nil, fmt.Errorf("pickle byte %d: more than %d values on the stack", u.read, maxPickleStack)
		}
	}
	return nil, fmt.Errorf("a pickle of more than %d operations", maxPickleOps)
}
