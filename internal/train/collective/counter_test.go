package collective

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// tree is the sum of micro-batches [first, end) as the package's text says it, by recursion.
func tree(v []float32, n int) float32 {
	m := n
	for m%2 == 0 {
		m /= 2
	}
	var groups []float32
	for at := 0; at < n; at += m {
		groups = append(groups, counted(v[at:at+m]))
	}
	for len(groups) > 1 {
		var up []float32
		for i := 0; i < len(groups); i += 2 {
			up = append(up, groups[i]+groups[i+1])
		}
		groups = up
	}
	return groups[0]
}

// counted is a group's sum: the largest power of two from the left, and the rest.
func counted(v []float32) float32 {
	if len(v) == 1 {
		return v[0]
	}
	half := 1
	for 2*half < len(v) {
		half *= 2
	}
	return counted(v[:half]) + counted(v[half:])
}

func TestACounterAddsInTheOrderOfTheTree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	differs := 0
	for n := 1; n <= 40; n++ {
		leaves := make([]float32, n)
		for i := range leaves {
			leaves[i] = float32(r.NormFloat64())
		}
		var plain float32
		for _, x := range leaves {
			plain += x
		}
		want := tree(leaves, n)
		if want != plain {
			differs++
		}
		for workers := 1; n%workers == 0; workers *= 2 {
			count := n / workers
			var sums [][]float32
			for w := range workers {
				c := NewCounter(n)
				parts := [][]float32{{0}, {0, 0}}
				c.Add(0, count, parts) // of an update that is given up
				for i := range count {
					x := leaves[w*count+i]
					parts[0][0], parts[1][0], parts[1][1] = x, -x, 2*x
					c.Add(i, count, parts)
				}
				sums = append(sums, slices.Concat(parts...))
				if got := len(c.pending) + len(c.free); got > Copies(count, n)+1 {
					t.Errorf("%d of %d micro-batches: %d copies, said were %d", count, n, got, Copies(count, n))
				}
			}
			AddWorkers(sums)
			if got := sums[0]; got[0] != want || got[1] != -want || got[2] != 2*want {
				t.Errorf("%d micro-batches, %d workers: %v, want %v", n, workers, got, want)
			}
		}
	}
	if differs < 20 {
		t.Errorf("only %d sums show the order they were added in", differs)
	}
}

func TestACounterKeepsALogarithmOfCopies(t *testing.T) {
	for _, c := range []struct{ count, n, want int }{{1, 1, 0}, {2, 2, 1}, {8, 8, 3}, {2, 8, 1}, {1, 8, 0}, {32, 32, 5}, {3, 12, 1}, {12, 12, 3}, {7, 7, 2}} {
		if got := Copies(c.count, c.n); got != c.want {
			t.Errorf("%s: %d copies, want %d", fmt.Sprint(c.count, " of ", c.n), got, c.want)
		}
	}
}

func TestPartsOfTheLastMicroBatchMayComeInAnyOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, n := range []int{1, 2, 3, 6, 8, 12} {
		whole, parted := NewCounter(n), NewCounter(n)
		for range 2 { // its memory is used again
			a, b := [][]float32{make([]float32, 3), make([]float32, 2)}, [][]float32{make([]float32, 3), make([]float32, 2)}
			for i := range n {
				for p := range a {
					for j := range a[p] {
						a[p][j] = float32(r.NormFloat64())
					}
					copy(b[p], a[p])
				}
				whole.Add(i, n, a)
				if i < n-1 {
					parted.Add(i, n, b)
				}
			}
			parted.AddLast(3, b[1])
			parted.AddLast(0, b[0])
			parted.Done()
			if !slices.Equal(a[0], b[0]) || !slices.Equal(a[1], b[1]) {
				t.Errorf("%d micro-batches: %v, want %v", n, b, a)
			}
			if got := len(parted.free); got > Copies(n, n)+1 {
				t.Errorf("%d micro-batches: %d copies", n, got)
			}
		}
	}
}
