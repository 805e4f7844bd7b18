package datasets

import (
	"bytes"
	"image"
	"math/rand/v2"
	"testing"
)

// TestAPartOfARowIsThatOfTheWholeRow: where a row begins and ends changes no colour, whatever the
// resolution of chroma.
func TestAPartOfARowIsThatOfTheWholeRow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, ratio := range []image.YCbCrSubsampleRatio{
		image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420,
		image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411,
	} {
		const w, h = 11, 5
		m := image.NewYCbCr(image.Rect(0, 0, w, h), ratio)
		for _, plane := range [][]byte{m.Y, m.Cb, m.Cr} {
			for i := range plane {
				plane[i] = byte(r.Uint32())
			}
		}
		c := newYCC(m)
		whole, part := make([]byte, 3*w), make([]byte, 3*w)
		for y := range h {
			c.rgb(whole, y, 0, w)
			for x0 := range w {
				for x1 := x0 + 1; x1 <= w; x1++ {
					n := 3 * (x1 - x0)
					if c.rgb(part[:n], y, x0, x1); !bytes.Equal(part[:n], whole[3*x0:3*x1]) {
						t.Fatalf("%v: row %d, pixels %d to %d: %v, in the whole row %v", ratio, y, x0, x1, part[:n], whole[3*x0:3*x1])
					}
				}
			}
		}
	}
}

// TestChromaOfHalfTheRowsIsRoundedInTurns: three quarters of the near row and one of the far one,
// plus 1/4 or 1/2 before it is cut off (libjpeg-turbo's h1v2_fancy_upsample).
func TestChromaOfHalfTheRowsIsRoundedInTurns(t *testing.T) {
	m := image.NewYCbCr(image.Rect(0, 0, 3, 4), image.YCbCrSubsampleRatio440)
	copy(m.Cb, []byte{10, 10, 10, 12, 12, 12})
	c := newYCC(m)
	// (30+10+1)/4, (30+12+2)/4, (36+10+1)/4, (36+12+2)/4
	for y, want := range []byte{10, 11, 11, 12} {
		if cb, _ := c.chroma(y, 0, 3); cb[0] != want || cb[2] != want {
			t.Errorf("row %d: %v, want %d", y, cb, want)
		}
	}
}
