package main

import "resnet/internal/graph/kernel/_asm/spec"

func pooling() {
	windowMax()
	windowGrad()
	windowSum()
	windowSpread()
}

// windowMax generates the largest value of each window.
func windowMax() {
	f := begin("windowMax", "Window", "takes the largest value of each window; see Window.")
	x, y, pixels, step := f.field(spec.WinX), f.field(spec.WinY), f.field(spec.WinPixels), f.stride(spec.WinXPixel)
	f.label("pixel")
	taps, n, best := f.field(spec.WinTaps), f.field(spec.WinTapsLen), f.vecs(quarters)
	f.loads(best, f.tap(taps, x), 0)
	f.subs(n, 1)
	f.branch("eq", "store")
	f.label("tap")
	at, v := f.tap(taps, x), f.vecs(quarters)
	f.loads(v, at, 0)
	for q := range v {
		f.op(fmax, best[q], best[q], v[q]) // of a number and a NaN the NaN
	}
	f.times(n, "tap")
	f.label("store")
	f.stores(best, y, 0)
	f.add(x, x, step)
	f.next(y, 64)
	f.times(pixels, "pixel")
	f.end()
}

// windowGrad generates the derivative: what is left of d goes to the taps that hold the largest
// value, the first one alone.
func windowGrad() {
	f := begin("windowGrad", "Window", "adds each D to where its window's largest value came from; see Window.")
	x, dx, y, d := f.field(spec.WinX), f.field(spec.WinDX), f.field(spec.WinY), f.field(spec.WinD)
	pixels, step := f.field(spec.WinPixels), f.stride(spec.WinXPixel)
	f.label("pixel")
	top, left, number := f.vecs(quarters), f.vecs(quarters), f.vecs(quarters)
	f.loads(top, y, 0)
	f.loads(left, d, 0)
	for q := range top {
		f.op(fcmeq, number[q], top[q], top[q])
	}
	taps, n := f.field(spec.WinTaps), f.field(spec.WinTapsLen)
	f.label("tap")
	from, to := f.gp(), f.gp()
	f.wordAt(from, taps, 0)
	f.next(taps, 8)
	f.addFloats(to, dx, from)
	f.addFloats(from, x, from)
	v, sum := f.vecs(quarters), f.vecs(quarters)
	f.loads(v, from, 0)
	f.loads(sum, to, 0)
	for q := range v {
		hit, g := v[q], f.vec()
		f.op(fcmeq, hit, v[q], top[q])
		f.op(orn, hit, hit, number[q]) // a NaN's gradient goes to the first tap
		f.op(and, g, left[q], hit)
		f.op(bic, left[q], left[q], hit)
		f.op(fadd, sum[q], sum[q], g)
	}
	f.stores(sum, to, 0)
	f.times(n, "tap")
	f.add(x, x, step)
	f.add(dx, dx, step)
	f.next(y, 64)
	f.next(d, 64)
	f.times(pixels, "pixel")
	f.end()
}

// windowSum generates the sum of each window times a factor.
func windowSum() {
	f := begin("windowSum", "Window", "takes the sum of each window times a factor; see Window.")
	x, y, pixels, step := f.field(spec.WinX), f.field(spec.WinY), f.field(spec.WinPixels), f.stride(spec.WinXPixel)
	scale := f.vec()
	f.load(sizeS, scale, f.a, spec.WinScale)
	f.label("pixel")
	taps, n, sum := f.field(spec.WinTaps), f.field(spec.WinTapsLen), f.vecs(quarters)
	for _, v := range sum {
		f.zero(v)
	}
	f.label("tap")
	at, v := f.tap(taps, x), f.vecs(quarters)
	f.loads(v, at, 0)
	for q := range v {
		f.op(fadd, sum[q], sum[q], v[q])
	}
	f.times(n, "tap")
	for _, v := range sum {
		f.lane(fmulLane, v, v, scale, 0)
	}
	f.stores(sum, y, 0)
	f.add(x, x, step)
	f.next(y, 64)
	f.times(pixels, "pixel")
	f.end()
}

// windowSpread generates its derivative: d times the factor is added at every tap.
func windowSpread() {
	f := begin("windowSpread", "Window", "adds each D times a factor to all of its window; see Window.")
	dx, d, pixels, step := f.field(spec.WinDX), f.field(spec.WinD), f.field(spec.WinPixels), f.stride(spec.WinXPixel)
	scale := f.vec()
	f.load(sizeS, scale, f.a, spec.WinScale)
	f.label("pixel")
	taps, n, part := f.field(spec.WinTaps), f.field(spec.WinTapsLen), f.vecs(quarters)
	f.loads(part, d, 0)
	for _, v := range part {
		f.lane(fmulLane, v, v, scale, 0)
	}
	f.label("tap")
	to, v := f.tap(taps, dx), f.vecs(quarters)
	f.loads(v, to, 0)
	for q := range v {
		f.op(fadd, v[q], v[q], part[q])
	}
	f.stores(v, to, 0)
	f.times(n, "tap")
	f.add(dx, dx, step)
	f.next(d, 64)
	f.times(pixels, "pixel")
	f.end()
}
