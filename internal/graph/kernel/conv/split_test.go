package conv

import "testing"

// A strip has the rows of a part of its image, where these make up the image without a rest.
func TestStripsAreOfWideMapsAndPointwiseConvolutions(t *testing.T) {
	wide := Shape{C: 64, K: 256, H: 56, W: 56, R: 1, S: 1, Stride: 1}
	for name, c := range map[string]struct {
		edit func(*Shape)
		rows int // 0: no strip
	}{
		"as it is":           {func(*Shape) {}, 8}, // parts of 9 rows at most are seven of 8
		"half as wide":       {func(s *Shape) { s.H, s.W = 28, 28 }, 14},
		"in one part":        {func(s *Shape) { s.H, s.W = 14, 14 }, 0},
		"with a rest":        {func(s *Shape) { s.H = 55 }, 0},
		"3x3":                {func(s *Shape) { s.R, s.S, s.PadH, s.PadW = 3, 3, 1, 1 }, 0},
		"strided":            {func(s *Shape) { s.Stride = 2 }, 0},
		"strided in columns": {func(s *Shape) { s.StrideW = 2 }, 0},
		"padded":             {func(s *Shape) { s.End = 1 }, 0},
		"in groups":          {func(s *Shape) { s.Groups = 4 }, 0},
		"few values":         {func(s *Shape) { s.C, s.K = 16, 16 }, 0},
	} {
		s := wide
		c.edit(&s)
		if s.End > 0 {
			s.R, s.S = 2, 2
		}
		a := Direct
		if s.Groups > 1 {
			a = Grouped
		}
		strip, ok := NewStrip(s, NewForward(s, a), 200_000)
		if ok != (c.rows > 0) || ok && strip.H != c.rows {
			t.Errorf("%s: %v, %v, want %d rows", name, strip, ok, c.rows)
		}
		if strip.H = s.H; strip != s {
			t.Errorf("%s: %v, want the shape of %v but for the rows", name, strip, s)
		}
	}
}
