package collective

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

// each runs f on every rank of a group of n goroutines and returns their errors.
func each(n int, f func(g Group) error) []error {
	errs := make([]error, n)
	var group sync.WaitGroup
	for i, g := range NewLocal(n) {
		group.Go(func() { errs[i] = f(g) })
	}
	group.Wait()
	return errs
}

func checkEach(t *testing.T, n int, f func(g Group) error) {
	t.Helper()
	for rank, err := range each(n, f) {
		if err != nil {
			t.Errorf("rank %d of %d: %v", rank, n, err)
		}
	}
}

func TestASumIsThatOfTheTreeOnAnyNumberOfRanks(t *testing.T) {
	const leaves, length = 8, 37
	r := rand.New(rand.NewPCG(2, 2))
	all := make([][]float32, leaves)
	for i := range all {
		all[i] = make([]float32, length)
		for j := range all[i] {
			all[i][j] = float32(r.NormFloat64())
		}
	}
	want := make([]float32, length)
	for j := range want {
		var column []float32
		for i := range all {
			column = append(column, all[i][j])
		}
		want[j] = tree(column, leaves)
	}
	for _, n := range []int{1, 2, 4, 8} {
		checkEach(t, n, func(g Group) error {
			s, count := NewSummer(g, Float32), leaves/n
			v := make([]float32, s.Padded(length))
			c := NewCounter(leaves)
			for range 3 { // its memory is used again
				for i := range count {
					copy(v, all[g.Rank()*count+i])
					c.Add(i, count, [][]float32{v[:length]})
				}
				if err := s.Sum(v); err != nil {
					return err
				}
				if !slices.Equal(v[:length], want) {
					return fmt.Errorf("another sum")
				}
			}
			return nil
		})
	}
}

func TestBFloat16RoundsToEightBits(t *testing.T) {
	for _, n := range []int{2, 4} {
		checkEach(t, n, func(g Group) error {
			s := NewSummer(g, BFloat16)
			v := []float32{1, 1 + 1./512, -3.14159, 0, 1e30, 0.1, 7, float32(g.Rank())}
			if err := s.Sum(v); err != nil {
				return err
			}
			ranks := float64(n * (n - 1) / 2)
			for i, want := range []float64{float64(n), float64(n), -3.14159 * float64(n), 0, 1e30 * float64(n), 0.1 * float64(n), 7 * float64(n), ranks} {
				if d := math.Abs(float64(v[i]) - want); d > math.Abs(want)/128 {
					return fmt.Errorf("value %d is %v, want %v", i, v[i], want)
				}
			}
			return nil
		})
	}
	v := []float32{1, 1 + 1./256, 1 + 3./256, float32(math.Inf(1)), float32(math.NaN()), -1.0000001}
	got := make([]uint16, len(v))
	narrow(got, v)
	// Halves go to the even neighbour.
	if want := []uint16{0x3f80, 0x3f80, 0x3f82, 0x7f80, 0x7fc0, 0xbf80}; !slices.Equal(got, want) {
		t.Errorf("%#x, want %#x", got, want)
	}
}

func TestEveryRankGivesAndTakesWhatItShould(t *testing.T) {
	for _, n := range []int{1, 2, 3, 5} {
		checkEach(t, n, func(g Group) error {
			for round := range 20 {
				own := bytes.Repeat([]byte{byte('a' + g.Rank())}, (g.Rank()*round)%7)
				all, err := Gather(g, own)
				if err != nil {
					return err
				}
				for k, got := range all {
					if want := bytes.Repeat([]byte{byte('a' + k)}, (k*round)%7); !bytes.Equal(got, want) {
						return fmt.Errorf("%q of rank %d, want %q", got, k, want)
					}
				}
				text := []byte("what rank 0 says")
				if g.Rank() != 0 {
					text = []byte("other")
				}
				if got, err := Share(g, text); err != nil || string(got) != "what rank 0 says" {
					return fmt.Errorf("%q: %w", got, err)
				}
				v := []float32{float32(g.Rank() + 1), -2}
				if err := ShareValues(g, v); err != nil || v[0] != 1 {
					return fmt.Errorf("%v: %w", v, err)
				}
				send, recv := make([]byte, 2*n), make([]byte, 2*n)
				for k := range n {
					send[2*k], send[2*k+1] = byte(g.Rank()), byte(k)
				}
				if err := errors.Join(g.AllToAll(send, recv), g.Barrier()); err != nil {
					return err
				}
				for k := range n {
					if recv[2*k] != byte(k) || recv[2*k+1] != byte(g.Rank()) {
						return fmt.Errorf("part %d is %v", k, recv[2*k:2*k+2])
					}
				}
			}
			return nil
		})
	}
}

func TestAnAbortEndsTheWaitOfAll(t *testing.T) {
	start := time.Now()
	errs := each(3, func(g Group) error {
		if g.Rank() == 1 {
			time.Sleep(10 * time.Millisecond)
			g.Abort(3)
			return nil
		}
		return g.Barrier()
	})
	if !errors.Is(errs[0], ErrAborted) || errs[1] != nil || !errors.Is(errs[2], ErrAborted) || time.Since(start) > 5*time.Second {
		t.Error(errs)
	}
}

func TestAnErrorThatAllHaveNamesNoRank(t *testing.T) {
	own := errors.New("no such file")
	for rank, err := range each(3, func(g Group) error { return Agree(g, Place{g.Rank(), 3, "a"}, nil, own) }) {
		if !errors.Is(err, own) || err.Error() != "no such file" {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
	errs := each(3, func(g Group) error {
		var err error
		if g.Rank() > 0 {
			err = fmt.Errorf("%w: %d", own, g.Rank())
		}
		return Agree(g, Place{g.Rank(), 3, "a"}, func(error) int { return 66 }, err)
	})
	for rank, err := range errs {
		var e *RankError
		if !errors.As(err, &e) || e.Code != 66 || errors.Is(err, own) != (rank == 1) || err.Error() != "rank 1 of 3 on a: no such file: 1" {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
	checkEach(t, 2, func(g Group) error { return Agree(g, Place{}, nil, nil) })
}
