package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Go's assembler does not know the instructions of AMX and of AVX512_BF16: they are encoded here
// (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2), with physical
// registers, because avo cannot see what they read and write.

// raw emits the bytes of an instruction.
func raw(b ...byte) {
	for len(b) >= 4 {
		emit("LONG", U32(uint32(b[0])|uint32(b[1])<<8|uint32(b[2])<<16|uint32(b[3])<<24))
		b = b[4:]
	}
	for _, v := range b {
		emit("BYTE", U8(v))
	}
}

func emit(opcode string, op Op) {
	Instruction(&ir.Instruction{Opcode: opcode, Operands: []Op{op}})
}

// gp is the number of a general register.
func gp(r reg.GPPhysical) byte { return byte(r.PhysicalIndex()) }

// vex is the prefix of a VEX instruction of map 0F38, 128 bits, W0. r, x and b are the numbers that
// bits 3 of ModRM.reg, of an index and of a base come from.
func vex(r, x, b, v, pp byte) []byte {
	return []byte{0xc4, ^r>>3&1<<7 | ^x>>3&1<<6 | ^b>>3&1<<5 | 2, (15-v)<<3 | pp}
}

// What pp stands for.
const (
	ppNone = 0
	pp66   = 1
	ppF3   = 2
	ppF2   = 3
)

// sib is the memory operand [base + index] beside register r, with an 8-bit displacement of 0.
func sib(r byte, base, index reg.GPPhysical) []byte {
	return []byte{0x44 | r<<3, gp(index)&7<<3 | gp(base)&7, 0}
}

// ldtilecfg loads the shapes of the tiles from [base].
func ldtilecfg(base reg.GPPhysical) {
	raw(append(vex(0, 0, gp(base), 0, ppNone), 0x49, 0x40|gp(base)&7, 0)...)
}

// tilerelease returns the tiles to their initial state.
func tilerelease() { raw(0xc4, 0xe2, 0x78, 0x49, 0xc0) }

func tilezero(t byte) { raw(append(vex(0, 0, 0, 0, ppF2), 0x49, 0xc0|t<<3)...) }

// tileload loads the rows of a tile from base on, stride bytes apart.
func tileload(t byte, base, stride reg.GPPhysical) {
	raw(append(append(vex(0, gp(stride), gp(base), 0, ppF2), 0x4b), sib(t, base, stride)...)...)
}

func tilestore(t byte, base, stride reg.GPPhysical) {
	raw(append(append(vex(0, gp(stride), gp(base), 0, ppF3), 0x4b), sib(t, base, stride)...)...)
}

// tdpbf16ps adds to tile c the products of tile a (rows of 32 values) and b (rows of 16 pairs).
func tdpbf16ps(c, a, b byte) { raw(append(vex(0, 0, 0, b, ppF3), 0x5c, 0xc0|c<<3|a)...) }

// evex is the prefix of an EVEX instruction of map 0F38, 512 bits, W0, without a mask: register r,
// second operand v, and bits 4 and 3 of a third register, or 3 of an index and of a base.
func evex(r, v, x, b, pp, broadcast byte) []byte {
	return []byte{
		0x62, ^r>>3&1<<7 | ^x&1<<6 | ^b&1<<5 | ^r>>4&1<<4 | 2,
		^v&15<<3 | 4 | pp, 2<<5 | broadcast<<4 | ^v>>4&1<<3,
	}
}

// vdpbf16psBroadcast adds to z the products of the pairs of v and of the pair at [base + scale·index
// + disp], disp a multiple of 4 below 512; scale 0 is no index.
func vdpbf16psBroadcast(z, v byte, base, index reg.GPPhysical, scale, disp int) {
	x, s := gp(index), byte(0)
	switch scale {
	case 0:
		x = 4 // no index
	case 2:
		s = 1
	}
	raw(append(evex(z, v, x>>3, gp(base)>>3, ppF3, 1), 0x52, 0x44|z&7<<3, s<<6|x&7<<3|gp(base)&7, byte(disp/4))...)
}

// vcvtne2ps2bf16 rounds 16 values of low to the lower half of z and 16 of high to the upper.
func vcvtne2ps2bf16(z, high, low byte) {
	raw(append(evex(z, high, low>>4, low>>3&1, ppF2, 0), 0x72, 0xc0|z&7<<3|low&7)...)
}
