// Command asm generates the assembly of package kernel with avo: `make generate` in the
// repository's root.
//
// Every kernel takes one pointer to an argument struct of package kernel and reads its fields at
// the byte offsets below; kernel.TestArgumentOffsets pins them. Lengths and strides are in float32
// values. A vector of 16 channels is one ZMM register or two YMM registers; `halves` hides the
// difference for kernels without register pressure.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"resnet/internal/graph/kernel/_asm/spec"
)

// isa is one instruction set to generate for.
type isa struct {
	name   string
	lanes  int // float32 values in a register
	halves int // registers in a vector of 16
	regs   int
}

var (
	avx512 = isa{name: "AVX512", lanes: 16, halves: 1, regs: 32}
	avx2   = isa{name: "AVX2", lanes: 8, halves: 2, regs: 16}
)

func (s isa) vec() reg.VecVirtual {
	if s.lanes == 16 {
		return ZMM()
	}
	return YMM()
}

func (s isa) zero(v reg.VecVirtual) {
	if s.lanes == 16 {
		VPXORD(v, v, v)
	} else {
		VXORPS(v, v, v)
	}
}

func (s isa) bytes() int { return 4 * s.lanes }

// begin starts a kernel and returns its argument pointer.
func (s isa) begin(base, arg, doc string) reg.GPVirtual {
	name := base + s.name
	TEXT(name, NOSPLIT, "func(a *byte)")
	Pragma("noescape")
	Doc(spec.Wrap(name+" "+doc+" a points to a "+arg+".", 97)...)
	return Load(Param("a"), GP64()).(reg.GPVirtual)
}

func end() {
	VZEROUPPER()
	RET()
}

// endLoop ends a kernel with its loop, which has n more rounds: each pointer goes on by 16 values.
func endLoop(label string, n reg.GPVirtual, pointers ...reg.GPVirtual) {
	for _, p := range pointers {
		ADDQ(U8(64), p)
	}
	DECQ(n)
	JNZ(LabelRef(label))
	end()
}

// eachVector is the rest of a kernel on n values, 16 of them a round. body computes a vector of each
// array, disp bytes behind its pointer.
func (s isa) eachVector(n reg.GPVirtual, body func(disp int), pointers ...reg.GPVirtual) {
	SHRQ(U8(4), n)
	Label("vector")
	for h := range s.halves {
		body(h * s.bytes())
	}
	endLoop("vector", n, pointers...)
}

// field loads an 8-byte field of the argument struct.
func field(a reg.Register, off int) reg.GPVirtual {
	r := GP64()
	MOVQ(Mem{Base: a, Disp: off}, r)
	return r
}

// stride loads a field counted in float32 values and turns it into bytes.
func stride(a reg.Register, off int) reg.GPVirtual { return wide.stride(a, off) }

// advance adds a field counted in float32 values to a pointer.
func advance(a reg.Register, off int, p reg.Register) { wide.advance(a, off, p) }

func main() {
	ConstraintExpr("amd64,!purego")
	for _, s := range []isa{avx512, avx2} {
		peak(s)
		convolutions(s)
		weightGradients(s)
		groups(s)
		winograd(s)
		elementwise(s)
		windowMax(s)
		windowGrad(s)
		windowSum(s)
		windowSpread(s)
		matrices(s)
		response(s, false)
		response(s, true)
		elu(s)
		eluGrad(s)
		sigmoid(s, false)
		sigmoid(s, true)
		sigmoidGrad(s)
		expBelow(s)
	}
	for _, s := range []isa{avx512, avx2} {
		narrowMemory(s)
	}
	bfloat16()
	Generate()
}

// peak runs independent chains of FMAs: the machine's limit, for `bench peak`.
func peak(s isa) {
	a := s.begin("peak", "peakArgs", "runs a.N rounds of 24 (AVX-512) or 12 (AVX2) independent fused multiply-adds.")
	n := field(a, 0)
	count := 24
	if s.regs == 16 {
		count = 12
	}
	acc := make([]reg.VecVirtual, count)
	for i := range acc {
		acc[i] = s.vec()
		s.zero(acc[i])
	}
	x, y := s.vec(), s.vec()
	s.zero(x)
	s.zero(y)
	Label("loop")
	for _, v := range acc {
		VFMADD231PS(x, y, v)
	}
	DECQ(n)
	JNZ(LabelRef("loop"))
	end()
}
