package main

import "fmt"

// inst is one instruction, as GNU's assembler writes it and as the processor reads it. Go's
// assembler lacks most of those on vectors of floats, so they are written as words. Registers are
// numbers from 0 to 31; testdata/gnu.txt holds what GNU's assembler makes of each.
type inst struct {
	text string
	word uint32
}

// bits puts a register's number or a field at a place of the word.
func bits(v, at int) uint32 { return uint32(v) << at }

// three makes the instructions d = n op m.
func three(name, shape string, word uint32) func(d, n, m int) inst {
	return func(d, n, m int) inst {
		return inst{fmt.Sprintf("%s v%d.%s, v%d.%s, v%d.%s", name, d, shape, n, shape, m, shape), word | bits(m, 16) | bits(n, 5) | bits(d, 0)}
	}
}

// two makes the instructions d = op n; tail follows the operands.
func two(name, shape, tail string, word uint32) func(d, n int) inst {
	return func(d, n int) inst {
		return inst{fmt.Sprintf("%s v%d.%s, v%d.%s%s", name, d, shape, n, shape, tail), word | bits(n, 5) | bits(d, 0)}
	}
}

// element makes the instructions d = n op one lane of m.
func element(name string, word uint32) func(d, n, m, lane int) inst {
	return func(d, n, m, lane int) inst {
		return inst{fmt.Sprintf("%s v%d.4s, v%d.4s, v%d.s[%d]", name, d, n, m, lane), word | bits(lane&1, 21) | bits(m, 16) | bits(lane>>1, 11) | bits(n, 5) | bits(d, 0)}
	}
}

var (
	fmla = three("fmla", "4s", 0x4e20cc00) // d += n·m
	fadd = three("fadd", "4s", 0x4e20d400)
	fsub = three("fsub", "4s", 0x4ea0d400)
	fmul = three("fmul", "4s", 0x6e20dc00)
	fdiv = three("fdiv", "4s", 0x6e20fc00)
	fmax = three("fmax", "4s", 0x4e20f400) // of a number and a NaN: the NaN
	// fcmeq is all ones where n and m are equal and no NaN.
	fcmeq = three("fcmeq", "4s", 0x4e20e400)
	fcmgt = three("fcmgt", "4s", 0x6ea0e400) // all ones where n > m
	faddp = three("faddp", "4s", 0x6e20d400) // sums of neighbours, first n's, then m's
	// addInt adds integers.
	addInt = three("add", "4s", 0x4ea08400)

	and = three("and", "16b", 0x4e201c00)
	bic = three("bic", "16b", 0x4e601c00) // n and not m
	orn = three("orn", "16b", 0x4ee01c00) // n or not m
	bit = three("bit", "16b", 0x6ea01c00) // where m's bits are set, d takes n's

	// Halves of 32 bits: zip1 and zip2 put those of n below those of m, uzp2 takes the upper ones.
	zip1 = three("zip1", "8h", 0x4e403800)
	zip2 = three("zip2", "8h", 0x4e407800)
	uzp2 = three("uzp2", "8h", 0x4e405800)

	shl15  = two("shl", "4s", ", #15", 0x4f2f5400)
	ushr31 = two("ushr", "4s", ", #31", 0x6f210400)

	fsqrt  = two("fsqrt", "4s", "", 0x6ea1f800)
	fcmle  = two("fcmle", "4s", ", #0.0", 0x6ea0d800) // all ones where n <= 0; a NaN is not
	fcvtzs = two("fcvtzs", "4s", "", 0x4ea1b800)      // to an integer, towards zero
	scvtf  = two("scvtf", "4s", "", 0x4e21d800)       // from an integer
	shl23  = two("shl", "4s", ", #23", 0x4f375400)    // to the place of the exponent
	rev64  = two("rev64", "4s", "", 0x4ea00800)       // neighbours change places

	fmlaLane = element("fmla", 0x4f801000)
	fmlsLane = element("fmls", 0x4f805000) // d -= n·lane
	fmulLane = element("fmul", 0x4f809000)
)

// move copies a register.
func move(d, n int) inst {
	return inst{fmt.Sprintf("mov v%d.16b, v%d.16b", d, n), 0x4ea01c00 | bits(n, 16) | bits(n, 5) | bits(d, 0)}
}

// zero clears a register.
func zero(d int) inst {
	return inst{fmt.Sprintf("movi v%d.2d, #0x0", d), 0x6f00e400 | bits(d, 0)}
}

// ext takes 16 bytes from byte `from` of n followed by m.
func ext(d, n, m, from int) inst {
	return inst{fmt.Sprintf("ext v%d.16b, v%d.16b, v%d.16b, #%d", d, n, m, from), 0x6e000000 | bits(m, 16) | bits(from, 11) | bits(n, 5) | bits(d, 0)}
}

// insert puts the low half of a general register into a lane.
func insert(d, lane, x int) inst {
	return inst{fmt.Sprintf("mov v%d.s[%d], w%d", d, lane, x), 0x4e001c00 | bits(lane<<3|4, 16) | bits(x, 5) | bits(d, 0)}
}

// duplicate puts the low half of a general register into all lanes.
func duplicate(d, x int) inst {
	return inst{fmt.Sprintf("dup v%d.4s, w%d", d, x), 0x4e040c00 | bits(x, 5) | bits(d, 0)}
}

// size is how much of a vector register is loaded or stored: s, d or q for 4, 8 or 16 bytes.
type size struct {
	name  string
	bytes int
	word  uint32 // of the load from a register and a multiple of bytes
}

var (
	sizeS = size{"s", 4, 0xbd400000}
	sizeD = size{"d", 8, 0xfd400000}
	sizeQ = size{"q", 16, 0x3dc00000}
)

// at writes an address.
func at(x, disp int) string {
	if disp == 0 {
		return fmt.Sprintf("[x%d]", x)
	}
	return fmt.Sprintf("[x%d, #%d]", x, disp)
}

// multiple is disp in units, which it must be a multiple of, from low to high.
func multiple(disp, unit, low, high int) int {
	if disp%unit != 0 || disp/unit < low || disp/unit > high {
		panic(fmt.Sprintf("offset %d is no multiple of %d in reach", disp, unit))
	}
	return disp / unit
}

func load(s size, d, x, disp int) inst {
	return inst{fmt.Sprintf("ldr %s%d, %s", s.name, d, at(x, disp)), s.word | bits(multiple(disp, s.bytes, 0, 4095), 10) | bits(x, 5) | bits(d, 0)}
}

func store(s size, d, x, disp int) inst {
	return inst{fmt.Sprintf("str %s%d, %s", s.name, d, at(x, disp)), s.word ^ 0x00400000 | bits(multiple(disp, s.bytes, 0, 4095), 10) | bits(x, 5) | bits(d, 0)}
}

// indexed is the form of a load from the sum of two registers.
func indexed(s size, d, x, index int) inst {
	return inst{fmt.Sprintf("ldr %s%d, [x%d, x%d]", s.name, d, x, index), s.word&^0x01000000 | 0x00206800 | bits(index, 16) | bits(x, 5) | bits(d, 0)}
}

// loadPair and storePair move two registers of 16 bytes.
func loadPair(d, e, x, disp int) inst {
	return inst{fmt.Sprintf("ldp q%d, q%d, %s", d, e, at(x, disp)), 0xad400000 | bits(multiple(disp, 16, -64, 63)&127, 15) | bits(e, 10) | bits(x, 5) | bits(d, 0)}
}

func storePair(d, e, x, disp int) inst {
	return inst{fmt.Sprintf("stp q%d, q%d, %s", d, e, at(x, disp)), 0xad000000 | bits(multiple(disp, 16, -64, 63)&127, 15) | bits(e, 10) | bits(x, 5) | bits(d, 0)}
}

// spreadLoad loads one float into all four lanes.
func spreadLoad(d, x int) inst {
	return inst{fmt.Sprintf("ld1r {v%d.4s}, [x%d]", d, x), 0x4d40c800 | bits(x, 5) | bits(d, 0)}
}
