package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestGroupTile(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(11, 2))
		for _, g := range []int{4, 8} {
			for width := 1; width <= 2*groupStrip+3; width++ {
				for _, pixel := range []int{16, 32} {
					const rows, taps = 3, 5
					xRow, yRow := (width+2)*16, width*pixel
					x, w := newArena(rng, (rows+2)*xRow), newArena(rng, taps*g*16)
					y := newArena(rng, rows*yRow)
					want := y.copy()
					run := func(y arena) {
						tile := &GroupTile{
							X: x.data(), W: w.data(), Y: y.data(), Taps: []int{0, 16, xRow, xRow + 32, 2 * xRow}, Rows: rows,
							XRow: xRow, YRow: yRow, YPixel: pixel,
						}
						tile.RunWidth(width, g)
					}
					run(y)
					reference(func() { run(want) })
					same(t, fmt.Sprintf("groups of %d, width %d, pixels %d apart", g, width, pixel), y.data(), want.data(), 1e-5)
					y.checkGuards(t)
				}
			}
		}
	})
}

func TestGroupGrad(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(12, 2))
		for _, g := range []int{4, 8} {
			for _, pixels := range []int{1, 2, 7, 8, 33} {
				for n := 1; n <= 7; n++ {
					const rows = 3
					xRow, dyRow := (pixels+1)*16, pixels*16+16
					taps := []int{0, 16, xRow, xRow + 16, 2 * xRow, 2*xRow + 16, 0}[:n]
					x, dy := newArena(rng, (rows+2)*xRow), newArena(rng, rows*dyRow)
					dw := newArena(rng, n*g*16)
					want := dw.copy()
					run := func(dw arena) {
						(&GroupGrad{X: x.data(), DY: dy.data(), DW: dw.data(), Taps: taps, Pixels: pixels, Rows: rows, XRow: xRow, DYRow: dyRow}).Run(g)
					}
					run(dw)
					reference(func() { run(want) })
					same(t, fmt.Sprintf("groups of %d, %d pixels, %d taps", g, pixels, n), dw.data(), want.data(), 3e-5)
					dw.checkGuards(t)
				}
			}
		}
	})
}
