package datasets

import (
	"errors"
	"image"
	"image/color"
	"slices"
	"testing"
)

// TestAnImageInMemoryBecomesItsColours compares parts of images of every kind, cut out of larger
// ones, with their colours.
func TestAnImageInMemoryBecomesItsColours(t *testing.T) {
	r := image.Rect(0, 0, 5, 4)
	palette := color.Palette{color.NRGBA{1, 2, 3, 255}, color.NRGBA{200, 100, 50, 255}}
	for name, m := range map[string]interface {
		image.Image
		Set(x, y int, c color.Color)
		SubImage(r image.Rectangle) image.Image
	}{
		"NRGBA": image.NewNRGBA(r), "RGBA": image.NewRGBA(r), "Gray": image.NewGray(r), "Paletted": image.NewPaletted(r, palette),
		"NRGBA64": image.NewNRGBA64(r), "RGBA64": image.NewRGBA64(r), "Gray16": image.NewGray16(r), "CMYK": image.NewCMYK(r),
	} {
		var want []byte
		for y := range 4 {
			for x := range 5 {
				m.Set(x, y, color.NRGBA{uint8(40 * x), uint8(60 * y), uint8(7 * x * y), 255})
				if x >= 1 && y >= 1 && x < 4 {
					c := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
					want = append(want, c.R, c.G, c.B)
				}
			}
		}
		part := m.SubImage(image.Rect(1, 1, 4, 4))
		for range 2 { // the image itself is left as it is
			p, err := PictureOf(part)
			if err != nil || p.Width != 3 || p.Height != 3 || !slices.Equal(p.Pix, want) {
				t.Errorf("%s: %v, %v, want %v", name, p, err, want)
			}
		}
	}
}

func TestTransparencyInMemoryIsDropped(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	m.SetNRGBA(0, 0, color.NRGBA{10, 20, 30, 0})
	m.SetNRGBA(1, 0, color.NRGBA{40, 50, 60, 128})
	p, err := PictureOf(m)
	if want := []byte{10, 20, 30, 40, 50, 60}; err != nil || !slices.Equal(p.Pix, want) {
		t.Errorf("%v, %v, want %v", p.Pix, err, want)
	}
	// Premultiplied colours are multiplied back.
	half := image.NewRGBA(image.Rect(0, 0, 1, 1))
	half.SetRGBA(0, 0, color.RGBA{50, 100, 25, 128})
	p, err = PictureOf(half)
	if want := []byte{99, 199, 49}; err != nil || !slices.Equal(p.Pix, want) {
		t.Errorf("%v, %v, want %v", p.Pix, err, want)
	}
}

func TestImpossibleImagesInMemoryAreBadData(t *testing.T) {
	for _, r := range []image.Rectangle{image.Rect(0, 0, 0, 5), image.Rect(0, 0, 1, 101), image.Rect(3, 3, 3, 3)} {
		if _, err := PictureOf(image.NewGray(r)); !errors.Is(err, ErrData) {
			t.Errorf("%v: %v", r, err)
		}
	}
}
