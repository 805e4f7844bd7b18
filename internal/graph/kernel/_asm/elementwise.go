package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"resnet/internal/graph/kernel/_asm/spec"
)

// lessOrEqual is a predicate of VCMPPS: false where one is a NaN.
const lessOrEqual = 2

func elementwise(s isa) {
	affines(s, wide)
	moments(s, wide)
	masks(s, wide)
}

func affines(s isa, e element) {
	affine(s, e, "copyRows", false, false, false, false)
	affine(s, e, "affine", true, false, false, false)
	affine(s, e, "affineReLU", true, false, true, false)
	affine(s, e, "affinePReLU", true, false, false, true)
	affine(s, e, "affine2", true, true, false, false)
	affine(s, e, "affine2ReLU", true, true, true, false)
}

func masks(s isa, e element) {
	for _, addend := range []bool{false, true} {
		for _, by := range []string{"", "ByZ", "ByY", "Slope"} {
			mask(s, e, by, addend)
		}
	}
}

// affine generates y = [max 0] s*x + t [+ s2*r] over rows of pixels; with prelu, s2 is the slope
// below zero. x and r are of the element type.
func affine(s isa, e element, name string, scale, second, relu, prelu bool) {
	a := s.beginOf(e, name, "Affine", "maps rows of pixels; see %s.")
	x, y, r := field(a, spec.AffX), field(a, spec.AffY), GP64()
	if second {
		MOVQ(Mem{Base: a, Disp: spec.AffR}, r)
	}
	load := func(off int) []reg.VecVirtual {
		p := field(a, off)
		v := make([]reg.VecVirtual, s.halves)
		for h := range v {
			v[h] = s.vec()
			VMOVUPS(Mem{Base: p, Disp: h * s.bytes()}, v[h])
		}
		return v
	}
	var cs, ct, cs2 []reg.VecVirtual
	if scale {
		cs, ct = load(spec.AffS), load(spec.AffT)
	}
	if second || prelu {
		cs2 = load(spec.AffS2)
	}
	zero := s.vec()
	if relu || prelu {
		s.zero(zero)
	}
	step := e.stride(a, spec.AffXPixel)
	rows := field(a, spec.AffRows)
	body := func(px, pr, py reg.Register) {
		for h := 0; h < s.halves; h++ {
			d := h * s.bytes()
			v := s.vec()
			s.load(e, px, d, v)
			if scale {
				w := s.vec()
				VMOVAPS(ct[h], w)
				VFMADD231PS(v, cs[h], w)
				v = w
			}
			if second {
				u := s.vec()
				s.load(e, pr, d, u)
				VFMADD231PS(u, cs2[h], v)
			}
			if relu {
				VMAXPS(v, zero, v) // a NaN comes through
			}
			if prelu {
				if s.lanes == 16 {
					k := K()
					VCMPPS(U8(lessOrEqual), zero, v, k)
					VMULPS(cs2[h], v, k, v)
				} else {
					m, w := s.vec(), s.vec()
					VCMPPS(U8(lessOrEqual), zero, v, m)
					VMULPS(cs2[h], v, w)
					VBLENDVPS(m, w, v, v)
				}
			}
			VMOVUPS(v, Mem{Base: py, Disp: d})
		}
		ADDQ(step, px)
		ADDQ(U8(64), py)
		if second {
			ADDQ(step, pr)
		}
	}
	Label("row")
	px, pr, py, n := GP64(), GP64(), GP64(), field(a, spec.AffPixels)
	MOVQ(x, px)
	MOVQ(y, py)
	if second {
		MOVQ(r, pr)
	}
	SUBQ(U8(4), n)
	JL(LabelRef("tail"))
	Label("four")
	for i := 0; i < 4; i++ {
		body(px, pr, py)
	}
	SUBQ(U8(4), n)
	JGE(LabelRef("four"))
	Label("tail")
	ADDQ(U8(4), n)
	JZ(LabelRef("done"))
	Label("one")
	body(px, pr, py)
	DECQ(n)
	JNZ(LabelRef("one"))
	Label("done")
	e.advance(a, spec.AffXRow, x)
	advance(a, spec.AffYRow, y)
	if second {
		e.advance(a, spec.AffRRow, r)
	}
	DECQ(rows)
	JNZ(LabelRef("row"))
	end()
}

// moments generates the sums of x-k and (x-k)² over pixels, four chains of each. With narrow
// elements x is rounded and written first.
func moments(s isa, e element) {
	a := s.beginOf(e, "moments", "Moments", "adds shifted first and second moments over pixels; see %s.")
	chains := 4
	if s.regs == 16 {
		chains = 2
	}
	for h := 0; h < s.halves; h++ {
		d := h * s.bytes()
		sfx := string(rune('0' + h))
		x, n := field(a, spec.MomX), field(a, spec.MomPixels)
		pk, p1, p2 := field(a, spec.MomShift), field(a, spec.MomS1), field(a, spec.MomS2)
		k := s.vec()
		VMOVUPS(Mem{Base: pk, Disp: d}, k)
		var y reg.GPVirtual
		var half reg.VecVirtual
		if e.narrow {
			y, half = field(a, spec.MomY), s.half()
		}
		s1, s2 := make([]reg.VecVirtual, chains), make([]reg.VecVirtual, chains)
		for i := range s1 {
			s1[i], s2[i] = s.vec(), s.vec()
			s.zero(s1[i])
			s.zero(s2[i])
		}
		body := func(i, at int) {
			v := s.vec()
			VMOVUPS(Mem{Base: x, Disp: at*64 + d}, v)
			if e.narrow {
				s.storeRounded(v, half, y, at*64+d)
			}
			VSUBPS(k, v, v)
			VADDPS(v, s1[i], s1[i])
			VFMADD231PS(v, v, s2[i])
		}
		SUBQ(U8(chains), n)
		JL(LabelRef("tail" + sfx))
		Label("many" + sfx)
		for i := 0; i < chains; i++ {
			body(i, i)
		}
		ADDQ(U32(64*chains), x)
		if e.narrow {
			ADDQ(U32(e.bytes(64*chains)), y)
		}
		SUBQ(U8(chains), n)
		JGE(LabelRef("many" + sfx))
		Label("tail" + sfx)
		ADDQ(U8(chains), n)
		JZ(LabelRef("done" + sfx))
		Label("one" + sfx)
		body(0, 0)
		ADDQ(U8(64), x)
		if e.narrow {
			ADDQ(U8(e.bytes(64)), y)
		}
		DECQ(n)
		JNZ(LabelRef("one" + sfx))
		Label("done" + sfx)
		for w := chains / 2; w > 0; w /= 2 {
			for i := 0; i < w; i++ {
				VADDPS(s1[i+w], s1[i], s1[i])
				VADDPS(s2[i+w], s2[i], s2[i])
			}
		}
		VADDPS(Mem{Base: p1, Disp: d}, s1[0], s1[0])
		VADDPS(Mem{Base: p2, Disp: d}, s2[0], s2[0])
		VMOVUPS(s1[0], Mem{Base: p1, Disp: d})
		VMOVUPS(s2[0], Mem{Base: p2, Disp: d})
	}
	end()
}

// mask generates g = (d [+ r]) where the mask holds, and adds Σg and Σg·(z-mean). By slope, what z
// closes is multiplied by s, and the second sum is that of (d [+ r])·z where it is. All but d are
// of the element type.
func mask(s isa, e element, by string, addend bool) {
	name := "mask" + by
	if addend {
		name += "Add"
	}
	a := s.beginOf(e, name, "Mask", "gates a gradient and adds its sums; see %s.")
	const chains = 2
	for h := 0; h < s.halves; h++ {
		d := h * s.bytes()
		sfx := string(rune('0' + h))
		pd, pz, pg, n := field(a, spec.MaskD), field(a, spec.MaskZ), field(a, spec.MaskG), field(a, spec.MaskPixels)
		pr, pm := GP64(), GP64()
		if addend {
			MOVQ(Mem{Base: a, Disp: spec.MaskR}, pr)
		}
		vec := func(off int) reg.VecVirtual {
			v := s.vec()
			VMOVUPS(Mem{Base: field(a, off), Disp: d}, v)
			return v
		}
		var mean, cs, ct reg.VecVirtual
		switch by {
		case "ByZ":
			cs, ct = vec(spec.MaskS), vec(spec.MaskT)
		case "Slope":
			cs = vec(spec.MaskS)
		}
		if by != "Slope" {
			mean = vec(spec.MaskMean)
		}
		if by == "ByY" {
			MOVQ(Mem{Base: a, Disp: spec.MaskM}, pm)
		}
		zero := s.vec()
		if by != "" {
			s.zero(zero)
		}
		var half reg.VecVirtual
		if e.narrow {
			half = s.half()
		}
		write := func(g reg.VecVirtual, at int) {
			if e.narrow {
				s.storeRounded(g, half, pg, at)
			} else {
				VMOVUPS(g, Mem{Base: pg, Disp: at})
			}
		}
		s1, s2 := make([]reg.VecVirtual, chains), make([]reg.VecVirtual, chains)
		for i := range s1 {
			s1[i], s2[i] = s.vec(), s.vec()
			s.zero(s1[i])
			s.zero(s2[i])
		}
		body := func(i, at int) {
			g, z := s.vec(), s.vec()
			at = at*64 + d
			VMOVUPS(Mem{Base: pd, Disp: at}, g)
			if addend && e.narrow {
				r := s.vec()
				s.load(e, pr, at, r)
				VADDPS(r, g, g)
			} else if addend {
				VADDPS(Mem{Base: pr, Disp: at}, g, g)
			}
			s.load(e, pz, at, z)
			if by == "Slope" {
				if s.lanes == 16 {
					k := K()
					VCMPPS(U8(lessOrEqual), zero, z, k)
					VFMADD231PS(g, z, k, s2[i])
					VMULPS(cs, g, k, g)
				} else {
					m, w := s.vec(), s.vec()
					VCMPPS(U8(lessOrEqual), zero, z, m)
					VANDPS(m, z, z)
					VFMADD231PS(g, z, s2[i])
					VMULPS(cs, g, w)
					VBLENDVPS(m, w, g, g)
				}
				write(g, at)
				VADDPS(g, s1[i], s1[i])
				return
			}
			if by != "" {
				t := s.vec()
				if by == "ByZ" {
					VMOVAPS(ct, t)
					VFMADD231PS(z, cs, t)
				} else {
					s.load(e, pm, at, t)
				}
				// not (t <= 0), so that a NaN keeps its gradient: predicate 6 is NLE, unordered
				// true.
				if s.lanes == 16 {
					k := K()
					VCMPPS(U8(6), zero, t, k)
					VMOVUPS_Z(g, k, g)
				} else {
					VCMPPS(U8(6), zero, t, t)
					VANDPS(t, g, g)
				}
			}
			write(g, at)
			VADDPS(g, s1[i], s1[i])
			VSUBPS(mean, z, z)
			VFMADD231PS(g, z, s2[i])
		}
		next := func(k int) {
			ADDQ(U32(64*k), pd)
			ADDQ(U32(e.bytes(64*k)), pz)
			ADDQ(U32(e.bytes(64*k)), pg)
			if addend {
				ADDQ(U32(e.bytes(64*k)), pr)
			}
			if by == "ByY" {
				ADDQ(U32(e.bytes(64*k)), pm)
			}
		}
		SUBQ(U8(chains), n)
		JL(LabelRef("tail" + sfx))
		Label("many" + sfx)
		for i := 0; i < chains; i++ {
			body(i, i)
		}
		next(chains)
		SUBQ(U8(chains), n)
		JGE(LabelRef("many" + sfx))
		Label("tail" + sfx)
		ADDQ(U8(chains), n)
		JZ(LabelRef("done" + sfx))
		body(0, 0)
		Label("done" + sfx)
		VADDPS(s1[1], s1[0], s1[0])
		VADDPS(s2[1], s2[0], s2[0])
		p1, p2 := field(a, spec.MaskS1), field(a, spec.MaskS2)
		VADDPS(Mem{Base: p1, Disp: d}, s1[0], s1[0])
		VADDPS(Mem{Base: p2, Disp: d}, s2[0], s2[0])
		VMOVUPS(s1[0], Mem{Base: p1, Disp: d})
		VMOVUPS(s2[0], Mem{Base: p2, Disp: d})
	}
	end()
}
