package jpeg

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// frame is an image of noise in components of given sampling factors.
func frame(t testing.TB, w, h int, space Space, factors ...[2]int) *Image {
	t.Helper()
	body := []byte{8, byte(h >> 8), byte(h), byte(w >> 8), byte(w), byte(len(factors))}
	for i, f := range factors {
		body = append(body, byte(i+1), byte(f[0]<<4|f[1]), 0)
	}
	var head Header
	if err := head.frame(new(input), body); err != nil {
		t.Fatal(err)
	}
	head.Space = space
	m := new(Image)
	m.set(&head)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range m.planes {
		p := &m.planes[i]
		p.stride = p.w + 3
		p.pix = make([]byte, p.stride*p.h)
		for k := range p.pix {
			p.pix[k] = byte(r.Uint32())
		}
	}
	return m
}

// TestAPartOfARowIsThatOfTheWholeRow: where a row begins and ends changes no colour.
func TestAPartOfARowIsThatOfTheWholeRow(t *testing.T) {
	one := [2]int{1, 1}
	const w, h = 11, 5
	for _, m := range []*Image{
		frame(t, w, h, Grey, one),
		frame(t, w, h, YCbCr, one, one, one), frame(t, w, h, YCbCr, [2]int{2, 1}, one, one), frame(t, w, h, YCbCr, [2]int{2, 2}, one, one),
		frame(t, w, h, YCbCr, [2]int{1, 2}, one, one), frame(t, w, h, YCbCr, [2]int{4, 1}, one, one), frame(t, w, h, YCbCr, [2]int{2, 2}, [2]int{1, 2}, [2]int{2, 1}),
		frame(t, w, h, YCbCr, one, [2]int{2, 2}, one), frame(t, w, h, RGB, [2]int{2, 1}, one, one),
		frame(t, w, h, CMYK, [2]int{2, 2}, one, one, [2]int{2, 2}), frame(t, w, h, YCCK, one, one, one, one),
	} {
		whole, part := make([]byte, 3*w), make([]byte, 3*w)
		for y := range h {
			m.RGB(whole, y, 0, w)
			for x0 := range w {
				for x1 := x0 + 1; x1 <= w; x1++ {
					n := 3 * (x1 - x0)
					if m.RGB(part[:n], y, x0, x1); !bytes.Equal(part[:n], whole[3*x0:3*x1]) {
						t.Fatalf("%+v: row %d, pixels %d to %d: %v, in the whole row %v", m.planes, y, x0, x1, part[:n], whole[3*x0:3*x1])
					}
				}
			}
		}
	}
}

// TestHalvedSamplesAreInterpolated: three quarters of the nearest and one of the next, of which
// halves are rounded in turns.
func TestHalvedSamplesAreInterpolated(t *testing.T) {
	row := func(p plane, y, n int) []byte { return bytes.Clone(p.row(y, 0, n)) }
	column := func(p plane, n int) (out []byte) {
		for y := range n {
			out = append(out, p.row(y, 0, 1)[0])
		}
		return out
	}
	for name, c := range map[string]struct{ got, want []byte }{
		// 40/4; (30+13+2)/4, (39+10+1)/4; (39+30+2)/4, (90+13+1)/4; 120/4
		"across": {row(plane{pix: []byte{10, 13, 30}, stride: 3, w: 3, h: 1, spanX: 2, spanY: 1}, 0, 6), []byte{10, 11, 12, 17, 26, 30}},
		// (30+10+1)/4, (30+12+2)/4, (36+10+1)/4, (36+12+2)/4
		"down": {column(plane{pix: []byte{10, 12}, stride: 1, w: 1, h: 2, spanX: 1, spanY: 2}, 4), []byte{10, 11, 11, 12}},
		// Sums of the first row: 40, 52, 120; (160+8)/16, (120+52+7)/16, (156+40+8)/16,
		// (156+120+7)/16, (360+52+8)/16, (480+7)/16
		"both": {row(plane{pix: []byte{10, 13, 30, 99, 99, 99}, stride: 3, w: 3, h: 2, spanX: 2, spanY: 2}, 0, 6), []byte{10, 11, 12, 17, 26, 30}},
		// Sums of the second: 3·10+50, 3·13+51, 3·30+110.
		"both, second row": {row(plane{pix: []byte{10, 13, 30, 50, 51, 110}, stride: 3, w: 3, h: 2, spanX: 2, spanY: 2}, 1, 6), []byte{20, 21, 22, 29, 43, 50}},
		"two samples":      {row(plane{pix: []byte{10, 30}, stride: 2, w: 2, h: 1, spanX: 2, spanY: 1}, 0, 4), []byte{10, 10, 30, 30}},
		"quarters":         {row(plane{pix: []byte{10, 30, 90}, stride: 3, w: 3, h: 1, spanX: 4, spanY: 1}, 0, 9), []byte{10, 10, 10, 10, 30, 30, 30, 30, 90}},
	} {
		if !bytes.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
}

func TestMuchMoreRoomThanIsWantedIsLetGo(t *testing.T) {
	for have, kept := range map[int]bool{3 << 20: false, 1 << 20: true, 5: false} {
		s := make([]byte, have)
		got := room(s, 1000)
		if len(got) != 1000 || (&got[0] == &s[0]) != kept {
			t.Errorf("%d bytes of %d, kept: %v", len(got), have, &got[0] == &s[0])
		}
	}
}
