package report

import (
	"image/color"
	"math"
	"testing"
)

func TestAHeatIsBetweenItsPositions(t *testing.T) {
	m := []float32{0, 4, 8, 12}
	for _, c := range []struct{ x, y, want float64 }{
		{0.25, 0.25, 0}, {0.75, 0.25, 4}, {0.25, 0.75, 8}, {0.5, 0.5, 6}, {0.5, 0.25, 2}, {0, 0, 0}, {1, 1, 12}, {0.25, 0.5, 4},
	} {
		if got := between(m, 2, c.x, c.y); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("at %v, %v: %v, want %v", c.x, c.y, got, c.want)
		}
	}
}

func TestHeatIsBrightWhereTheMapIsLarge(t *testing.T) {
	v := View{Channels: 1, Side: 4, Pix: make([]byte, 16)}
	for i := range v.Pix {
		v.Pix[i] = 100
	}
	img := v.Heat([]float32{1, -5, 0, 0}, 2)
	if img.Rect.Dx() != 224 {
		t.Fatalf("%v", img.Rect)
	}
	light := func(x, y int) int { c := img.RGBAAt(x, y); return int(c.R) + int(c.G) + int(c.B) }
	if hot, cold := light(20, 20), light(200, 20); hot < 2*cold {
		t.Errorf("%d where the map is 1, %d where it is negative", hot, cold)
	}
	if got, want := img.RGBAAt(200, 200), (color.RGBA{60, 60, 60, 255}); got != want {
		t.Errorf("where the map is 0: %v, want %v", got, want)
	}
	// Without any heat, the view.
	if got, want := v.Image().RGBAAt(9, 9), (color.RGBA{100, 100, 100, 255}); got != want {
		t.Errorf("the view: %v, want %v", got, want)
	}
	colour := View{Channels: 3, Side: 1, Pix: []byte{1, 2, 3}}
	if got, want := colour.Image().RGBAAt(100, 3), (color.RGBA{1, 2, 3, 255}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}
