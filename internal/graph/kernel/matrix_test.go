package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// withReferenceMatrices lets plain Go take any number of rows for the duration of a call: its loops
// are written for it.
func withReferenceMatrices(n int, f func()) {
	dot, rows := generic.dot, generic.rows
	defer func() { generic.dot, generic.rows = dot, rows }()
	generic.dot, generic.rows = [2][]func(*DotTile){make([]func(*DotTile), 1), make([]func(*DotTile), 1)}, make([]func(*RowTile), 1)
	for i := 1; i <= n; i++ {
		generic.dot[0], generic.dot[1] = append(generic.dot[0], genericDot(i, 1)), append(generic.dot[1], genericDot(i, dotWeights))
		generic.rows = append(generic.rows, genericRows(i))
	}
	reference(f)
}

func TestDotTile(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(21, 1))
		for ni := 1; ni <= DotRows(); ni++ {
			for _, nj := range []int{1, dotWeights} {
				for _, length := range []int{16, 48, 160} {
					x, w, y := newArena(rng, (ni-1)*(length+3)+length), newArena(rng, (nj-1)*(length+5)+length), newArena(rng, (ni-1)*7+nj)
					want := y.copy()
					run := func(y arena) {
						(&DotTile{X: x.data(), W: w.data(), Y: y.data(), XRow: length + 3, WRow: length + 5, YRow: 7, Len: length}).Run(ni, nj)
					}
					run(y)
					withReferenceMatrices(ni, func() { run(want) })
					same(t, fmt.Sprintf("%d by %d rows of %d", ni, nj, length), y.data(), want.data(), 2e-5)
					y.checkGuards(t)
				}
			}
		}
	})
}

func TestRowTile(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(22, 1))
		for ni := 1; ni <= Rows(); ni++ {
			for vecs := 1; vecs <= 5; vecs++ {
				for _, inner := range []int{1, 2, 9} {
					for load := range 2 {
						row := vecs*16 + 5
						a, x, y := newArena(rng, (ni-1)*2+(inner-1)*11+1), newArena(rng, (inner-1)*row+vecs*16), newArena(rng, (ni-1)*row+vecs*16)
						want := y.copy()
						run := func(y arena) {
							(&RowTile{A: a.data(), X: x.data(), Y: y.data(), ARow: 2, ACol: 11, XRow: row, YRow: row, Inner: inner, Vecs: vecs, Load: load}).Run(ni)
						}
						run(y)
						withReferenceMatrices(ni, func() { run(want) })
						same(t, fmt.Sprintf("%d rows of %d vectors, %d summands", ni, vecs, inner), y.data(), want.data(), 1e-5)
						y.checkGuards(t)
					}
				}
			}
		}
	})
}

// TestMatrixProductsOfAnySize compares the products that cut rows and columns into tiles with three
// loops.
func TestMatrixProductsOfAnySize(t *testing.T) {
	best := Active()
	defer func() { _ = Use(best) }()
	for _, isa := range Available() {
		if err := Use(isa); err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(23, 1))
		for _, n := range []int{1, 2, 7, 13, 17} {
			for _, k := range []int{1, 4, 10} {
				for _, c := range []int{3, 16, 50, dotChunk + 35} {
					x, w, y := newArena(rng, n*c), newArena(rng, k*c), newArena(rng, n*k)
					want := append([]float32(nil), y.data()...)
					for i := range n {
						for j := range k {
							for l := range c {
								want[i*k+j] += x.data()[i*c+l] * w.data()[j*c+l]
							}
						}
					}
					(&DotTile{X: x.data(), W: w.data(), Y: y.data(), XRow: c, WRow: c, YRow: k, Len: c}).RunAll(n, k)
					same(t, fmt.Sprintf("%s: %d by %d rows of %d", isa, n, k, c), y.data(), want, 2e-4)
					for load := range 2 {
						out := newArena(rng, n*c)
						sums := make([]float32, n*c)
						for i := range n {
							for l := range c {
								if load != 0 {
									sums[i*c+l] = out.data()[i*c+l]
								}
								for j := range k {
									sums[i*c+l] += y.data()[i*k+j] * w.data()[j*c+l]
								}
							}
						}
						(&RowTile{A: y.data(), X: w.data(), Y: out.data(), ARow: k, ACol: 1, XRow: c, YRow: c, Inner: k, Load: load}).RunAll(n, c)
						same(t, fmt.Sprintf("%s: %d rows of %d, %d summands", isa, n, c, k), out.data(), sums, 1e-3)
						out.checkGuards(t)
					}
					y.checkGuards(t)
				}
			}
		}
	}
}

// BenchmarkDots and BenchmarkRows run the two products of VGG's second fully connected layer for 16
// images, on one core.
func BenchmarkDots(b *testing.B) {
	benchmarkMatrix(b, func(x, w, y []float32) {
		(&DotTile{X: x, W: w, Y: y, XRow: 4096, WRow: 4096, YRow: 4096, Len: 4096}).RunAll(16, 4096)
	})
}

func BenchmarkRows(b *testing.B) {
	benchmarkMatrix(b, func(x, w, y []float32) {
		(&RowTile{A: y, X: w, Y: x, ARow: 4096, ACol: 1, XRow: 4096, YRow: 4096, Inner: 4096}).RunAll(16, 4096)
	})
}

func benchmarkMatrix(b *testing.B, f func(x, w, y []float32)) {
	x, w, y := Alloc(16*4096), Alloc(4096*4096), Alloc(16*4096)
	for i := range w {
		w[i] = float32(i%7-3) / 64
	}
	for b.Loop() {
		f(x, w, y)
	}
	b.ReportMetric(2*16*4096*4096*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
