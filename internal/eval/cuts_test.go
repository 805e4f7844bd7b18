package eval

import (
	"bytes"
	"errors"
	"testing"

	"resnet/internal/datasets"
)

// TestCutsForANetworkOfGreyImagesAreLuma: of ten crops and of scales, by ITU-R BT.601 in Pillow's
// fixed point.
func TestCutsForANetworkOfGreyImagesAreLuma(t *testing.T) {
	pic := datasets.Picture{Width: 14, Height: 12, Pix: make([]byte, 3*14*12)}
	for i := range pic.Pix {
		pic.Pix[i] = byte(i * 37)
	}
	picture := func(int) (datasets.Picture, error) { return pic, nil }
	for _, p := range []Protocol{{Views: 10, Height: 8, Width: 8, Resize: 10}, {Scales: []int{9, 13}, Flip: true}} {
		colour, err := PictureCuts(p, datasets.NewPreprocessing(3, 8, 10, datasets.Normalizer{}), picture)(0)
		if err != nil {
			t.Fatal(err)
		}
		grey, err := PictureCuts(p, datasets.NewPreprocessing(1, 8, 10, datasets.Normalizer{}), picture)(0)
		if err != nil || len(grey) != len(colour) {
			t.Fatalf("%d cuts, want %d (%v)", len(grey), len(colour), err)
		}
		for k, c := range colour {
			n := c.Height * c.Width
			want := make([]byte, n)
			for i := range want {
				want[i] = byte((19595*int(c.Pix[i]) + 38470*int(c.Pix[n+i]) + 7471*int(c.Pix[2*n+i]) + 32768) / 65536)
			}
			if !bytes.Equal(grey[k].Pix, want) {
				t.Errorf("%s: cut %d has %d values, want luma of %d", p, k, len(grey[k].Pix), n)
			}
		}
	}
}

// TestTheLongestPictureIsFourTimesThePapersLargest: 640 pixels at 4 times 1:4.
func TestTheLongestPictureIsFourTimesThePapersLargest(t *testing.T) {
	if err := affordable(datasets.Picture{Width: 1600, Height: 100}, 640); err != nil {
		t.Error(err)
	}
	if err := affordable(datasets.Picture{Width: 100, Height: 1601}, 640); !errors.Is(err, datasets.ErrData) {
		t.Errorf("a picture that is longer: %v", err)
	}
}
