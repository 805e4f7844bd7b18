package weights

import (
	"fmt"
	"math"
	"math/bits"
)

// step carries out one operation of protocols 2 to 4.
func (u *unpickler) step(op byte) error {
	switch op {
	case opProto, opFrame:
		_, err := u.number(operandBytes[op])
		return err
	case opNone:
		u.push(nil)
	case opNewTrue, opNewFalse:
		u.push(op == opNewTrue)
	case opEmptyDict:
		u.push(&pyDict{})
		return u.spend(4 * costBox)
	case opEmptyList:
		u.push(&pyList{})
		return u.spend(costBox)
	case opEmptyTuple:
		u.push([]any{})
	case opMark:
		u.push(pyMark{})
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
	case opBinPut, opLongBinPut, opMemoize, opBinGet, opLongBinGet:
		return u.remember(op)
	case opBinInt1, opBinInt2, opBinInt, opLong1, opBinFloat,
		opBinUnicode, opShortBinUnicode, opBinUnicode8, opShortBinString, opBinString, opShortBinBytes, opBinBytes:
		return u.scalar(op)
	case opAppend, opAppends, opSetItem, opSetItems:
		return u.extend(op)
	case opGlobal, opStackGlobal, opBinPersID, opReduce, opNewObj, opBuild:
		return u.object(op)
	default:
		return fmt.Errorf("operation %#x is not one that a state dict needs", op)
	}
	return nil
}

// remember puts values in the memo and gets them.
func (u *unpickler) remember(op byte) error {
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
func (u *unpickler) scalar(op byte) error {
	switch op {
	case opBinInt1, opBinInt2, opBinInt:
		v, err := u.number(operandBytes[op])
		n := int64(v)
		if op == opBinInt {
			n = int64(int32(v))
		}
		u.push(n)
		return err
	case opLong1:
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
func (u *unpickler) extend(op byte) error {
	var items []any
	var err error
	if op == opAppends || op == opSetItems {
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
	if op == opAppend || op == opAppends {
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

// object does what concerns classes and what they make.
func (u *unpickler) object(op byte) error {
	switch op {
	case opGlobal:
		module, err := u.line()
		if err != nil {
			return err
		}
		name, err := u.line()
		if err != nil {
			return err
		}
		return u.global(module, name)
	case opStackGlobal:
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
	case opBinPersID:
		v, err := u.persistent(arg)
		if err != nil {
			return err
		}
		u.push(v)
		return u.spend(costMade)
	case opBuild:
		// The attributes of an OrderedDict: the version metadata of a state dict, which say nothing
		// of its tensors.
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
