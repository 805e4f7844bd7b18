package conv

import (
	"math"
	"testing"
	"testing/synctest"
	"time"
)

func TestTimedCountsTheOperationsOfItsCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // with a clock that only a sleep moves
		calls := 0
		got := timed(1e6, 2, 25*time.Millisecond, func() {
			time.Sleep(10 * time.Millisecond)
			if calls++; calls == 1 { // the warm-up
				time.Sleep(time.Minute)
			}
		})
		// Each round has three calls: after two, 20 of its 25 ms are over.
		if calls != 7 || got != (Speed{1e8, 1e8, 1e8}) {
			t.Errorf("%d calls, %+v, want 1e8 operations a second", calls, got)
		}
	})
}

func TestMeasureTimesEveryPass(t *testing.T) {
	s := Shape{C: 16, K: 16, H: 8, W: 8, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1}
	for _, a := range []Algorithm{Direct, Winograd} {
		m := Measure(s, a, 2, 3, time.Millisecond)
		for name, v := range map[string]Speed{"forward": m.Forward, "data gradient": m.DataGrad, "weight gradient": m.Weights} {
			if !(v.Min > 0 && v.Min <= v.Median && v.Median <= v.Max) {
				t.Errorf("%v, %s: %+v", a, name, v)
			}
		}
	}
	if got := s.Operations(3); got != 3*2*16*16*9*64 {
		t.Errorf("%d operations of three images", got)
	}
	for i, v := range sampleData(100) {
		if v == 0 && i%7 != 3 || !(math.Abs(float64(v)) <= 1) {
			t.Errorf("value %d is %v", i, v)
		}
	}
}

func TestNeedsAreAddedInBytesAndJoinedByTheirMaxima(t *testing.T) {
	a, b := Need{V: 1, M: 20, Edge: 300, Out: 4000}, Need{V: 5, M: 6, Edge: 7, Out: 8000}
	if a.Bytes() != 4*4321 {
		t.Errorf("%d bytes, want %d", a.Bytes(), 4*4321)
	}
	if got := a.Max(b); got != (Need{5, 20, 300, 8000, 0}) {
		t.Errorf("%+v", got)
	}
	k := NewWork(a)
	if len(k.v) != 1 || len(k.m) != 20 || len(k.edge) != 300 || len(k.out) != 4000 {
		t.Errorf("buffers of %d, %d, %d and %d", len(k.v), len(k.m), len(k.edge), len(k.out))
	}
}

// Winograd serves 3x3 with stride 1 and whole blocks of channels; a few images with many weights
// are convolved directly.
func TestChoiceOfAlgorithms(t *testing.T) {
	deep := Shape{C: 256, K: 256, H: 14, W: 14, R: 3, S: 3, Stride: 1, PadH: 1, PadW: 1}
	for _, c := range []struct {
		edit func(*Shape)
		want Algorithm
	}{
		{func(*Shape) {}, Winograd},
		{func(s *Shape) { s.C, s.K = 16, 16 }, Winograd},
		{func(s *Shape) { s.C = 15 }, Direct},
		{func(s *Shape) { s.K = 15 }, Direct},
		{func(s *Shape) { s.Stride = 2 }, Direct},
		{func(s *Shape) { s.StrideW = 2 }, Direct},
		{func(s *Shape) { s.R = 5 }, Direct},
		{func(s *Shape) { s.S = 1 }, Direct},
		{func(s *Shape) { s.PadH = 3 }, Direct},
	} {
		s := deep
		c.edit(&s)
		if got := Choose(s); got != (Choices{c.want, c.want, c.want}) {
			t.Errorf("%v: %v, want %v", s, got, c.want)
		}
	}
	l := Limits{Weights: 36 * 256 * 256}
	small := deep
	small.H, small.W = 12, 12 // 9 tiles an image
	for _, c := range []struct {
		s    Shape
		a    Algorithm
		n    int
		want Algorithm
	}{
		{small, Winograd, 1, Direct}, {small, Winograd, 2, Winograd}, {deep, Winograd, 1, Winograd}, {small, Direct, 9, Direct},
	} {
		if got := ChooseFew(c.s, c.a, c.n, l); got != c.want {
			t.Errorf("%v, %d images, %v: %v, want %v", c.s, c.n, c.a, got, c.want)
		}
	}
	l.Weights++
	if got := ChooseFew(small, Winograd, 1, l); got != Winograd {
		t.Errorf("with few weights %v", got)
	}
}

func TestShapesCountAndPrint(t *testing.T) {
	s := Shape{C: 20, K: 40, H: 9, W: 11, R: 3, S: 5, Stride: 2, StrideW: 3, PadH: 1, PadW: 2}
	// (9+2-3)/2+1 = 5 rows, (11+4-5)/3+1 = 4 columns; channels in blocks of 16.
	if s.OH() != 5 || s.OW() != 4 || s.MACs() != 20*40*15*20 || s.InLen() != 32*99 || s.OutLen() != 48*20 || s.WeightLen() != 20*40*15 {
		t.Errorf("%d x %d, %d multiply-adds, %d, %d and %d values", s.OH(), s.OW(), s.MACs(), s.InLen(), s.OutLen(), s.WeightLen())
	}
	if got := s.String(); got != "20->40 9x11 kernel 3x5 stride 2x3" {
		t.Error(got)
	}
	if s.StrideW = 0; s.String() != "20->40 9x11 kernel 3x5 stride 2" || s.OW() != 6 {
		t.Errorf("%v, %d columns", s, s.OW())
	}
	if Direct.String() != "direct" || Winograd.String() != "winograd" {
		t.Errorf("%v, %v", Direct, Winograd)
	}
}

// Padding has to be smaller than the kernel, and there has to be an output.
func TestSupportedShapes(t *testing.T) {
	base := Shape{C: 1, K: 1, H: 4, W: 4, R: 3, S: 3, Stride: 1, PadH: 2, PadW: 2}
	for _, c := range []struct {
		edit func(*Shape)
		want bool
	}{
		{func(*Shape) {}, true},
		{func(s *Shape) { s.PadH = 3 }, false},
		{func(s *Shape) { s.PadW = 3 }, false},
		{func(s *Shape) { s.H, s.PadH = 2, 0 }, false},
		{func(s *Shape) { s.W, s.PadW = 2, 0 }, false},
		{func(s *Shape) { s.H, s.W, s.PadH, s.PadW = 3, 3, 0, 0 }, true},
	} {
		s := base
		c.edit(&s)
		if s.Supported() != c.want {
			t.Errorf("%v, padding %d and %d: %v", s, s.PadH, s.PadW, !c.want)
		}
	}
}
