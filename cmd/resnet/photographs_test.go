package main

import (
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// hostileClass is a name of a class folder that would clear a terminal, or be markup.
const hostileClass = "\x1b[2J<b>cat"

// photographs DIR [CLASS...] makes a folder of images by class, train/ and val/, of several sizes,
// PNG and JPEG, one of them grey.
func photographs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: photographs DIR [CLASS...]")
	}
	classes := args[1:]
	if len(classes) == 0 {
		classes = []string{"ant", "bee", hostileClass}
	}
	sizes := [][2]int{{24, 18}, {18, 24}, {31, 19}, {20, 20}, {24, 18}, {64, 17}}
	for _, part := range []string{"train", "val"} {
		for c, class := range classes {
			dir := ts.MkAbs(filepath.Join(args[0], part, class))
			ts.Check(os.MkdirAll(dir, 0o755))
			for i, size := range sizes {
				ts.Check(photograph(filepath.Join(dir, strconv.Itoa(i)), size[0], size[1], 50*c+len(part)*i, i == 3))
			}
		}
	}
}

// photograph writes an image as PNG, or with an odd tone, in colour, as JPEG.
func photograph(path string, w, h, tone int, grey bool) (err error) {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	grey8 := image.NewGray(img.Rect)
	for p := range w * h {
		x, y := p%w, p/w
		img.SetRGBA(x, y, color.RGBA{uint8(tone + 5*x), uint8(tone * (y + 1)), uint8(x * y), 255})
		grey8.SetGray(x, y, color.Gray{uint8(tone + 7*x + 3*y)})
	}
	ending := ".png"
	if tone%2 == 1 && !grey {
		ending = ".jpg"
	}
	f, err := os.Create(path + ending)
	if err != nil {
		return err
	}
	defer func() {
		if closing := f.Close(); err == nil {
			err = closing
		}
	}()
	if ending == ".jpg" {
		return jpeg.Encode(f, img, nil)
	}
	if grey {
		return png.Encode(f, grey8)
	}
	return png.Encode(f, img)
}
