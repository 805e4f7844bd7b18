package weights

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strconv"
)

// Limits of a pickle. A network of 1202 layers takes 3 MB, 400,000 operations and 16 MB of values.
const (
	maxPickle       = 32 << 20 // bytes
	maxPickleOps    = 2_000_000
	maxPickleStack  = 1 << 18  // values; pickle itself adds to a dictionary or list after each thousand
	maxPickleMemory = 64 << 20 // bytes of the values made, about
)

// What values take in memory, about: what a small file may ask for is counted, not what it says of
// itself.
const (
	costSlot = 16  // an interface on the stack, in a tuple or in a list
	costBox  = 32  // a slice header, a number or text behind an interface
	costMemo = 64  // an entry of the memo, with the room of a map that grows
	costPair = 128 // an entry of a dictionary, with its place in the order
	costMade = 256 // what a call or a persistent id describes
)

// Values of a pickle are nil, bool, int64, float64, string, []any (a tuple), *pyList, *pyDict,
// pyGlobal, and what allowed globals make: storageRef, torchTensor.
type (
	pyGlobal string // "module.name"
	pyList   struct{ items []any }
	pyDict   struct {
		keys   []any // in order of insertion
		values map[any]any
	}
	pyMark struct{}
)

// describe names the kind of a value for a message. The value itself may be a graph without end,
// and is not printed.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool, int64, float64:
		return fmt.Sprint(v)
	case string:
		return strconv.Quote(v[:min(len(v), 64)])
	case []any:
		return "a tuple"
	case *pyList:
		return "a list"
	case *pyDict:
		return "a dictionary"
	case pyGlobal:
		return string(v)
	case torchTensor:
		return "a tensor"
	}
	return "something else"
}

func (d *pyDict) get(key string) any { return d.values[key] }

// set adds a member. A name that is there already is refused: readers disagree on which one counts.
func (d *pyDict) set(key, value any) error {
	switch key.(type) {
	case nil, bool, int64, float64, string:
	default:
		return fmt.Errorf("a dictionary's key is no plain value")
	}
	if _, ok := d.values[key]; ok {
		return fmt.Errorf("duplicate key %s", describe(key))
	}
	if d.values == nil {
		d.values = map[any]any{}
	}
	d.keys = append(d.keys, key)
	d.values[key] = value
	return nil
}

// unpickler reads one pickle as data. It has no way to call anything: a global is a name, and call
// and persistent decide which names and arguments mean a value; all others are refused.
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
		if op == '.' {
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

// step carries out one operation of protocols 2 to 4.
func (u *unpickler) step(op byte) error {
	switch op {
	case 0x80, 0x95: // PROTO, FRAME
		_, err := u.number(operandBytes[op])
		return err
	case 'N':
		u.push(nil)
	case 0x88, 0x89:
		u.push(op == 0x88)
	case '}':
		u.push(&pyDict{})
		return u.spend(4 * costBox)
	case ']':
		u.push(&pyList{})
		return u.spend(costBox)
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

// operandBytes is the width of an operation's number: its operand, or the length of its text.
var operandBytes = [256]int{
	0x80: 1, 0x95: 8, // PROTO, FRAME
	'q': 1, 'r': 4, 'h': 1, 'j': 4, // BINPUT, LONG_BINPUT, BINGET, LONG_BINGET
	'K': 1, 'M': 2, 'J': 4, // BININT1, BININT2, BININT
	'X': 4, 0x8c: 1, 0x8d: 8, 'U': 1, 'T': 4, 'C': 1, 'B': 4, // text and bytes
}

// remember does BINPUT, LONG_BINPUT and MEMOIZE, BINGET and LONG_BINGET.
func (u *unpickler) remember(op byte) error {
	key := uint64(len(u.memo))
	if op != 0x94 {
		var err error
		if key, err = u.number(operandBytes[op]); err != nil {
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
	before := len(u.memo)
	u.memo[uint32(key)] = u.top()
	return u.spend(costMemo * (len(u.memo) - before))
}

// scalar reads numbers and text.
func (u *unpickler) scalar(op byte) error {
	switch op {
	case 'K', 'M', 'J':
		v, err := u.number(operandBytes[op])
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
		v, err := u.number(8)
		u.push(math.Float64frombits(bits.ReverseBytes64(v))) // the only number in the other byte order
		return err
	}
	s, err := u.text(operandBytes[op])
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
		n := 1
		if op == 's' {
			n = 2
		}
		if err = u.popTuple(n); err == nil {
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
		return u.spend(costSlot * len(items))
	}
	d, ok := u.top().(*pyDict)
	if !ok || len(items)%2 != 0 {
		return errStack
	}
	for ; len(items) > 0; items = items[2:] {
		if err := d.set(items[0], items[1]); err != nil {
			return err
		}
		if err := u.spend(costPair); err != nil {
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
		if err != nil {
			return err
		}
		u.push(v)
		return u.spend(costMade)
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
	if err != nil {
		return err
	}
	u.push(v)
	if d, ok := v.(*pyDict); ok { // of a list that other calls may share
		if err := u.spend(costPair * len(d.keys)); err != nil {
			return err
		}
	}
	return u.spend(costMade)
}

func (u *unpickler) global(module, name string) error {
	g := pyGlobal(module + "." + name)
	if !allowedGlobal(g) {
		return &ClassError{Class: string(g)}
	}
	u.push(g)
	return nil
}
