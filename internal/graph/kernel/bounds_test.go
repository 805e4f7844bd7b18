package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// call is one use of a kernel on slices that end with the last value that its arguments name, each
// between guard words that are NaN: a read past the end shows in the result, a write past the end
// in a guard.
type call struct {
	rng     *rand.Rand
	run     func()
	slices  []*[]float32
	strides []*int
	arenas  []arena
}

// at places n random values in one of the arguments.
func (c *call) at(p *[]float32, n int) {
	a := newArena(c.rng, n)
	*p, c.slices, c.arenas = a.data(), append(c.slices, p), append(c.arenas, a)
}

// calls makes a call of every kernel that the active implementation has. The sizes are written out
// from the doc comments.
func calls(seed uint64) map[string]*call {
	out := map[string]*call{}
	begin := func(name string) *call {
		out[name] = &call{rng: rand.New(rand.NewPCG(seed, 3))}
		return out[name]
	}
	for nb := 1; nb <= 2 && MaxStrip(nb) > 0; nb++ {
		c := begin([]string{"tile", "tile of two blocks"}[nb-1])
		t := &Tile{Taps: []int{32, 0, 16}, In: 5, Rows: 2, XRow: 80, YRow: 70, YPixel: 16, Planes: 2, XPlane: 200, WPlane: 240, YPlane: 160}
		c.strides = []*int{&t.XRow, &t.YRow, &t.YPixel, &t.XPlane, &t.WPlane, &t.YPlane}
		if nb == 2 {
			t.W2, t.Y2 = 500, 400
			c.strides = append(c.strides, &t.W2, &t.Y2)
		}
		c.at(&t.X, 200+80+32+2*16+5)
		c.at(&t.W, 240+t.W2+3*5*16)
		c.at(&t.Y, 160+70+2*16+t.Y2+16)
		c.run = func() { t.Run(3, nb) }
	}
	for _, size := range []gradSize{{3, 1}, {16, 1}, {8, 2}} {
		if active.grad[size] == nil {
			continue
		}
		c := begin([]string{"gradient tile", "gradient tile of two blocks"}[size.nb-1])
		g := &GradTile{Taps: []int{16, 48, 0}, Pixels: 3, Rows: 2, XRow: 64, DYRow: 48, DYPlane: 10, DWTap: 256}
		c.strides = []*int{&g.XRow, &g.DYRow, &g.DYPlane, &g.DWTap}
		if size.nb == 2 {
			g.DY2, g.DW2 = 130, 1000
			c.strides = append(c.strides, &g.DY2, &g.DW2)
		}
		c.at(&g.X, 48+64+2*16+size.ni)
		c.at(&g.DY, 2*10+48+2*16+g.DY2+16)
		c.at(&g.DW, 2*256+g.DW2+size.ni*16)
		c.run = func() { g.Run(size.ni, size.nb) }
	}
	for _, g := range []int{4, 8} {
		c := begin(fmt.Sprintf("groups of %d", g))
		t := &GroupTile{Taps: []int{32, 0, 16}, Rows: 2, XRow: 80, YRow: 70, YPixel: 16}
		c.strides = []*int{&t.XRow, &t.YRow, &t.YPixel}
		c.at(&t.X, 80+32+3*16)
		c.at(&t.W, 3*g*16)
		c.at(&t.Y, 70+2*16+16)
		c.run = func() { t.Run(3, g) }
		d := begin(fmt.Sprintf("gradient in groups of %d", g))
		grad := &GroupGrad{Taps: []int{16, 48, 0, 32}, Pixels: 3, Rows: 2, XRow: 64, DYRow: 48}
		d.strides = []*int{&grad.XRow, &grad.DYRow}
		d.at(&grad.X, 48+64+3*16)
		d.at(&grad.DY, 48+3*16)
		d.at(&grad.DW, 4*g*16)
		d.run = func() { grad.Run(g) }
	}
	const planes, filters = 35*80 + 4*16, 4 * 144
	images := func(side int) int { return 650 + (side-1)*160 + 64 + side*16 }
	for name, k := range map[string]struct {
		run      func(*Transform)
		src, dst int
	}{
		"input": {(*Transform).Input, images(6), planes}, "spread": {(*Transform).Spread, images(4), planes},
		"output": {(*Transform).Output, planes, images(4)}, "filter": {(*Transform).Filter, filters, planes},
		"gather": {(*Transform).Gather, planes, filters},
	} {
		c := begin(name)
		t := &Transform{SrcRow: 160, Plane: 80, Tiles: 2, Rows: 2, Step: 650}
		c.strides = []*int{&t.SrcRow, &t.Plane, &t.Step}
		c.at(&t.Src, k.src)
		c.at(&t.Dst, k.dst)
		c.run = func() { k.run(t) }
	}
	for name, run := range map[string]func(*Affine){
		"copy": (*Affine).Copy, "map": func(a *Affine) { a.Map(false) }, "map and rectify": func(a *Affine) { a.Map(true) },
		"map and PReLU": (*Affine).MapPReLU, "map two": func(a *Affine) { a.Map2(false) }, "map two and rectify": func(a *Affine) { a.Map2(true) },
	} {
		c := begin(name)
		a := &Affine{Pixels: 3, Rows: 2, XRow: 100, YRow: 60, XPixel: 32, S: c.vec(), T: c.vec(), S2: c.vec()}
		c.strides = []*int{&a.XRow, &a.YRow, &a.XPixel}
		c.at(&a.X, 100+2*32+16)
		c.at(&a.Y, 60+3*16)
		if name == "map two" || name == "map two and rectify" {
			a.RRow, c.strides = 110, append(c.strides, &a.RRow)
			c.at(&a.R, 110+2*32+16)
		}
		c.run = func() { run(a) }
	}
	win := &Window{Taps: []int{16, 0, 80}, Pixels: 3, XPixel: 32}
	c := begin("window")
	c.strides = []*int{&win.XPixel}
	c.at(&win.X, 80+2*32+16)
	c.at(&win.Y, 48)
	c.run = win.Max
	grad := &Window{Taps: []int{16, 0, 80}, Pixels: 3, XPixel: 32}
	c = begin("window gradient")
	c.strides = []*int{&grad.XPixel}
	c.at(&grad.X, 80+2*32+16)
	c.at(&grad.DX, 80+2*32+16)
	c.at(&grad.Y, 48)
	c.at(&grad.D, 48)
	c.run = grad.MaxGrad
	sum := &Window{Taps: []int{16, 0, 80}, Pixels: 3, XPixel: 32, Scale: 0.5}
	c = begin("window sum")
	c.strides = []*int{&sum.XPixel}
	c.at(&sum.X, 80+2*32+16)
	c.at(&sum.Y, 48)
	c.run = sum.Sum
	spread := &Window{Taps: []int{16, 0, 80}, Pixels: 3, XPixel: 32, Scale: 0.5}
	c = begin("window spread")
	c.strides = []*int{&spread.XPixel}
	c.at(&spread.DX, 80+2*32+16)
	c.at(&spread.D, 48)
	c.run = spread.Spread
	for _, nj := range []int{1, dotWeights} {
		c := begin(fmt.Sprintf("dot tile of %d", nj))
		t, ni := &DotTile{XRow: 40, WRow: 36, YRow: 9, Len: 32}, DotRows()
		c.strides = []*int{&t.XRow, &t.WRow, &t.YRow}
		c.at(&t.X, (ni-1)*40+32)
		c.at(&t.W, (nj-1)*36+32)
		c.at(&t.Y, (ni-1)*9+nj)
		c.run = func() { t.Run(ni, nj) }
	}
	for load := range 2 {
		c := begin(fmt.Sprintf("row tile, load %d", load))
		t, ni := &RowTile{ARow: 3, ACol: 40, XRow: 50, YRow: 60, Inner: 3, Vecs: 3, Load: load}, Rows()
		c.strides = []*int{&t.ARow, &t.ACol, &t.XRow, &t.YRow}
		c.at(&t.A, (ni-1)*3+2*40+1)
		c.at(&t.X, 2*50+48)
		c.at(&t.Y, (ni-1)*60+48)
		c.run = func() { t.Run(ni) }
	}
	resp := &Response{N: 48, K: 3}
	c = begin("response")
	for _, p := range []*[]float32{&resp.X, &resp.S, &resp.Y} {
		c.at(p, 48)
	}
	c.run = resp.Apply
	respGrad := &Response{N: 48, K: 3}
	c = begin("response gradient")
	for _, p := range []*[]float32{&respGrad.X, &respGrad.S, &respGrad.Y, &respGrad.D, &respGrad.T} {
		c.at(p, 48)
	}
	c.run = respGrad.Grad
	elu := &Activation{N: 48, Alpha: 0.7}
	c = begin("ELU")
	for _, p := range []*[]float32{&elu.X, &elu.Y} {
		c.at(p, 48)
	}
	c.run = elu.ELU
	eluGrad := &Activation{N: 48, Alpha: 0.7}
	c = begin("ELU gradient")
	for _, p := range []*[]float32{&eluGrad.X, &eluGrad.Y, &eluGrad.D} {
		c.at(p, 48)
	}
	c.run = eluGrad.ELUGrad
	for name, run := range map[string]func(*Activation){"sigmoid": (*Activation).Sigmoid, "tanh": (*Activation).Tanh, "exponential": (*Activation).ExpBelow} {
		a := &Activation{N: 48, Alpha: 100}
		c = begin(name)
		c.at(&a.X, 48)
		c.at(&a.Y, 48)
		c.run = func() { run(a) }
	}
	sigmoidGrad := &Activation{N: 48}
	c = begin("sigmoid gradient")
	for _, p := range []*[]float32{&sigmoidGrad.X, &sigmoidGrad.Y, &sigmoidGrad.D} {
		c.at(p, 48)
	}
	c.run = sigmoidGrad.SigmoidGrad
	c = begin("moments")
	m := &Moments{Pixels: 3, K: c.vec(), S1: c.vec(), S2: c.vec()}
	c.at(&m.X, 48)
	c.run = m.Run
	for by, name := range []string{"mask", "mask by z", "mask by y", "mask by slope"} {
		c := begin(name)
		g := &Mask{Pixels: 3, S: c.vec(), T: c.vec(), Mean: c.vec(), S1: c.vec(), S2: c.vec()}
		for _, p := range []*[]float32{&g.D, &g.R, &g.Z, &g.G} {
			c.at(p, 48)
		}
		if MaskBy(by) == MaskY {
			c.at(&g.Y, 48)
		}
		c.run = func() { g.Run(MaskBy(by)) }
	}
	return out
}

// vec is 16 values that are compared like a slice.
func (c *call) vec() *Vec {
	a := newArena(c.rng, 16)
	c.arenas = append(c.arenas, a)
	return (*Vec)(a.data())
}

func TestNothingPastTheEndIsReadOrWritten(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		for name, c := range calls(1) {
			c.run()
			for i, a := range c.arenas {
				a.checkGuards(t)
				for j, v := range a.data() {
					if math.IsNaN(float64(v)) {
						t.Errorf("%s: value %d of argument %d is NaN", name, j, i)
						break
					}
				}
			}
		}
	})
}

func TestShortSlicesAndNegativeStridesPanic(t *testing.T) {
	best := Active()
	defer func() { _ = Use(best) }()
	for _, isa := range Available() {
		if err := Use(isa); err != nil {
			t.Fatal(err)
		}
		for name := range calls(1) {
			c := calls(1)[name]
			c.run() // as it is, it fits
			for i, s := range c.slices {
				whole := *s
				*s = whole[: len(whole)-1 : len(whole)-1]
				if !panics(c.run) {
					t.Errorf("%s, %s: argument %d is one value short, and it ran", isa, name, i)
				}
				*s = whole
			}
			for i, s := range c.strides {
				old := *s
				*s = -16
				if !panics(c.run) {
					t.Errorf("%s, %s: stride %d is negative, and it ran", isa, name, i)
				}
				*s = old
			}
		}
		low := Tile{X: make([]float32, 64), W: make([]float32, 32), Y: make([]float32, 16), Taps: []int{16, -16}, In: 1, Rows: 1, Planes: 1}
		if !panics(func() { low.Run(1, 1) }) {
			t.Errorf("%s: a negative tap ran", isa)
		}
		grad := GradTile{X: make([]float32, 64), DY: make([]float32, 16), DW: make([]float32, 512), Taps: []int{16, -16}, Pixels: 1, Rows: 1, DWTap: 48}
		if !panics(func() { grad.Run(3, 1) }) {
			t.Errorf("%s: a negative tap of a gradient ran", isa)
		}
	}
}

// panics reports whether f panics with one of the checks' messages and not with a fault.
func panics(f func()) (yes bool) {
	defer func() { _, yes = recover().(string) }()
	f()
	return false
}

func TestGatesAndReLUAtTheEdges(t *testing.T) {
	best := Active()
	defer func() { _ = Use(best) }()
	nan, inf, minusZero := float32(math.NaN()), float32(math.Inf(1)), float32(math.Copysign(0, -1))
	values := Vec{nan, inf, -inf, 0, minusZero, math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, 1, -1}
	open := [16]bool{0: true, 1: true, 5: true, 7: true}
	for _, isa := range Available() {
		if err := Use(isa); err != nil {
			t.Fatal(err)
		}
		var one, none, d, s1, s2 Vec
		for i := range one {
			one[i], d[i] = 1, float32(i+1)
		}
		for _, by := range []MaskBy{MaskZ, MaskY} {
			var g, z Vec
			m := &Mask{D: d[:], Z: z[:], G: g[:], Pixels: 1, S: &one, T: &none, Mean: &none, S1: &s1, S2: &s2}
			if m.Y = values[:]; by == MaskZ {
				m.Z = values[:]
			}
			m.Run(by)
			for i := range g {
				want := float32(0)
				if open[i] {
					want = d[i]
				}
				if g[i] != want {
					t.Errorf("%s, mask %d: the gradient of input %g is %g, want %g", isa, by, values[i], g[i], want)
				}
			}
		}
		var y Vec
		(&Affine{X: values[:], Y: y[:], S: &one, T: &none, Pixels: 1, Rows: 1, XPixel: 16}).Map(true)
		for i, v := range y {
			switch {
			case i == 0 && !math.IsNaN(float64(v)):
				t.Errorf("%s: ReLU(NaN) = %g", isa, v)
			case i > 0 && open[i] && v != values[i], i > 0 && !open[i] && v != 0:
				t.Errorf("%s: ReLU(%g) = %g", isa, values[i], v)
			}
		}
	}
}

func TestAllocStartsOnACacheLine(t *testing.T) {
	for n := range 200 {
		s := Alloc(n)
		if len(s) != n || cap(s) != n {
			t.Fatalf("Alloc(%d) has %d values, capacity %d", n, len(s), cap(s))
		}
		if n > 0 && address(s)%64 != 0 {
			t.Errorf("Alloc(%d) begins at %#x", n, address(s))
		}
	}
}

// Rows or pixels that are none are left alone, whatever the other fields hold.
func TestNoRowsAndNoPixelsWriteNothing(t *testing.T) {
	best := Active()
	defer func() { _ = Use(best) }()
	for _, isa := range Available() {
		if err := Use(isa); err != nil {
			t.Fatal(err)
		}
		for name, run := range map[string]func(*Affine){
			"copy": (*Affine).Copy, "map": func(a *Affine) { a.Map(false) }, "map with ReLU": func(a *Affine) { a.Map(true) }, "map with PReLU": (*Affine).MapPReLU,
			"map of two": func(a *Affine) { a.Map2(false) }, "map of two with ReLU": func(a *Affine) { a.Map2(true) },
		} {
			for _, size := range [][2]int{{0, 1}, {1, 0}, {0, 0}, {-1, 1}, {1, -1}} {
				ones, y := make([]float32, 64), make([]float32, 64)
				for i := range ones {
					ones[i] = 1
				}
				v := Vec(ones[:16])
				run(&Affine{X: ones, R: ones, Y: y, S: &v, S2: &v, T: &v, Rows: size[0], Pixels: size[1], XRow: 16, RRow: 16, YRow: 16, XPixel: 16})
				for i := range y {
					if y[i] != 0 {
						t.Fatalf("%s, %s of %d rows of %d pixels: value %d became %g", isa, name, size[0], size[1], i, y[i])
					}
				}
			}
		}
	}
}
