package main

import "resnet/internal/graph/kernel/_asm/spec"

func elementwise() {
	affines(wide)
	moments(wide)
	masks(wide)
}

func affines(e width) {
	affine(e, "copyRows", false, false, false, false)
	affine(e, "affine", true, false, false, false)
	affine(e, "affineReLU", true, false, true, false)
	affine(e, "affinePReLU", true, false, false, true)
	affine(e, "affine2", true, true, false, false)
	affine(e, "affine2ReLU", true, true, true, false)
}

func masks(e width) {
	for _, addend := range []bool{false, true} {
		for _, by := range []string{"", "ByZ", "ByY", "Slope"} {
			mask(e, by, addend)
		}
	}
}

// vector loads the 16 values that a field of the argument struct points to.
func (f *function) vector(off int) []*reg {
	v := f.vecs(quarters)
	f.loads(v, f.field(off), 0)
	return v
}

// pair loads two registers.
func (f *function) pair(p *reg, disp int) []*reg {
	v := f.vecs(2)
	f.loads(v, p, disp)
	return v
}

// affine generates y = [max 0] s*x + t [+ s2*r] over rows of pixels; with prelu, s2 is the slope
// below zero. x and r are of the element type.
func affine(e width, name string, scale, second, relu, prelu bool) {
	f := beginOf(e, name, "Affine", "maps rows of pixels; see %s.")
	x, y := f.field(spec.AffX), f.field(spec.AffY)
	var r, pr *reg
	if second {
		r = f.field(spec.AffR)
	}
	var cs, ct, cs2 []*reg
	if scale {
		cs, ct = f.vector(spec.AffS), f.vector(spec.AffT)
	}
	if second || prelu {
		cs2 = f.vector(spec.AffS2)
	}
	none := f.vec()
	if relu {
		f.zero(none)
	}
	if e.narrow && !relu {
		f.zero(none)
	}
	step, rows := f.strideOf(e, spec.AffXPixel), f.field(spec.AffRows)
	f.label("row")
	px, py, n := f.copyOf(x), f.copyOf(y), f.field(spec.AffPixels)
	if second {
		pr = f.copyOf(r)
	}
	f.label("pixel")
	for q := 0; q < quarters; q += 2 {
		v := f.values(e, none, px, 16*q)
		for i := range v {
			if scale {
				w := f.vec()
				f.copyTo(w, ct[q+i])
				f.into(fmla, w, v[i], cs[q+i])
				v[i] = w
			}
		}
		if second {
			for i, u := range f.values(e, none, pr, 16*q) {
				f.into(fmla, v[i], u, cs2[q+i])
			}
		}
		for i := range v {
			if relu {
				f.op(fmax, v[i], v[i], none) // a NaN comes through
			}
			if prelu {
				m, w := f.vec(), f.vec()
				f.op1(fcmle, m, v[i])
				f.op(fmul, w, v[i], cs2[q+i])
				f.into(bit, v[i], w, m)
			}
		}
		f.stores(v, py, 16*q)
	}
	f.add(px, px, step)
	f.next(py, 64)
	if second {
		f.add(pr, pr, step)
	}
	f.times(n, "pixel")
	f.advanceOf(e, spec.AffXRow, x)
	f.advance(spec.AffYRow, y)
	if second {
		f.advanceOf(e, spec.AffRRow, r)
	}
	f.times(rows, "row")
	f.end()
}

// sums are the two sums of each channel, in registers.
type sums struct{ s1, s2 []*reg }

// newSums starts n sets of sums at 0.
func (f *function) newSums(n int) sums {
	s := sums{f.vecs(n * quarters), f.vecs(n * quarters)}
	for i := range s.s1 {
		f.zero(s.s1[i])
		f.zero(s.s2[i])
	}
	return s
}

// addTo adds the first set of sums to the vectors that two fields point to.
func (s sums) addTo(f *function, off1, off2 int) {
	for _, to := range []struct {
		v   []*reg
		off int
	}{{s.s1[:quarters], off1}, {s.s2[:quarters], off2}} {
		p := f.field(to.off)
		for q := 0; q < quarters; q += 2 {
			for i, old := range f.pair(p, 16*q) {
				f.op(fadd, to.v[q+i], to.v[q+i], old)
			}
		}
		f.stores(to.v, p, 0)
	}
}

// moments generates the sums of x-k and (x-k)² over pixels, in two sets, because one would wait for
// its own additions. With narrow elements x is rounded and written first.
func moments(e width) {
	f := beginOf(e, "moments", "Moments", "adds shifted first and second moments over pixels; see %s.")
	x, n, k := f.field(spec.MomX), f.field(spec.MomPixels), f.vector(spec.MomShift)
	var to rounding
	if e.narrow {
		to = f.newRounding(f.field(spec.MomY))
	}
	s := f.newSums(2)
	pixel := func(set int) {
		for q := 0; q < quarters; q += 2 {
			values := f.pair(x, set*64+16*q)
			if e.narrow {
				values = to.store(f, values, set*64+16*q)
			}
			for i, v := range values {
				at := set*quarters + q + i
				f.op(fsub, v, v, k[q+i])
				f.op(fadd, s.s1[at], s.s1[at], v)
				f.into(fmla, s.s2[at], v, v)
			}
		}
	}
	f.subs(n, 2)
	f.branch("lt", "last")
	f.label("two")
	pixel(0)
	pixel(1)
	f.next(x, 128)
	if e.narrow {
		f.next(to.p, e.bytes(128))
	}
	f.subs(n, 2)
	f.branch("ge", "two")
	f.label("last")
	f.next(n, 2)
	f.ifZero(n, "done")
	pixel(0)
	f.label("done")
	for q := range quarters {
		f.op(fadd, s.s1[q], s.s1[q], s.s1[quarters+q])
		f.op(fadd, s.s2[q], s.s2[q], s.s2[quarters+q])
	}
	s.addTo(f, spec.MomS1, spec.MomS2)
	f.end()
}

// mask generates g = (d [+ r]) where the mask holds, and adds Σg and Σg·(z-mean). By slope, what z
// closes is multiplied by s, and the second sum is that of (d [+ r])·z where it is. All but d are
// of the element type.
func mask(e width, by string, addend bool) {
	name := "mask" + by
	if addend {
		name += "Add"
	}
	f := beginOf(e, name, "Mask", "gates a gradient and adds its sums; see %s.")
	pd, pz, pg, n := f.field(spec.MaskD), f.field(spec.MaskZ), f.field(spec.MaskG), f.field(spec.MaskPixels)
	pointers := []*reg{pz, pg}
	var pr, pm *reg
	if addend {
		pr = f.field(spec.MaskR)
		pointers = append(pointers, pr)
	}
	if by == "ByY" {
		pm = f.field(spec.MaskM)
		pointers = append(pointers, pm)
	}
	var mean, cs, ct []*reg
	switch by {
	case "ByZ":
		cs, ct = f.vector(spec.MaskS), f.vector(spec.MaskT)
	case "Slope":
		cs = f.vector(spec.MaskS)
	}
	if by != "Slope" {
		mean = f.vector(spec.MaskMean)
	}
	none := f.vec()
	var to rounding
	if e.narrow {
		to = f.newRounding(pg)
		none = to.none
	}
	s := f.newSums(1)
	f.label("pixel")
	for q := 0; q < quarters; q += 2 {
		g := f.pair(pd, 16*q)
		if addend {
			for i, r := range f.values(e, none, pr, 16*q) {
				f.op(fadd, g[i], g[i], r)
			}
		}
		z := f.values(e, none, pz, 16*q)
		var gate []*reg
		if by == "ByY" {
			gate = f.values(e, none, pm, 16*q)
		}
		shut := func(i int) {
			at, closed := q+i, f.vec()
			switch by {
			case "Slope":
				w := f.vec()
				f.op1(fcmle, closed, z[i])
				f.op(and, z[i], z[i], closed)
				f.into(fmla, s.s2[at], g[i], z[i])
				f.op(fmul, w, g[i], cs[at])
				f.into(bit, g[i], w, closed)
			case "ByZ":
				t := f.vec()
				f.copyTo(t, ct[at])
				f.into(fmla, t, z[i], cs[at])
				f.op1(fcmle, closed, t)
				f.op(bic, g[i], g[i], closed) // a NaN is not <= 0 and keeps its gradient
			case "ByY":
				f.op1(fcmle, closed, gate[i])
				f.op(bic, g[i], g[i], closed)
			}
		}
		add := func(i int) {
			at := q + i
			f.op(fadd, s.s1[at], s.s1[at], g[i])
			if by != "Slope" {
				f.op(fsub, z[i], z[i], mean[at])
				f.into(fmla, s.s2[at], g[i], z[i])
			}
		}
		if e.narrow {
			shut(0)
			shut(1)
			g = to.store(f, g, 16*q)
			add(0)
			add(1)
			continue
		}
		for i := range g {
			shut(i)
			add(i)
		}
		f.stores(g, pg, 16*q)
	}
	f.next(pd, 64)
	for _, p := range pointers {
		f.next(p, e.bytes(64))
	}
	f.times(n, "pixel")
	s.addTo(f, spec.MaskS1, spec.MaskS2)
	f.end()
}
