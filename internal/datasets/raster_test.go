package datasets

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestAPartOfARowOfAnyImageIsThatOfTheWholeRow: where a row begins and ends changes no colour.
func TestAPartOfARowOfAnyImageIsThatOfTheWholeRow(t *testing.T) {
	const w, h = 7, 4
	r := rand.New(rand.NewPCG(1, 2))
	noise := func(pix []byte) {
		for i := range pix {
			pix[i] = byte(r.Uint32())
		}
	}
	gray := image.NewGray(image.Rect(0, 0, w, h))
	planes, one := planar{make([]byte, 3*w*h), 3, h, w}, planar{make([]byte, w*h), 1, h, w}
	picture := Picture{Width: w, Height: h, Pix: make([]byte, 3*w*h)}
	deep, table := image.NewGray16(image.Rect(0, 0, w, h)), image.NewPaletted(image.Rect(0, 0, w, h), palette.WebSafe)
	for _, pix := range [][]byte{gray.Pix, planes.pix, one.pix, picture.Pix, deep.Pix, table.Pix} {
		noise(pix)
	}
	for _, src := range []rows{grey{gray}, planes, one, picture, grey16{deep}, newPaletted(table)} {
		full, part := make([]byte, 3*w), make([]byte, 3*w)
		for y := range h {
			src.rgb(full, y, 0, w)
			for x0 := range w {
				for x1 := x0 + 1; x1 <= w; x1++ {
					n := 3 * (x1 - x0)
					if src.rgb(part[:n], y, x0, x1); !bytes.Equal(part[:n], full[3*x0:3*x1]) {
						t.Fatalf("%T: row %d, pixels %d to %d: %v, in the whole row %v", src, y, x0, x1, part[:n], full[3*x0:3*x1])
					}
				}
			}
		}
	}
}

// TestImagesInPlaceHaveTheColoursOfACopy: Go's own drawing, of opaque pixels, is another way to
// RGB.
func TestImagesInPlaceHaveTheColoursOfACopy(t *testing.T) {
	all := image.Rect(0, 0, 9, 5)
	type cuttable interface {
		draw.Image
		SubImage(image.Rectangle) image.Image
	}
	images := func() []cuttable {
		list := []cuttable{
			image.NewRGBA(all), image.NewNRGBA(all), image.NewRGBA64(all), image.NewNRGBA64(all), image.NewGray16(all), image.NewPaletted(all, palette.WebSafe),
		}
		r := rand.New(rand.NewPCG(3, 4))
		for y := range all.Dy() {
			for x := range all.Dx() {
				c := color.NRGBA64{uint16(r.Uint32()), uint16(r.Uint32()), uint16(r.Uint32()), 0xffff}
				for _, m := range list {
					m.Set(x, y, c)
				}
			}
		}
		return list
	}
	var list []image.Image
	for _, m := range images() {
		list = append(list, m)
	}
	for _, m := range images() {
		list = append(list, m.SubImage(image.Rect(1, 2, 7, 5)))
	}
	for _, m := range list {
		want := image.NewRGBA(m.Bounds())
		draw.Draw(want, want.Rect, m, want.Rect.Min, draw.Src)
		name := fmt.Sprintf("%T %v", m, m.Bounds())
		got := whole(rowsOf(m))
		if got.Width != want.Rect.Dx() || got.Height != want.Rect.Dy() || len(got.Pix) != 3*got.Width*got.Height {
			t.Fatalf("%s: %d×%d", name, got.Width, got.Height)
		}
		for i, v := range got.Pix {
			if w := want.Pix[i/3*4+i%3]; v != w {
				t.Fatalf("%s: value %d is %d, want %d", name, i, v, w)
			}
		}
	}
}

func TestArchivesHoldImagesOfABoundedSizeAsTheyAre(t *testing.T) {
	x := tarIndexer{ctx: t.Context(), seen: map[string]bool{}}
	if err := x.add(tarMember{"a.png", 512, maxImageFile}); err != nil {
		t.Error(err)
	}
	if err := x.add(tarMember{"b.png", 512, maxImageFile + 1}); !errors.Is(err, ErrData) {
		t.Errorf("an image of more bytes than are read: %v", err)
	}
	for want, h := range map[bool]*tar.Header{true: {Typeflag: tar.TypeGNUSparse}, false: {Typeflag: tar.TypeReg}} {
		if isSparse(h) != want {
			t.Errorf("type %q is sparse: %v", h.Typeflag, !want)
		}
	}
}

// TestClassesOfSeveralPartsAreListedOnce: without train/ the classes are those of test/ and val/.
func TestClassesOfSeveralPartsAreListedOnce(t *testing.T) {
	dir := t.TempDir()
	for _, class := range []string{"test/bee", "test/ant", "val/bee", "val/cat"} {
		path := filepath.Join(dir, filepath.FromSlash(class), "0.png")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(png.Encode(f, image.NewGray(image.Rect(0, 0, 8, 8))), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	d, err := Open(t.Context(), Config{Name: "folder", Dir: dir, Size: 8}, 1)
	if err != nil || !slices.Equal(d.Info().Classes, []string{"ant", "bee", "cat"}) || d.Label(Test, 1) != 1 || d.Label(Val, 1) != 2 {
		t.Errorf("classes %v (%v)", d.Info().Classes, err)
	}
}
