package pickle

// The operations of pickle's protocols 2 to 5 that a state dict, an array of NumPy and what
// training scripts put beside them need, by their names in Python's pickletools.
const (
	Proto   = 0x80 // the first byte of every pickle of protocol 2 or later
	opFrame = 0x95
	opStop  = '.'

	opNone      = 'N'
	opNewTrue   = 0x88
	opNewFalse  = 0x89
	opBinInt    = 'J'
	opBinInt1   = 'K'
	opBinInt2   = 'M'
	opInt       = 'I'
	opLong1     = 0x8a
	opLong4     = 0x8b
	opBinFloat  = 'G'
	opEmptyDict = '}'
	opEmptyList = ']'
	opEmptySet  = 0x8f

	opBinUnicode      = 'X'
	opShortBinUnicode = 0x8c
	opBinUnicode8     = 0x8d
	opBinString       = 'T'
	opShortBinString  = 'U'
	opBinBytes        = 'B'
	opShortBinBytes   = 'C'
	opBinBytes8       = 0x8e
	opByteArray8      = 0x96

	opMark       = '('
	opPop        = '0'
	opPopMark    = '1'
	opEmptyTuple = ')'
	opTuple1     = 0x85
	opTuple2     = 0x86
	opTuple3     = 0x87
	opTuple      = 't'
	opList       = 'l'
	opDict       = 'd'
	opFrozenSet  = 0x91
	opDup        = '2'

	opBinPut     = 'q'
	opLongBinPut = 'r'
	opMemoize    = 0x94
	opBinGet     = 'h'
	opLongBinGet = 'j'

	opAppend   = 'a'
	opAppends  = 'e'
	opSetItem  = 's'
	opSetItems = 'u'
	opAddItems = 0x90

	opGlobal      = 'c'
	opStackGlobal = 0x93
	opBinPersID   = 'Q'
	opReduce      = 'R'
	opNewObj      = 0x81
	opNewObjEx    = 0x92
	opObj         = 'o'
	opBuild       = 'b'
)

// operandBytes is the width of an operation's number: its operand, or the length of its text.
var operandBytes = [256]int{
	Proto: 1, opFrame: 8,
	opBinPut: 1, opLongBinPut: 4, opBinGet: 1, opLongBinGet: 4,
	opBinInt1: 1, opBinInt2: 2, opBinInt: 4,
	opBinUnicode: 4, opShortBinUnicode: 1, opBinUnicode8: 8,
	opBinString: 4, opShortBinString: 1, opBinBytes: 4, opShortBinBytes: 1, opBinBytes8: 8, opByteArray8: 8,
	opLong1: 1, opLong4: 4,
}
