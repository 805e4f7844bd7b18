package pickle

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
)

// step carries out one operation of protocols 2 to 5.
func (u *Reader) step(op byte) error {
	switch op {
	case Proto, opFrame:
		_, err := u.number(operandBytes[op])
		return err
	case opNone:
		u.push(nil)
	case opNewTrue, opNewFalse:
		u.push(op == opNewTrue)
	case opEmptyDict:
		u.push(&Dict{})
		return u.spend(4 * costBox)
	case opEmptyList, opEmptySet:
		u.push(&List{})
		return u.spend(costBox)
	case opDup:
		if len(u.stack) == 0 {
			return errStack
		}
		u.push(u.top())
	case opEmptyTuple:
		u.push([]any{})
	case opMark:
		u.push(mark{})
	case opPop:
		_, err := u.pop()
		return err
	case opPopMark:
		_, err := u.popMark()
		return err
	case opTuple1, opTuple2, opTuple3:
		return u.popTuple(int(op-opTuple1) + 1)
	case opTuple:
		items, err := u.popMark()
		u.push(items)
		return err
	case opList, opFrozenSet:
		items, err := u.popMark()
		u.push(&List{items})
		return err
	case opDict:
		items, err := u.popMark()
		if err != nil {
			return err
		}
		u.push(&Dict{})
		return u.setItems(items)
	case opBinPut, opLongBinPut, opMemoize, opBinGet, opLongBinGet:
		return u.remember(op)
	case opBinInt1, opBinInt2, opBinInt, opInt, opLong1, opLong4, opBinFloat,
		opBinUnicode, opShortBinUnicode, opBinUnicode8, opShortBinString, opBinString, opShortBinBytes, opBinBytes, opBinBytes8, opByteArray8:
		return u.scalar(op)
	case opAppend, opAppends, opAddItems, opSetItem, opSetItems:
		return u.extend(op)
	case opGlobal, opStackGlobal:
		return u.global(op)
	case opBinPersID, opReduce, opNewObj, opNewObjEx, opObj, opBuild:
		return u.object(op)
	default:
		return fmt.Errorf("operation %#x is not one that a state dict or an array needs", op)
	}
	return nil
}

// remember puts values in the memo and gets them.
func (u *Reader) remember(op byte) error {
	key := uint64(len(u.memo))
	if op != opMemoize {
		var err error
		if key, err = u.number(operandBytes[op]); err != nil {
			return err
		}
	}
	if op == opBinGet || op == opLongBinGet {
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
func (u *Reader) scalar(op byte) error {
	switch op {
	case opBinInt1, opBinInt2, opBinInt:
		v, err := u.number(operandBytes[op])
		n := int64(v)
		if op == opBinInt {
			n = int64(int32(v))
		}
		u.push(n)
		return err
	case opInt:
		return u.decimal()
	case opLong1, opLong4:
		n, err := u.number(operandBytes[op])
		if err != nil {
			return err
		}
		if n > 8 { // the state of a random generator
			_, err := u.bytes(n)
			u.push(&Opaque{Class: "int"})
			return errors.Join(err, u.spend(costMade))
		}
		v, err := u.number(int(n))
		if n > 0 && n < 8 { // the sign
			v = uint64(int64(v<<(64-8*n)) >> (64 - 8*n))
		}
		u.push(int64(v))
		return err
	case opBinFloat:
		v, err := u.number(8)
		u.push(math.Float64frombits(bits.ReverseBytes64(v))) // the one big-endian number
		return err
	}
	s, err := u.text(operandBytes[op])
	u.push(s)
	return err
}

// extend adds to a list or dictionary.
func (u *Reader) extend(op byte) error {
	var items []any
	var err error
	if op == opAppends || op == opAddItems || op == opSetItems {
		items, err = u.popMark()
	} else {
		n := 1
		if op == opSetItem {
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
	if op == opSetItem || op == opSetItems {
		return u.setItems(items)
	}
	switch to := u.top().(type) {
	case *List:
		to.Items = append(to.Items, items...)
		return u.spend(costSlot * len(items))
	case *Opaque: // a list of a class of its own holds no tensors by name
		return nil
	}
	return errStack
}

// setItems adds keys and values in turn to the dictionary on the top.
func (u *Reader) setItems(items []any) error {
	d, ok := u.top().(*Dict)
	if o, isOpaque := u.top().(*Opaque); isOpaque { // a dictionary of a class of its own
		if o.Items == nil {
			o.Items = &Dict{}
		}
		d, ok = o.Items, true
	}
	if !ok || len(items)%2 != 0 {
		return errStack
	}
	for ; len(items) > 0; items = items[2:] {
		if err := d.Set(items[0], items[1]); err != nil {
			return err
		}
		if err := u.spend(costPair); err != nil {
			return err
		}
	}
	return nil
}

// decimal reads an integer, or a truth value, of the first protocol.
func (u *Reader) decimal() error {
	text, err := u.line()
	if err != nil {
		return err
	}
	if text == "00" || text == "01" {
		u.push(text == "01")
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	u.push(n)
	return err
}

// object does what makes a value of a class or function and of arguments.
func (u *Reader) object(op byte) error {
	if op == opObj { // a mark, the class, and its arguments
		items, err := u.popMark()
		if err != nil || len(items) == 0 {
			return errors.Join(err, errStack)
		}
		u.push(items[0])
		u.push(items[1:])
	}
	arg, err := u.pop()
	if err == nil && op == opNewObjEx { // behind the arguments those by name
		arg, err = u.pop()
	}
	if err != nil {
		return err
	}
	switch op {
	case opBinPersID:
		if u.Persistent == nil {
			return errors.New("it names something outside of the file")
		}
		v, err := u.Persistent(arg)
		if err != nil {
			return err
		}
		u.push(v)
		return u.spend(costMade)
	case opBuild:
		switch to := u.top().(type) {
		case Object:
			return to.Build(arg)
		case *Dict, *List:
			// The attributes of an OrderedDict: the version metadata of a state dict, which say
			// nothing of its tensors.
		case *Opaque:
			if to.State == nil {
				to.State = arg
			}
		default:
			return errStack
		}
		return nil
	}
	f, err := u.pop()
	args, isTuple := arg.([]any)
	if err != nil || !isTuple {
		return errStack
	}
	var v any
	switch f := f.(type) {
	case Global:
		if v, err = u.Call(f, args); err != nil {
			return err
		}
	case *Opaque: // a function that another would have returned
		v = &Opaque{Class: f.Class}
	default:
		return errStack
	}
	u.push(v)
	if d, ok := v.(*Dict); ok { // of a list that other calls may share
		if err := u.spend(costPair * len(d.Keys)); err != nil {
			return err
		}
	}
	return u.spend(costMade)
}

// global puts the name of a class or function on the stack.
func (u *Reader) global(op byte) error {
	if op == opGlobal {
		module, err := u.line()
		if err != nil {
			return err
		}
		name, err := u.line()
		u.push(Global(module + "." + name))
		return errors.Join(err, u.spend(costBox+len(module)+len(name)))
	}
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
	u.push(Global(m + "." + n))
	return u.spend(costBox + len(m) + len(n))
}
