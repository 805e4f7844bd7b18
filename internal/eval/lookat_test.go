package eval

import (
	"errors"
	"fmt"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
)

// TestPublishedViews: sizes as torchvision's and timm's pages of weights give them.
func TestPublishedViews(t *testing.T) {
	s, err := blocks.Lookup("resnet18")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		look Look
		want string // size, resize, interpolation
	}{
		{Look{}, "224 256 bilinear"},
		{Look{Preset: "torchvision"}, "224 256 bilinear"},
		{Look{Preset: "torchvision-v2"}, "224 232 bilinear"},
		{Look{Preset: "timm"}, "224 235 bicubic"}, // floor(224/0.95)
		{Look{Preset: "timm-288"}, "288 288 bicubic"},
		{Look{Preset: "timm-288-0.95"}, "288 303 bicubic"},
		{Look{Preset: "timm", Interpolation: "bilinear"}, "224 235 bilinear"},
		{Look{Preset: "torchvision-v2", Resize: 240}, "224 240 bilinear"},
		{Look{Resize: 232}, "224 232 bilinear"},
		{Look{Size: 192}, "192 219 bilinear"}, // 256·192/224
		{Look{Crop: 0.875, Size: 288}, "288 329 bilinear"},
		{Look{Crop: 160, Resize: 170, Interpolation: "bicubic"}, "160 170 bicubic"},
	} {
		view := ImportedView(s, datasets.Normalizer{})
		spec, v, err := c.look.Apply(s, view)
		if got := fmt.Sprintf("%d %d %s", v.Size, v.Resize, v.Interpolation); err != nil || got != c.want || spec.InputSize != v.Size {
			t.Errorf("%+v: %s and an input of %d, want %s (%v)", c.look, got, spec.InputSize, c.want, err)
		}
	}
	for _, bad := range []Look{
		{Preset: "timmy"},
		{Crop: 0.9, Resize: 256},
		{Crop: 1.5},
		{Crop: 224, Size: 192},
		{Interpolation: "lanczos"},
		{Resize: 200},
		{Size: 300, Resize: 256},
		{Crop: -1},
		{Size: 5000},
	} {
		if _, _, err := bad.Apply(s, ImportedView(s, datasets.Normalizer{})); !errors.Is(err, ErrProtocol) {
			t.Errorf("%+v: %v, want ErrProtocol", bad, err)
		}
	}
	vgg, err := blocks.Lookup("tiny-vgg")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := (Look{Size: 32}).Apply(vgg, ImportedView(vgg, datasets.Normalizer{})); !errors.Is(err, ErrProtocol) {
		t.Errorf("a classifier of whole maps: %v", err)
	}
}
