// Package pickle reads files that Python's pickle wrote as data, and runs nothing of them. A class
// or function is a name; what would be made of it is what the caller makes of the name and the
// arguments, or an Opaque. Operations, values and bytes are bounded, whatever sizes a file claims.
package pickle

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Limits of a pickle. A network of 1202 layers takes 3 MB, 400,000 operations and 16 MB of values.
const (
	MaxOps    = 2_000_000
	maxStack  = 1 << 18  // values; pickle itself empties it after each 1000 of a container
	MaxMemory = 64 << 20 // bytes of the values made, approximately
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

// Reader reads one pickle as data. It has no way to call anything: a global is a name, and Call
// and Persistent decide which names and arguments mean a value; all others are opaque.
type Reader struct {
	In     *bufio.Reader
	Limit  int64 // bytes of the pickle at most; no more than In has
	Memory int64 // bytes of the values at most, approximately; 0 means MaxMemory
	// Call makes the value of a function or class with its arguments.
	Call func(f Global, args []any) (any, error)
	// Persistent makes the value of an identifier of something outside; nil refuses all.
	Persistent func(id any) (any, error)

	read    int64 // bytes
	spent   int64 // bytes of values made, by the costs above
	scratch [8]byte
	stack   []any
	memo    map[uint32]any
}

// spend counts n bytes of a new value.
func (u *Reader) spend(n int) error {
	most := u.Memory
	if most == 0 {
		most = MaxMemory
	}
	if u.spent += int64(n); u.spent > most {
		return fmt.Errorf("a pickle whose values take more than %d MB", most>>20)
	}
	return nil
}

var errCut = errors.New("the pickle is cut off")

// cut is errCut where the stream has ended, and else what the stream says.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return err
}

// Read is how many bytes have been read.
func (u *Reader) Read() int64 { return u.read }

func errLeft(n uint64, left int64) error {
	return fmt.Errorf("a value of %d bytes, and at most %d are left", n, left)
}

// byte reads one byte.
func (u *Reader) byte() (byte, error) {
	if u.read >= u.Limit {
		return 0, errLeft(1, 0)
	}
	c, err := u.In.ReadByte()
	if err != nil {
		return 0, cut(err)
	}
	u.read++
	return c, nil
}

// bytes reads n bytes.
func (u *Reader) bytes(n uint64) ([]byte, error) {
	if n > uint64(u.Limit-u.read) {
		return nil, errLeft(n, u.Limit-u.read)
	}
	b := make([]byte, 0, min(n, 1<<16)) // grows with what the file really has
	for uint64(len(b)) < n {
		at := len(b)
		b = append(b, make([]byte, min(n-uint64(at), 1<<16))...)
		m, err := io.ReadFull(u.In, b[at:])
		u.read += int64(m)
		if err != nil {
			return nil, cut(err)
		}
	}
	return b, nil
}

// number reads a little-endian unsigned number of n bytes, at most 8.
func (u *Reader) number(n int) (uint64, error) {
	if int64(n) > u.Limit-u.read {
		return 0, errLeft(uint64(n), u.Limit-u.read)
	}
	m, err := io.ReadFull(u.In, u.scratch[:n])
	u.read += int64(m)
	if err != nil {
		return 0, cut(err)
	}
	clear(u.scratch[n:])
	return binary.LittleEndian.Uint64(u.scratch[:]), nil
}

// text reads a length of n bytes, and so many bytes.
func (u *Reader) text(n int) (string, error) {
	size, err := u.number(n)
	if err != nil {
		return "", err
	}
	if size > uint64(u.Limit-u.read) {
		return "", errLeft(size, u.Limit-u.read)
	}
	if err := u.spend(costBox + int(size)); err != nil {
		return "", err
	}
	if size < 1<<16 {
		b, err := u.bytes(size)
		return string(b), err
	}
	var b strings.Builder // a large one is not held twice
	b.Grow(int(size))
	m, err := io.CopyN(&b, u.In, int64(size))
	u.read += m
	if err != nil {
		return "", cut(err)
	}
	return b.String(), nil
}

func (u *Reader) line() (string, error) {
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

func (u *Reader) push(v any) { u.stack = append(u.stack, v) }

var errStack = errors.New("an operation without its operands")

func (u *Reader) pop() (any, error) {
	if len(u.stack) == 0 {
		return nil, errStack
	}
	v := u.stack[len(u.stack)-1]
	u.stack = u.stack[:len(u.stack)-1]
	if _, ok := v.(mark); ok {
		return nil, errStack
	}
	return v, nil
}

func (u *Reader) top() any {
	if len(u.stack) == 0 {
		return nil
	}
	return u.stack[len(u.stack)-1]
}

// popMark takes what stands above the last mark, and the mark.
func (u *Reader) popMark() ([]any, error) {
	for i := len(u.stack) - 1; i >= 0; i-- {
		if _, ok := u.stack[i].(mark); ok {
			items := append([]any(nil), u.stack[i+1:]...)
			clear(u.stack[i:]) // nothing above the top keeps memory
			u.stack = u.stack[:i]
			return items, u.spend(costBox + costSlot*len(items))
		}
	}
	return nil, errStack
}

// popTuple makes a tuple of the last n values.
func (u *Reader) popTuple(n int) error {
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

// Load runs to the end of one pickle and returns its value.
func (u *Reader) Load() (any, error) {
	u.memo = map[uint32]any{}
	for range MaxOps {
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
		if len(u.stack) > maxStack {
			return nil, fmt.Errorf("pickle byte %d: more than %d values on the stack", u.read, maxStack)
		}
	}
	return nil, fmt.Errorf("a pickle of more than %d operations", MaxOps)
}
