package weights

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Limits of a pickle. A network of 1202 layers takes 3 MB and 400,000 operations.
const (
	maxPickle    = 32 << 20 // bytes
	maxPickleOps = 2_000_000
)

// Values of a pickle are nil, bool, int64, float64, string, []any (a tuple), *pyList, *pyDict, pyGlobal, and what allowed
// globals make: storageRef, torchTensor.
type (
	pyGlobal string // "module.name"
	pyList   struct{ items []any }
	pyDict   struct {
		keys   []any // in order of insertion
		values map[any]any
	}
	pyMark struct{}
)

func (d *pyDict) get(key string) any { return d.values[key] }

// set adds a member. A name that is there already is refused: readers disagree on which one counts.
func (d *pyDict) set(key, value any) error {
	switch key.(type) {
	case nil, bool, int64, float64, string:
	default:
		return fmt.Errorf("a dictionary's key is no plain value")
	}
	if _, ok := d.values[key]; ok {
		return fmt.Errorf("duplicate key %q", fmt.Sprint(key))
	}
	d.keys = append(d.keys, key)
	d.values[key] = value
	return nil
}

// unpickler reads one pickle as data. It has no way to call anything: a global is a name, and call and persistent decide which
// names and arguments mean a value; all others are refused.
type unpickler struct {
	r          *bufio.Reader
	read       int64 // bytes
	limit      int64
	stack      []any
	memo       map[uint32]any
	call       func(f pyGlobal, args []any) (any, error)
	persistent func(id any) (any, error)
}

func (u *unpickler) bytes(n uint64) ([]byte, error) {
	if n > uint64(u.limit-u.read) {
		return nil, fmt.Errorf("a value of %d bytes, and at most %d are left", n, u.limit-u.read)
	}
	b := make([]byte, 0, min(n, 1<<16)) // grows with what the file really has
	for uint64(len(b)) < n {
		at := len(b)
		b = append(b, make([]byte, min(n-uint64(at), 1<<16))...)
		m, err := io.ReadFull(u.r, b[at:])
		u.read += int64(m)
		if err != nil {
			return nil, errors.New("the pickle is cut off")
		}
	}
	return b, nil
}

// number reads a little-endian unsigned number of n bytes.
func (u *unpickler) number(n int) (uint64, error) {
	b, err := u.bytes(uint64(n))
	if err != nil {
		return 0, err
	}
	var v [8]byte
	copy(v[:], b)
	return binary.LittleEndian.Uint64(v[:]), nil
}

// text reads a length of n bytes, and so many bytes.
func (u *unpickler) text(n int) (string, error) {
	size, err := u.number(n)
	if err != nil {
		return "", err
	}
	b, err := u.bytes(size)
	return string(b), err
}

func (u *unpickler) line() (string, error) {
	var b []byte
	for len(b) < 1024 {
		c, err := u.bytes(1)
		if err != nil {
			return "", err
		}
		if c[0] == '\n' {
			return string(b), nil
		}
		b = append(b, c[0])
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
			u.stack = u.stack[:i]
			return items, nil
		}
	}
	return nil, errStack
}

func (u *unpickler) popTuple(n int) error {
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
		op, err := u.bytes(1)
		if err != nil {
			return nil, err
		}
		if op[0] == '.' {
			return u.pop()
		}
		if err := u.step(op[0]); err != nil {
			return nil, fmt.Errorf("pickle byte %d: %w", u.read, err)
		}
	}
	return nil, fmt.Errorf("a pickle of more than %d operations", maxPickleOps)
}

// step carries out one operation of protocols 2 to 4.
func (u *unpickler) step(op byte) error {
	switch op {
	case 0x80, 0x95: // PROTO, FRAME
		_, err := u.number(map[byte]int{0x80: 1, 0x95: 8}[op])
		return err
	case 'N':
		u.push(nil)
	case 0x88, 0x89:
		u.push(op == 0x88)
	case '}':
		u.push(&pyDict{values: map[any]any{}})
	case ']':
		u.push(&pyList{})
	case ')':
		u.push([]any{})
	case '(':
		u.push(pyMark{})
	case '0':
		_, err := u.pop()
		return err
	case '1':
		_, err := u.popMark()
		return err
	case 0x85, 0x86, 0x87: // TUPLE1 to TUPLE3
		return u.popTuple(int(op - 0x84))
	case 't':
		items, err := u.popMark()
		u.push(items)
		return err
	case 'q', 'r', 0x94, 'h', 'j':
		return u.remember(op)
	case 'K', 'M', 'J', 0x8a, 'G', 'X', 0x8c, 0x8d, 'U', 'T', 'C', 'B':
		return u.scalar(op)
	case 'a', 'e', 's', 'u':
		return u.extend(op)
	case 'c', 0x93, 'Q', 'R', 0x81, 'b':
		return u.object(op)
	default:
		return fmt.Errorf("operation %#x is not one that a state dict needs", op)
	}
	return nil
}

// remember does BINPUT, LONG_BINPUT and MEMOIZE, BINGET and LONG_BINGET.
func (u *unpickler) remember(op byte) error {
	key := uint64(len(u.memo))
	if op != 0x94 {
		var err error
		if key, err = u.number(map[byte]int{'q': 1, 'r': 4, 'h': 1, 'j': 4}[op]); err != nil {
			return err
		}
	}
	if op == 'h' || op == 'j' {
		v, ok := u.memo[uint32(key)]
		if !ok {
			return fmt.Errorf("memo %d is empty", key)
		}
		u.push(v)
		return nil
	}
	if len(u.stack) == 0 {
		return errStack
	}
	u.memo[uint32(key)] = u.top()
	return nil
}

// scalar reads numbers and text.
func (u *unpickler) scalar(op byte) error {
	switch op {
	case 'K', 'M', 'J':
		v, err := u.number(map[byte]int{'K': 1, 'M': 2, 'J': 4}[op])
		n := int64(v)
		if op == 'J' {
			n = int64(int32(v))
		}
		u.push(n)
		return err
	case 0x8a: // LONG1
		n, err := u.number(1)
		if err != nil {
			return err
		}
		if n > 8 {
			return fmt.Errorf("an integer of %d bytes", n)
		}
		v, err := u.number(int(n))
		if n > 0 && n < 8 { // the sign
			v = uint64(int64(v<<(64-8*n)) >> (64 - 8*n))
		}
		u.push(int64(v))
		return err
	case 'G':
		b, err := u.bytes(8)
		if err == nil {
			u.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
		}
		return err
	}
	s, err := u.text(map[byte]int{'X': 4, 0x8c: 1, 0x8d: 8, 'U': 1, 'T': 4, 'C': 1, 'B': 4}[op])
	u.push(s)
	return err
}

// extend does APPEND, APPENDS, SETITEM and SETITEMS.
func (u *unpickler) extend(op byte) error {
	var items []any
	var err error
	if op == 'e' || op == 'u' {
		items, err = u.popMark()
	} else {
		if err = u.popTuple(map[byte]int{'a': 1, 's': 2}[op]); err == nil {
			items = u.stack[len(u.stack)-1].([]any)
			u.stack = u.stack[:len(u.stack)-1]
		}
	}
	if err != nil {
		return err
	}
	if op == 'a' || op == 'e' {
		list, ok := u.top().(*pyList)
		if !ok {
			return errStack
		}
		list.items = append(list.items, items...)
		return nil
	}
	d, ok := u.top().(*pyDict)
	if !ok || len(items)%2 != 0 {
		return errStack
	}
	for ; len(items) > 0; items = items[2:] {
		if err := d.set(items[0], items[1]); err != nil {
			return err
		}
	}
	return nil
}

// object does GLOBAL, STACK_GLOBAL, BINPERSID, REDUCE, NEWOBJ and BUILD.
func (u *unpickler) object(op byte) error {
	switch op {
	case 'c':
		module, err := u.line()
		if err != nil {
			return err
		}
		name, err := u.line()
		if err != nil {
			return err
		}
		return u.global(module, name)
	case 0x93:
		name, err := u.pop()
		if err != nil {
			return err
		}
		module, err := u.pop()
		m, ok1 := module.(string)
		n, ok2 := name.(string)
		if err != nil || !ok1 || !ok2 {
			return errStack
		}
		return u.global(m, n)
	}
	arg, err := u.pop()
	if err != nil {
		return err
	}
	switch op {
	case 'Q':
		v, err := u.persistent(arg)
		u.push(v)
		return err
	case 'b': // attributes of an OrderedDict: the version metadata of a state dict, which say nothing of its tensors
		if _, ok := u.top().(*pyDict); !ok {
			return errStack
		}
		return nil
	}
	f, err := u.pop()
	g, ok1 := f.(pyGlobal)
	args, ok2 := arg.([]any)
	if err != nil || !ok1 || !ok2 {
		return errStack
	}
	v, err := u.call(g, args)
	u.push(v)
	return err
}

func (u *unpickler) global(module, name string) error {
	g := pyGlobal(module + "." + name)
	if !allowedGlobal(g) {
		return &ClassError{Class: string(g)}
	}
	u.push(g)
	return nil
}
