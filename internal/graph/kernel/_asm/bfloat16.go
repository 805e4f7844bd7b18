package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"resnet/internal/graph/kernel/_asm/spec"
)

// bfloat16 generates the kernels of bfloat16. General registers are physical ones, see raw.
func bfloat16() {
	amxTile(2, 2)
	amxTile(4, 1)
	amxGrad(2, 2)
	amxGrad(4, 1)
	for _, np := range spec.BF16Strips {
		bf16Tile(np, 2)
	}
	for _, np := range spec.BF16Strips {
		bf16Tile(np, 1)
	}
	bf16Grad()
	join("bf16Concat", false)
	join("bf16Interleave", true)
	transpose()
	gather()
	mix()
}

// beginBF16 starts a kernel of bfloat16 with its argument pointer in RAX.
func beginBF16(name, arg, doc string) {
	TEXT(name, NOSPLIT, "func(a *byte)")
	Pragma("noescape")
	Doc(spec.Wrap(name+" "+doc+" a points to a "+arg+".", 97)...)
	Load(Param("a"), reg.RAX)
}

// get loads a field of the argument, times 1<<shift.
func get(r reg.GPPhysical, off, shift int) {
	MOVQ(Mem{Base: reg.RAX, Disp: off}, r)
	if shift > 0 {
		SHLQ(U8(shift), r)
	}
}

// amxTile generates a convolution in tiles of 16 pixels by 16 output channels: ns strips by nb
// blocks a round. Four sums hide the latency of their instructions.
func amxTile(ns, nb int) {
	beginBF16(fmt.Sprintf("bf16Tile%dx%dAMX", ns, nb), "BF16Tile", fmt.Sprintf("computes strips, %d a round, by %d output channels; see BF16Tile.", ns, 16*nb))
	const a, b = 4, 6 // tiles of inputs and of weights; with one block of outputs inputs take 4 to 6
	weight := func(j int) byte {
		if nb == 1 {
			return 7
		}
		return byte(b + j)
	}
	input := func(i int) byte {
		if nb == 1 {
			return byte(a + i%3)
		}
		return byte(a + i)
	}
	x := []reg.GPPhysical{reg.R8, reg.R9, reg.R10, reg.R11}[:ns]
	get(reg.RCX, spec.BFTileConfig, 0)
	ldtilecfg(reg.RCX)
	get(reg.RSI, spec.BFTileAt, 0)
	get(reg.RDI, spec.BFTileAtLen, 0)
	get(reg.R12, spec.BFTileXPixel, 1)
	MOVQ(I32(64), reg.R13)
	Label("strips")
	get(reg.RCX, spec.BFTileX, 0)
	for i, r := range x {
		MOVQ(Mem{Base: reg.RSI, Disp: 16 * i}, r)
		LEAQ(Mem{Base: reg.RCX, Index: r, Scale: 2}, r)
	}
	for c := range ns * nb {
		tilezero(byte(c))
	}
	get(reg.RBX, spec.BFTileW, 0)
	if nb == 2 {
		get(reg.R15, spec.BFTileW2, 1)
		ADDQ(reg.RBX, reg.R15)
	}
	get(reg.RDX, spec.BFTileTaps, 0)
	get(reg.R14, spec.BFTileTapsLen, 0)
	Label("tap")
	tileload(weight(0), reg.RBX, reg.R13)
	if nb == 2 {
		tileload(weight(1), reg.R15, reg.R13)
	}
	for i, r := range x {
		MOVQ(Mem{Base: reg.RDX}, reg.RCX)
		LEAQ(Mem{Base: r, Index: reg.RCX, Scale: 2}, reg.RCX)
		tileload(input(i), reg.RCX, reg.R12)
		for j := range nb {
			tdpbf16ps(byte(i*nb+j), input(i), weight(j))
		}
	}
	ADDQ(U32(2*spec.BF16Tap), reg.RBX)
	if nb == 2 {
		ADDQ(U32(2*spec.BF16Tap), reg.R15)
	}
	ADDQ(U8(8), reg.RDX)
	DECQ(reg.R14)
	JNZ(LabelRef("tap"))
	get(reg.RBX, spec.BFTileYPixel, 2)
	if nb == 2 {
		get(reg.R15, spec.BFTileY2, 2)
	}
	for i := range ns {
		get(reg.RCX, spec.BFTileY, 0)
		MOVQ(Mem{Base: reg.RSI, Disp: 16*i + 8}, reg.RDX)
		LEAQ(Mem{Base: reg.RCX, Index: reg.RDX, Scale: 4}, reg.RCX)
		tilestore(byte(i*nb), reg.RCX, reg.RBX)
		if nb == 2 {
			ADDQ(reg.R15, reg.RCX)
			tilestore(byte(i*nb+1), reg.RCX, reg.RBX)
		}
	}
	ADDQ(U8(16*ns), reg.RSI)
	SUBQ(U8(2*ns), reg.RDI)
	JG(LabelRef("strips"))
	tilerelease()
	RET()
}

// amxGrad generates the products of a weight gradient in tiles of 16 input by 16 output channels:
// ns places in the input by nb blocks of outputs a round.
func amxGrad(ns, nb int) {
	beginBF16(fmt.Sprintf("bf16Grad%dx%dAMX", ns, nb), "BF16Grad", fmt.Sprintf("adds outer products, of %d places a round and %d output channels; see BF16Grad.", ns, 16*nb))
	input := func(i int) byte {
		if nb == 1 {
			return byte(4 + i%3)
		}
		return byte(4 + i)
	}
	output := func(j int) byte { return byte(8 - nb + j) }
	x := []reg.GPPhysical{reg.R8, reg.R9, reg.R10, reg.R11}[:ns]
	get(reg.RCX, spec.BFGradConfig, 0)
	ldtilecfg(reg.RCX)
	get(reg.RSI, spec.BFGradAt, 0)
	get(reg.RDI, spec.BFGradAtLen, 0)
	get(reg.R12, spec.BFGradXRow, 1)
	MOVQ(I32(64), reg.R13)
	Label("places")
	sums := func(move func(t byte, base, stride reg.GPPhysical)) {
		get(reg.RDX, spec.BFGradDW2, 2)
		for i := range ns {
			get(reg.RCX, spec.BFGradDW, 0)
			MOVQ(Mem{Base: reg.RSI, Disp: 16*i + 8}, reg.RBX)
			LEAQ(Mem{Base: reg.RCX, Index: reg.RBX, Scale: 4}, reg.RCX)
			for j := range nb {
				if j > 0 {
					ADDQ(reg.RDX, reg.RCX)
				}
				move(byte(i*nb+j), reg.RCX, reg.R13)
			}
		}
	}
	sums(tileload)
	get(reg.RCX, spec.BFGradX, 0)
	for i, r := range x {
		MOVQ(Mem{Base: reg.RSI, Disp: 16 * i}, r)
		LEAQ(Mem{Base: reg.RCX, Index: r, Scale: 2}, r)
	}
	get(reg.RBX, spec.BFGradDY, 0)
	if nb == 2 {
		get(reg.R15, spec.BFGradDY2, 1)
		ADDQ(reg.RBX, reg.R15)
	}
	get(reg.R14, spec.BFGradSteps, 0)
	Label("step")
	tileload(output(0), reg.RBX, reg.R13)
	if nb == 2 {
		tileload(output(1), reg.R15, reg.R13)
	}
	for i, r := range x {
		tileload(input(i), r, reg.R12)
		for j := range nb {
			tdpbf16ps(byte(i*nb+j), input(i), output(j))
		}
		ADDQ(U8(64), r)
	}
	ADDQ(U32(1024), reg.RBX)
	if nb == 2 {
		ADDQ(U32(1024), reg.R15)
	}
	DECQ(reg.R14)
	JNZ(LabelRef("step"))
	sums(tilestore)
	ADDQ(U8(16*ns), reg.RSI)
	SUBQ(U8(2*ns), reg.RDI)
	JG(LabelRef("places"))
	tilerelease()
	RET()
}

// zmm is a register by number.
func zmm(n byte) reg.VecPhysical {
	return reg.LookupPhysical(reg.KindVector, reg.Index(n), reg.S512).(reg.VecPhysical)
}

// bf16Tile generates a convolution of AVX512_BF16: strips of np pixels by nb blocks, four pairs of
// input channels a round. Pixel i is i%3 pixels behind base i/3.
func bf16Tile(np, nb int) {
	beginBF16(fmt.Sprintf("bf16Tile%dx%dAVX512", np, nb), "BF16Tile", fmt.Sprintf("computes strips of %d pixels by %d output channels; see BF16Tile.", np, 16*nb))
	acc := func(i, b int) byte { return byte(i*nb + b) }
	weight := func(b int) byte { return byte(30 + b) }
	bases := []reg.GPPhysical{reg.R8, reg.R9, reg.R10, reg.R11, reg.R12}[:(np+2)/3]
	get(reg.RSI, spec.BFTileAt, 0)
	get(reg.RDI, spec.BFTileAtLen, 0)
	get(reg.R13, spec.BFTileXPixel, 1)
	Label("strip")
	for r := range byte(np * nb) {
		z := zmm(r)
		VPXORD(z, z, z)
	}
	get(reg.RBX, spec.BFTileW, 0)
	if nb == 2 {
		get(reg.R15, spec.BFTileW2, 1)
	}
	get(reg.RDX, spec.BFTileTaps, 0)
	get(reg.R14, spec.BFTileTapsLen, 0)
	Label("tap")
	get(reg.RCX, spec.BFTileX, 0)
	MOVQ(Mem{Base: reg.RSI}, bases[0])
	ADDQ(Mem{Base: reg.RDX}, bases[0])
	LEAQ(Mem{Base: reg.RCX, Index: bases[0], Scale: 2}, bases[0])
	for i := 1; i < len(bases); i++ {
		LEAQ(Mem{Base: bases[i-1], Index: reg.R13, Scale: 2}, bases[i])
		ADDQ(reg.R13, bases[i])
	}
	MOVQ(I32(4), reg.RCX)
	Label("four")
	for c := range 4 {
		for b := range nb {
			m := Mem{Base: reg.RBX, Disp: 64 * c}
			if b == 1 {
				m.Index, m.Scale = reg.R15, 1
			}
			VMOVUPS(m, zmm(weight(b)))
		}
		for i := range np {
			for b := range nb {
				vdpbf16psBroadcast(acc(i, b), weight(b), bases[i/3], reg.R13, i%3, 4*c)
			}
		}
	}
	ADDQ(U32(256), reg.RBX)
	for _, r := range bases {
		ADDQ(U8(16), r)
	}
	DECQ(reg.RCX)
	JNZ(LabelRef("four"))
	ADDQ(U8(8), reg.RDX)
	DECQ(reg.R14)
	JNZ(LabelRef("tap"))
	get(reg.RCX, spec.BFTileY, 0)
	MOVQ(Mem{Base: reg.RSI, Disp: 8}, reg.RDX)
	LEAQ(Mem{Base: reg.RCX, Index: reg.RDX, Scale: 4}, reg.RCX)
	get(reg.RBX, spec.BFTileYPixel, 2)
	if nb == 2 {
		get(reg.R15, spec.BFTileY2, 2)
	}
	for i := range np {
		for b := range nb {
			m := Mem{Base: reg.RCX}
			if b == 1 {
				m.Index, m.Scale = reg.R15, 1
			}
			VMOVUPS(zmm(acc(i, b)), m)
		}
		ADDQ(reg.RBX, reg.RCX)
	}
	ADDQ(U8(16), reg.RSI)
	SUBQ(U8(2), reg.RDI)
	JG(LabelRef("strip"))
	end()
}

// bf16Grad generates the products of a weight gradient of AVX512_BF16: 16 input channels by a block
// of output channels. Channel i is i%3 rows behind base i/3.
func bf16Grad() {
	beginBF16("bf16GradAVX512", "BF16Grad", "adds outer products of 16 input channels and 16 output channels; see BF16Grad.")
	bases := []reg.GPPhysical{reg.R8, reg.R9, reg.R10, reg.R11, reg.R12, reg.RDI}
	const dy = 30
	get(reg.RSI, spec.BFGradAt, 0)
	get(reg.R15, spec.BFGradAtLen, 0)
	get(reg.R13, spec.BFGradXRow, 1)
	Label("place")
	get(reg.RCX, spec.BFGradDW, 0)
	MOVQ(Mem{Base: reg.RSI, Disp: 8}, reg.RDX)
	LEAQ(Mem{Base: reg.RCX, Index: reg.RDX, Scale: 4}, reg.RDX)
	for i := range byte(16) {
		VMOVUPS(Mem{Base: reg.RDX, Disp: 64 * int(i)}, zmm(i))
	}
	get(reg.RCX, spec.BFGradX, 0)
	MOVQ(Mem{Base: reg.RSI}, bases[0])
	LEAQ(Mem{Base: reg.RCX, Index: bases[0], Scale: 2}, bases[0])
	for i := 1; i < len(bases); i++ {
		LEAQ(Mem{Base: bases[i-1], Index: reg.R13, Scale: 2}, bases[i])
		ADDQ(reg.R13, bases[i])
	}
	get(reg.RBX, spec.BFGradDY, 0)
	get(reg.R14, spec.BFGradSteps, 2) // four pairs a round
	Label("four")
	for p := range 4 {
		VMOVUPS(Mem{Base: reg.RBX, Disp: 64 * p}, zmm(dy))
		for i := range 16 {
			vdpbf16psBroadcast(byte(i), dy, bases[i/3], reg.R13, i%3, 4*p)
		}
	}
	ADDQ(U32(256), reg.RBX)
	for _, r := range bases {
		ADDQ(U8(16), r)
	}
	DECQ(reg.R14)
	JNZ(LabelRef("four"))
	for i := range byte(16) {
		VMOVUPS(zmm(i), Mem{Base: reg.RDX, Disp: 64 * int(i)})
	}
	ADDQ(U8(16), reg.RSI)
	SUBQ(U8(2), reg.R15)
	JG(LabelRef("place"))
	end()
}

// join generates Joined's kernels.
func join(name string, mixed bool) {
	beginBF16(name+"AVX512", "Joined", "rounds vectors and joins them in twos; see Joined.")
	get(reg.RSI, spec.JoinedX, 0)
	get(reg.RDI, spec.JoinedX2, 0)
	get(reg.RDX, spec.JoinedY, 0)
	get(reg.RCX, spec.JoinedN, 0)
	get(reg.RBX, spec.JoinedStep, 2)
	if mixed {
		loadMixed()
	}
	Label("vector")
	VMOVUPS(Mem{Base: reg.RSI}, reg.Z0)
	VMOVUPS(Mem{Base: reg.RDI}, reg.Z1)
	vcvtne2ps2bf16(2, 1, 0)
	if mixed {
		VPERMW(reg.Z2, reg.Z31, reg.Z2)
	}
	VMOVUPS(reg.Z2, Mem{Base: reg.RDX})
	ADDQ(reg.RBX, reg.RSI)
	ADDQ(reg.RBX, reg.RDI)
	ADDQ(U8(64), reg.RDX)
	DECQ(reg.RCX)
	JNZ(LabelRef("vector"))
	end()
}

// loadMixed loads the pattern that mixes the halves of 32 values to Z31.
func loadMixed() {
	VMOVDQU64(mixed, reg.Z31)
}

// transpose generates Transposed's kernel: pairs of pixels are mixed to one value of 32 bits for
// each channel, 16 of which are transposed.
func transpose() {
	beginBF16("bf16TransposeAVX512", "Transposed", "rounds pixels and puts those of each channel side by side; see Transposed.")
	get(reg.RSI, spec.TransposedX, 0)
	get(reg.RDX, spec.TransposedY, 0)
	get(reg.RCX, spec.TransposedSteps, 0)
	get(reg.RBX, spec.TransposedYRow, 1)
	loadMixed()
	Label("step")
	for i := range byte(16) {
		VMOVUPS(Mem{Base: reg.RSI, Disp: 128 * int(i)}, reg.Z29)
		VMOVUPS(Mem{Base: reg.RSI, Disp: 128*int(i) + 64}, reg.Z30)
		vcvtne2ps2bf16(i, 30, 29)
		VPERMW(zmm(i), reg.Z31, zmm(i))
	}
	// Pairs, fours, eights and halves of rows change places.
	for i := byte(0); i < 16; i += 2 {
		VPUNPCKHDQ(zmm(i+1), zmm(i), reg.Z30)
		VPUNPCKLDQ(zmm(i+1), zmm(i), zmm(i))
		VMOVDQA64(reg.Z30, zmm(i+1))
	}
	for i := byte(0); i < 16; i += 4 {
		for _, j := range []byte{0, 1} {
			VPUNPCKHQDQ(zmm(i+2+j), zmm(i+j), reg.Z30)
			VPUNPCKLQDQ(zmm(i+2+j), zmm(i+j), zmm(i+j))
			VMOVDQA64(reg.Z30, zmm(i+2+j))
		}
	}
	// Register 4g+j now has, in each of its four lanes l, rows 4g to 4g+3 of column 4l + order[j].
	order := [4]byte{0, 2, 1, 3}
	for j := range byte(4) {
		a, b, c, d := zmm(j), zmm(4+j), zmm(8+j), zmm(12+j)
		VSHUFI32X4(U8(0x88), b, a, reg.Z16) // lanes 0 and 2 of a and of b
		VSHUFI32X4(U8(0xdd), b, a, reg.Z17) // lanes 1 and 3
		VSHUFI32X4(U8(0x88), d, c, reg.Z18)
		VSHUFI32X4(U8(0xdd), d, c, reg.Z19)
		VSHUFI32X4(U8(0x88), reg.Z18, reg.Z16, a) // lane 0
		VSHUFI32X4(U8(0x88), reg.Z19, reg.Z17, b) // lane 1
		VSHUFI32X4(U8(0xdd), reg.Z18, reg.Z16, c) // lane 2
		VSHUFI32X4(U8(0xdd), reg.Z19, reg.Z17, d) // lane 3
	}
	MOVQ(reg.RDX, reg.RDI)
	for ch := range byte(16) {
		j := order[ch%4] // its own inverse
		VMOVUPS(zmm(ch/4*4+j), Mem{Base: reg.RDI})
		if ch < 15 {
			ADDQ(reg.RBX, reg.RDI)
		}
	}
	ADDQ(U32(2048), reg.RSI)
	ADDQ(U8(64), reg.RDX)
	DECQ(reg.RCX)
	JNZ(LabelRef("step"))
	end()
}

// mixed is the pattern of VPERMW that takes value c of the lower half, then c of the upper; behind it
// are those of VPERMT2D that take values of 32 bits of two registers in turn, the first eight and the
// last.
var mixed Mem

func init() {
	mixed = GLOBL("bf16Mixed", RODATA|NOPTR)
	for c := range 16 {
		DATA(4*c, U32(uint32(c)|uint32(c+16)<<16))
	}
	for c := range 32 {
		DATA(64+4*c, U32(uint32(c/2+c%2*16)))
	}
}

// gather generates Gathered's kernel.
func gather() {
	beginBF16("bf16GatherAVX512", "Gathered", "rounds values that are apart, in twos; see Gathered.")
	get(reg.RSI, spec.GatheredX, 0)
	get(reg.RDX, spec.GatheredY, 0)
	get(reg.RBX, spec.GatheredN, 0)
	get(reg.R8, spec.GatheredLane, 0)
	get(reg.R9, spec.GatheredStep, 2)
	get(reg.RCX, spec.GatheredLanes, 0)
	loadMixed()
	VPBROADCASTD(reg.R8.As32(), reg.Z0)
	VPMULLD(lanes, reg.Z0, reg.Z0)
	MOVQ(I32(1), reg.R10)
	SHLQ(reg.CL, reg.R10)
	DECQ(reg.R10)
	KMOVW(reg.R10.As32(), reg.K3)
	Label("pair")
	for i, z := range []reg.VecPhysical{reg.Z1, reg.Z2} {
		k := []reg.OpmaskPhysical{reg.K1, reg.K2}[i]
		VPXORD(z, z, z)
		KMOVW(reg.K3, k)
		VGATHERDPS(Mem{Base: reg.RSI, Index: reg.Z0, Scale: 4}, k, z)
		ADDQ(reg.R9, reg.RSI)
	}
	vcvtne2ps2bf16(3, 2, 1)
	VPERMW(reg.Z3, reg.Z31, reg.Z3)
	VMOVUPS(reg.Z3, Mem{Base: reg.RDX})
	ADDQ(U8(64), reg.RDX)
	DECQ(reg.RBX)
	JNZ(LabelRef("pair"))
	end()
}

// lanes are the numbers 0 to 15.
var lanes Mem

func init() {
	lanes = GLOBL("bf16Lanes", RODATA|NOPTR)
	for c := range 16 {
		DATA(4*c, U32(uint32(c)))
	}
}

// mix generates Mixed's kernel: 16 pixels a round.
func mix() {
	beginBF16("bf16MixAVX512", "Mixed", "rounds rows of four channels and mixes them; see Mixed.")
	x := []reg.GPPhysical{reg.R8, reg.R9, reg.R10, reg.R11}
	step := []reg.GPPhysical{reg.R12, reg.R13, reg.R14, reg.R15}
	for c := range x {
		get(x[c], spec.MixedX+24*c, 0)
		get(step[c], spec.MixedStep+8*c, 0)
	}
	get(reg.RDX, spec.MixedY, 0)
	get(reg.RCX, spec.MixedN, 0)
	SHRQ(U8(4), reg.RCX)
	loadMixed()
	VMOVDQU64(mixed.Offset(64), reg.Z30)
	VMOVDQU64(mixed.Offset(128), reg.Z29)
	Label("pixels")
	for i := range byte(2) {
		VMOVUPS(Mem{Base: x[2*i]}, zmm(2))
		VMOVUPS(Mem{Base: x[2*i+1]}, zmm(3))
		vcvtne2ps2bf16(i, 3, 2)
		VPERMW(zmm(i), reg.Z31, zmm(i))
	}
	VMOVDQA64(reg.Z0, reg.Z2)
	VPERMT2D(reg.Z1, reg.Z30, reg.Z0)
	VPERMT2D(reg.Z1, reg.Z29, reg.Z2)
	VMOVUPS(reg.Z0, Mem{Base: reg.RDX})
	VMOVUPS(reg.Z2, Mem{Base: reg.RDX, Disp: 64})
	for c := range x {
		ADDQ(step[c], x[c])
	}
	SUBQ(I8(-128), reg.RDX)
	DECQ(reg.RCX)
	JNZ(LabelRef("pixels"))
	end()
}
