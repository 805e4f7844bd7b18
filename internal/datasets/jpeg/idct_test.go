package jpeg

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
)

// TestShortTransformsGiveTheBytesOfThePlainOne: pairs of columns, blocks of few values and blocks
// of one.
func TestShortTransformsGiveTheBytesOfThePlainOne(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 200_000 {
		last := []int{0, 0, 3, 9, 10, 20, 63}[n%7]
		var b block
		weight := 0
		for k := 0; k <= last && r.IntN(40) > 0; k++ {
			v := int(r.NormFloat64() * float64(int(20)<<(n%6)))
			if k == 0 {
				v *= 4
			}
			if weight+max(v, -v) <= maxWeight {
				b[natural[k]], weight = int16(v), weight+max(v, -v)
			}
		}
		got, want := bytes.Repeat([]byte{7}, 8*11), bytes.Repeat([]byte{7}, 8*11)
		invert(&b, last, int64(weight), got, 11)
		invertWide(&b, want, 11)
		if !bytes.Equal(got, want) {
			t.Fatalf("values %v up to %d:\n%v, want\n%v", b[:64], last, got, want)
		}
	}
}

// TestTransformsAreTheCosines: within the rounding between the passes, half a level, of what T.81
// A.3.3 says.
func TestTransformsAreTheCosines(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		var b block
		for range 12 {
			b[r.IntN(64)] = int16(r.IntN(161) - 80)
		}
		var got [64]byte
		invertWide(&b, got[:], 8)
		for y := range 8 {
			for x := range 8 {
				sum := 0.0
				for v := range 8 {
					for u := range 8 {
						scale := 0.25
						if u == 0 {
							scale *= math.Sqrt2 / 2
						}
						if v == 0 {
							scale *= math.Sqrt2 / 2
						}
						sum += scale * float64(b[8*v+u]) * math.Cos(float64((2*x+1)*u)*math.Pi/16) * math.Cos(float64((2*y+1)*v)*math.Pi/16)
					}
				}
				want := max(0, min(255, sum+128))
				if math.Abs(float64(got[8*y+x])-want) > 0.75 {
					t.Fatalf("%v: sample %d,%d is %d, want %.2f", b[:64], x, y, got[8*y+x], want)
				}
			}
		}
	}
}

// TestEveryColourIsTheFormulas: BT.601 with 16 bits, red's and blue's products rounded, and
// green's after they have been added.
func TestEveryColourIsTheFormulas(t *testing.T) {
	clip := func(v int) byte { return byte(max(0, min(255, v))) }
	luma, cb, cr, got := make([]byte, 256), make([]byte, 256), make([]byte, 256), make([]byte, 3*256)
	for i := range luma {
		luma[i] = byte(i)
	}
	for u := range 256 {
		for v := range 256 {
			for i := range luma {
				cb[i], cr[i] = byte(u), byte(v)
			}
			convert(got, luma, cb, cr)
			for y := range 256 {
				red, blue := (91881*(v-128)+1<<15)>>16, (116130*(u-128)+1<<15)>>16
				green := (-22554*(u-128) - 46802*(v-128) + 1<<15) >> 16
				if p := got[3*y : 3*y+3]; p[0] != clip(y+red) || p[1] != clip(y+green) || p[2] != clip(y+blue) {
					t.Fatalf("Y %d, Cb %d, Cr %d: %v, want %d, %d, %d", y, u, v, p, clip(y+red), clip(y+green), clip(y+blue))
				}
			}
		}
	}
}

// TestInksAreRoundedToNearest: (255 − ink)·(255 − black)/255, in all pairs; both are stored
// inverted.
func TestInksAreRoundedToNearest(t *testing.T) {
	row, light := make([]byte, 3*256), make([]byte, 256)
	for black := range 256 {
		for ink := range 256 {
			row[3*ink], row[3*ink+1], row[3*ink+2] = byte(255-ink), 255, 0
			light[ink] = byte(255 - black)
		}
		shade(row, light, true)
		for ink := range 256 {
			want := 255 - black - int(math.Round(float64(ink*(255-black))/255))
			if got := row[3*ink : 3*ink+3]; int(got[0]) != want || int(got[1]) != 255-black || got[2] != 0 {
				t.Fatalf("cyan %d, yellow 255, black %d: %v, want %d, %d, 0", ink, black, got, want, 255-black)
			}
		}
	}
}
