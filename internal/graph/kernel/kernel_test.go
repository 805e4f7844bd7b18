package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// forEachImplementation runs f once for each instruction set of this CPU, with plain Go's turn left
// out: it is what the others are compared with.
func forEachImplementation(t *testing.T, f func(t *testing.T)) {
	best := Active()
	defer func() { _ = Use(best) }()
	ran := 0
	for _, name := range Available() {
		if name == generic.name {
			continue
		}
		ran++
		t.Run(name, func(t *testing.T) {
			if err := Use(name); err != nil {
				t.Fatal(err)
			}
			f(t)
		})
	}
	if ran == 0 {
		t.Skip("no assembly in this build or on this CPU")
	}
}

// reference runs f with plain Go.
func reference(f func()) {
	old := active
	active = generic
	defer func() { active = old }()
	f()
}

const guard = 37 // float32 values before and after; odd, so that the data is not aligned

// arena is a slice between guard words: NaN with a payload.
type arena struct{ all []float32 }

var guardBits = math.Float32frombits(0x7fc0beef)

func newArena(rng *rand.Rand, n int) arena {
	all := make([]float32, n+2*guard)
	for i := range all {
		all[i] = guardBits
	}
	a := arena{all}
	for i := range a.data() {
		a.data()[i] = rng.Float32()*2 - 1
	}
	return a
}

func (a arena) data() []float32 { return a.all[guard : len(a.all)-guard : len(a.all)-guard] }

func (a arena) copy() arena { return arena{append([]float32(nil), a.all...)} }

func (a arena) checkGuards(t *testing.T) {
	t.Helper()
	for i := range guard {
		for _, v := range []float32{a.all[i], a.all[len(a.all)-1-i]} {
			if math.Float32bits(v) != math.Float32bits(guardBits) {
				t.Fatalf("a guard word was overwritten")
			}
		}
	}
}

// same compares with an absolute tolerance: sums of n products of values in [-1, 1] differ by
// rounding in the order of n·2^-24.
func same(t *testing.T, what string, got, want []float32, tol float64) {
	t.Helper()
	for i := range want {
		g, w := float64(got[i]), float64(want[i])
		if math.IsNaN(g) != math.IsNaN(w) || math.Abs(g-w) > tol {
			t.Fatalf("%s: value %d is %g, plain Go has %g", what, i, g, w)
		}
	}
}

func TestTile(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		for nb := 1; nb <= 2; nb++ {
			for np := 1; np <= MaxStrip(nb); np++ {
				for _, in := range []int{1, 3, 16} {
					for _, pixel := range []int{16, 32} {
						const rows, planes, taps = 3, 2, 5
						xRow := (np + 2) * 16
						xPlane := (rows + 2) * xRow
						yRow := np * pixel
						yBlock := rows*yRow + 16
						wBlock := taps * in * 16
						x, w := newArena(rng, planes*xPlane), newArena(rng, planes*nb*wBlock)
						y := newArena(rng, planes*nb*yBlock)
						want := y.copy()
						run := func(y arena) {
							tile := &Tile{
								X: x.data(), W: w.data(), Y: y.data(), Taps: []int{0, 16, xRow, xRow + 32, 2 * xRow}, In: in, Rows: rows,
								XRow: xRow, YRow: yRow, YPixel: pixel, Planes: planes, XPlane: xPlane, WPlane: nb * wBlock, YPlane: nb * yBlock,
								W2: wBlock, Y2: yBlock,
							}
							if nb == 1 || active != generic {
								tile.Run(np, nb)
								return
							}
							for b := range nb { // plain Go has single blocks only
								one := *tile
								one.W, one.Y = one.W[b*wBlock:], one.Y[b*yBlock:]
								one.Run(np, 1)
							}
						}
						run(y)
						reference(func() { runReferenceTile(run, want, np) })
						same(t, fmt.Sprintf("np %d nb %d in %d pixel %d", np, nb, in, pixel), y.data(), want.data(), 1e-5)
						y.checkGuards(t)
					}
				}
			}
		}
	})
}

// Where an implementation does not say that sums alternate, a pixel has the bits that a strip of
// one gives it in every wider strip.
func TestStripsOfAnyWidthGiveAPixelItsBits(t *testing.T) {
	best := Active()
	defer func() { _ = Use(best) }()
	for _, im := range available {
		if err := Use(im.name); err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(7, 8))
		for nb, tiles := range im.tile {
			if im.alternates[nb] {
				continue
			}
			for np := 2; np < len(tiles); np++ {
				for _, in := range []int{1, 3, 7, 16} {
					const taps = 5
					block := taps * in * 16
					x, w := newArena(rng, (np+taps)*16), newArena(rng, nb*block)
					tile := Tile{Taps: []int{0, 16, 32, 48, 64}, In: in, Rows: 1, YPixel: 16, Planes: 1, W: w.data(), W2: block, Y2: np * 16}
					wide, one := newArena(rng, nb*np*16), newArena(rng, nb*np*16)
					tile.X, tile.Y = x.data(), wide.data()
					tile.Run(np, nb)
					for i := range np {
						tile.X, tile.Y = x.data()[i*16:], one.data()[i*16:]
						tile.Run(1, nb)
					}
					for i, v := range one.data() {
						if got := wide.data()[i]; math.Float32bits(got) != math.Float32bits(v) {
							t.Fatalf("%s: np %d nb %d in %d: value %d is %g, a strip of one has %g", im.name, np, nb, in, i, got, v)
						}
					}
				}
			}
		}
	}
}

// runReferenceTile extends plain Go's table for the duration of a call: its loop takes any strip.
func runReferenceTile(run func(arena), y arena, np int) {
	old := generic.tile[1]
	defer func() { generic.tile[1] = old }()
	fs := append([]func(*Tile){}, old...)
	for len(fs) <= np {
		fs = append(fs, genericTile(len(fs), 1))
	}
	generic.tile[1] = fs
	run(y)
}

func TestRunWidthAndRunFlatCoverEveryPixelOnce(t *testing.T) {
	best := Active()
	defer func() { _ = Use(best) }()
	rng := rand.New(rand.NewPCG(9, 2))
	for _, name := range Available() {
		if err := Use(name); err != nil {
			t.Fatal(err)
		}
		for width := 1; width <= 70; width++ {
			x, w := newArena(rng, width*16), newArena(rng, 256)
			y := newArena(rng, width*16)
			want := y.copy()
			for i := range width {
				for o := range 16 {
					var s float32
					for c := range 16 {
						s += x.data()[i*16+c] * w.data()[c*16+o]
					}
					want.data()[i*16+o] = s
				}
			}
			tile := &Tile{X: x.data(), W: w.data(), Y: y.data(), Taps: []int{0}, In: 16, Rows: 1, YPixel: 16, Planes: 1}
			tile.RunWidth(width, 1)
			same(t, fmt.Sprintf("%s width %d", name, width), y.data(), want.data(), 1e-5)
			clear(y.data())
			tile.RunFlat(width, 1)
			same(t, fmt.Sprintf("%s flat %d", name, width), y.data(), want.data(), 1e-5)
			y.checkGuards(t)
			apart := newArena(rng, width*48)
			tile.Y, tile.YPixel = apart.data(), 48
			tile.RunFlat(width, 1)
			for i := range width {
				same(t, fmt.Sprintf("%s flat %d apart, pixel %d", name, width, i), apart.data()[i*48:][:16], want.data()[i*16:][:16], 1e-5)
			}
			apart.checkGuards(t)
		}
	}
}

func TestGradTile(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(3, 4))
		for _, in := range []int{3, 16} {
			for ob := 1; ob <= 3; ob++ {
				for _, pixels := range []int{1, 2, 6, 7, 8, 33} {
					for _, dyPlane := range []int{0, 16} {
						const rows, taps = 3, 4
						xRow, dyRow := (pixels+1)*16, pixels*16+16
						dyBlock := rows*dyRow + 16*taps
						x, dy := newArena(rng, (rows+1)*xRow+16), newArena(rng, ob*dyBlock)
						dw := newArena(rng, ob*taps*256)
						want := dw.copy()
						run := func(dw arena) {
							g := &GradTile{
								X: x.data(), DY: dy.data(), DW: dw.data(), Taps: []int{0, 16, xRow, xRow + 16}, Pixels: pixels, Rows: rows,
								XRow: xRow, DYRow: dyRow, DYPlane: dyPlane, DWTap: 256, DY2: dyBlock, DW2: taps * 256,
							}
							g.RunBlock(in, ob)
						}
						run(dw)
						reference(func() { run(want) })
						same(t, fmt.Sprintf("in %d ob %d pixels %d", in, ob, pixels), dw.data(), want.data(), 3e-5)
						dw.checkGuards(t)
					}
				}
			}
		}
	})
}

func TestWinogradTransforms(t *testing.T) {
	kinds := map[string]struct {
		run      func(*Transform)
		src, dst func(tiles, row, plane int) int
	}{
		"input":  {(*Transform).Input, image(6, 6), planes},
		"spread": {(*Transform).Spread, image(4, 4), planes},
		"output": {(*Transform).Output, planes, image(4, 4)},
		"filter": {(*Transform).Filter, filters, planes},
		"gather": {(*Transform).Gather, planes, filters},
	}
	forEachImplementation(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(5, 6))
		for name, k := range kinds {
			for tiles := 1; tiles <= 9; tiles++ {
				rows := 1 + tiles%3
				if name == "filter" || name == "gather" {
					rows = 1
				}
				row, plane := (tiles*4+3)*16, rows*tiles*16+16
				step := 4*row + 16
				size := func(f func(tiles, row, plane int) int, image bool) int {
					if image {
						return f(tiles, row, plane) + (rows-1)*step
					}
					return f(rows*tiles, row, plane)
				}
				src := newArena(rng, size(k.src, name == "input" || name == "spread"))
				dst := newArena(rng, size(k.dst, name == "output"))
				want := dst.copy()
				k.run(&Transform{Src: src.data(), Dst: dst.data(), SrcRow: row, Plane: plane, Tiles: tiles, Rows: rows, Step: step})
				reference(func() {
					k.run(&Transform{Src: src.data(), Dst: want.data(), SrcRow: row, Plane: plane, Tiles: tiles, Rows: rows, Step: step})
				})
				// Values are up to 400.
				same(t, fmt.Sprintf("%s, %d tiles", name, tiles), dst.data(), want.data(), 1e-4)
				dst.checkGuards(t)
			}
		}
	})
}

func image(h, w int) func(tiles, row, plane int) int {
	return func(tiles, row, _ int) int { return (h-1)*row + (tiles-1)*64 + w*16 }
}

func planes(tiles, _, plane int) int { return 35*plane + tiles*16 }

func filters(tiles, _, _ int) int { return tiles * 144 }

func TestAffine(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(7, 8))
		for pixels := 1; pixels <= 11; pixels++ {
			for _, step := range []int{16, 32} {
				const rows = 3
				xRow, yRow := pixels*step+16, pixels*16+32
				rRow := xRow + 48
				x, r := newArena(rng, rows*xRow), newArena(rng, rows*rRow)
				x.data()[3] = float32(math.NaN())
				x.data()[5] = float32(math.Inf(-1))
				var s, u, s2 Vec
				for i := range s {
					s[i], u[i], s2[i] = rng.Float32()-.5, rng.Float32()-.5, rng.Float32()-.5
				}
				for kind := range 6 {
					y := newArena(rng, rows*yRow)
					want := y.copy()
					run := func(y arena) {
						a := &Affine{
							X: x.data(), R: r.data(), Y: y.data(), S: &s, T: &u, S2: &s2, Pixels: pixels, Rows: rows,
							XRow: xRow, RRow: rRow, YRow: yRow, XPixel: step,
						}
						switch kind {
						case 0:
							a.Copy()
						case 1, 2:
							a.Map(kind == 2)
						case 5:
							a.MapPReLU()
						default:
							a.Map2(kind == 4)
						}
					}
					run(y)
					reference(func() { run(want) })
					same(t, fmt.Sprintf("kind %d, %d pixels", kind, pixels), y.data(), want.data(), 1e-6)
					y.checkGuards(t)
				}
			}
		}
	})
}

func TestMomentsAndMask(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(11, 12))
		for pixels := 1; pixels <= 19; pixels++ {
			d, r, y, z := newArena(rng, pixels*16), newArena(rng, pixels*16), newArena(rng, pixels*16), newArena(rng, pixels*16)
			vecs := newArena(rng, 16*3)
			s, u, mean := (*Vec)(vecs.data()), (*Vec)(vecs.data()[16:]), (*Vec)(vecs.data()[32:])
			sums := newArena(rng, 32)
			want := sums.copy()
			run := func(a arena) {
				(&Moments{X: z.data(), Pixels: pixels, K: mean, S1: (*Vec)(a.data()), S2: (*Vec)(a.data()[16:])}).Run()
			}
			run(sums)
			reference(func() { run(want) })
			same(t, "moments", sums.data(), want.data(), 2e-5)
			sums.checkGuards(t)
			for by := MaskNone; by <= MaskSlope; by++ {
				for _, add := range []bool{false, true} {
					g, sums := newArena(rng, pixels*16), newArena(rng, 32)
					wantG, wantSums := g.copy(), sums.copy()
					run := func(g, a arena) {
						m := &Mask{
							D: d.data(), Y: y.data(), Z: z.data(), G: g.data(), S: s, T: u, Mean: mean,
							S1: (*Vec)(a.data()), S2: (*Vec)(a.data()[16:]), Pixels: pixels,
						}
						if add {
							m.R = r.data()
						}
						m.Run(by)
					}
					run(g, sums)
					reference(func() { run(wantG, wantSums) })
					same(t, "gated gradient", g.data(), wantG.data(), 1e-6)
					same(t, "its sums", sums.data(), wantSums.data(), 2e-5)
					g.checkGuards(t)
					sums.checkGuards(t)
				}
			}
		}
	})
}

func address(s []float32) uintptr { return uintptr(unsafe.Pointer(&s[0])) }

// TestArgumentOffsets pins what the generator in _asm assumes of the argument structs.
func TestArgumentOffsets(t *testing.T) {
	var (
		ti Tile
		gr GradTile
		tr Transform
		af Affine
		mo Moments
		ma Mask
		wi Window
		do DotTile
		ro RowTile
		re Response
		gt GroupTile
		gg GroupGrad
		ac Activation
	)
	for _, c := range []struct {
		name      string
		got, want uintptr
	}{
		{"Tile.Taps", unsafe.Offsetof(ti.Taps), 72},
		{"Tile.In", unsafe.Offsetof(ti.In), 96},
		{"Tile.Y2", unsafe.Offsetof(ti.Y2), 176},
		{"GradTile.Taps", unsafe.Offsetof(gr.Taps), 72},
		{"GradTile.Pixels", unsafe.Offsetof(gr.Pixels), 96},
		{"GradTile.DW2", unsafe.Offsetof(gr.DW2), 152},
		{"Transform.SrcRow", unsafe.Offsetof(tr.SrcRow), 48},
		{"Transform.Tiles", unsafe.Offsetof(tr.Tiles), 64},
		{"Transform.buf", unsafe.Offsetof(tr.buf), 88},
		{"Affine.S", unsafe.Offsetof(af.S), 72},
		{"Affine.XPixel", unsafe.Offsetof(af.XPixel), 136},
		{"Moments.Pixels", unsafe.Offsetof(mo.Pixels), 24},
		{"Moments.S2", unsafe.Offsetof(mo.S2), 48},
		{"Mask.S", unsafe.Offsetof(ma.S), 120},
		{"Mask.Pixels", unsafe.Offsetof(ma.Pixels), 160},
		{"Window.Taps", unsafe.Offsetof(wi.Taps), 96},
		{"Window.XPixel", unsafe.Offsetof(wi.XPixel), 128},
		{"Window.Scale", unsafe.Offsetof(wi.Scale), 136},
		{"DotTile.XRow", unsafe.Offsetof(do.XRow), 72},
		{"DotTile.Len", unsafe.Offsetof(do.Len), 96},
		{"Response.N", unsafe.Offsetof(re.N), 120},
		{"Response.K", unsafe.Offsetof(re.K), 128},
		{"Activation.N", unsafe.Offsetof(ac.N), 72},
		{"Activation.Alpha", unsafe.Offsetof(ac.Alpha), 80},
		{"GroupTile.Rows", unsafe.Offsetof(gt.Rows), 96},
		{"GroupTile.YPixel", unsafe.Offsetof(gt.YPixel), 120},
		{"GroupGrad.Pixels", unsafe.Offsetof(gg.Pixels), 96},
		{"GroupGrad.DYRow", unsafe.Offsetof(gg.DYRow), 120},
		{"RowTile.ARow", unsafe.Offsetof(ro.ARow), 72},
		{"RowTile.Load", unsafe.Offsetof(ro.Load), 120},
	} {
		if c.got != c.want {
			t.Errorf("%s is at byte %d, the assembly reads byte %d", c.name, c.got, c.want)
		}
	}
}
