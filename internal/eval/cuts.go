package eval

import (
	"fmt"

	"resnet/internal/datasets"
)

// A Cut is a rectangle of a resized image, [C, H, W] bytes: a view of the network, and another one
// mirrored where the protocol has flips.
type Cut struct {
	Height, Width int
	Pix           []byte
}

// A Cutter gives the cuts of image i. It is called by several goroutines at once.
type Cutter func(i int) ([]Cut, error)

// maxCutPixels bounds what one cut may cost: 4 times the largest scale of the paper at an aspect
// ratio of 4:1. Activations take some 500 bytes a pixel.
const maxCutPixels = 4 * 640 * 2560

// PictureCuts cuts pictures of any size by the protocol, for a network with the preprocessing view:
//
//   - one view, and its mirror image: view's own;
//   - ten views: top left, top right, bottom left, bottom right and centre, each with its mirror
//     image (Krizhevsky et al. 2012);
//   - scales: the whole picture, resized so that its shorter side has that many pixels and its
//     longer side is rounded down.
//
// It fails with datasets.ErrData for a picture so long that a cut would not be computed in
// reasonable memory.
func PictureCuts(p Protocol, view datasets.Preprocessing, picture func(i int) (datasets.Picture, error)) Cutter {
	return func(i int) ([]Cut, error) {
		pic, err := picture(i)
		if err != nil {
			return nil, err
		}
		defer pic.Release()
		var cuts []Cut
		switch {
		case len(p.Scales) > 0:
			cuts, err = wholes(pic, view.Interpolation, p.Scales)
		case p.Views == 10:
			cuts, err = tenCrops(pic, view.Interpolation, p)
		default:
			return single(pic, view)
		}
		if err == nil && view.Channels == 1 {
			for k := range cuts {
				cuts[k].Pix = datasets.Luma(cuts[k].Pix)
			}
		}
		return cuts, err
	}
}

// single is the view that training validates with.
func single(pic datasets.Picture, view datasets.Preprocessing) ([]Cut, error) {
	if err := affordable(pic, view.Resize); err != nil {
		return nil, err
	}
	return []Cut{{view.Side(), view.Side(), view.View(pic)}}, nil
}

func wholes(pic datasets.Picture, interpolation string, scales []int) ([]Cut, error) {
	var cuts []Cut
	for _, size := range scales {
		if err := affordable(pic, size); err != nil {
			return nil, err
		}
		r := pic.ResizeShorterBy(interpolation, size)
		c := Cut{r.Height, r.Width, make([]byte, 3*r.Height*r.Width)}
		r.CropCHW(c.Pix, 0, 0, r.Width, r.Height, false)
		cuts = append(cuts, c)
	}
	return cuts, nil
}

func tenCrops(pic datasets.Picture, interpolation string, p Protocol) ([]Cut, error) {
	if err := affordable(pic, p.Resize); err != nil {
		return nil, err
	}
	r := pic.ResizeShorterBy(interpolation, p.Resize)
	right, bottom := r.Width-p.Width, r.Height-p.Height
	if right < 0 || bottom < 0 {
		return nil, fmt.Errorf("a view of %dx%d out of an image of %dx%d", p.Width, p.Height, r.Width, r.Height)
	}
	centre := [2]int{datasets.CentreOffset(r.Width, p.Width), datasets.CentreOffset(r.Height, p.Height)}
	var cuts []Cut
	for _, xy := range [][2]int{{0, 0}, {right, 0}, {0, bottom}, {right, bottom}, centre} {
		c := Cut{p.Height, p.Width, make([]byte, 3*p.Height*p.Width)}
		r.CropCHW(c.Pix, xy[0], xy[1], p.Width, p.Height, false)
		cuts = append(cuts, c)
	}
	return cuts, nil
}

// affordable refuses pictures that would be too long at a shorter side of size pixels, before
// memory is taken.
func affordable(pic datasets.Picture, size int) error {
	short, long := int64(min(pic.Width, pic.Height)), int64(max(pic.Width, pic.Height))
	if short < 1 {
		return fmt.Errorf("%w: an image of %dx%d pixels", datasets.ErrData, pic.Width, pic.Height)
	}
	if pixels := int64(size) * int64(size) * long / short; pixels > maxCutPixels {
		return fmt.Errorf("%w: an image of %dx%d pixels would have %d with a shorter side of %d, and %d are computed at most: cut it, or test smaller scales",
			datasets.ErrData, pic.Width, pic.Height, pixels, size, maxCutPixels)
	}
	return nil
}
