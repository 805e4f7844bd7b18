package eval

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
)

// A Look is how a user wants a network to look at pictures, in place of what its file says. The
// zero value changes nothing.
type Look struct {
	Preset string // of LookNames, or ""; the others are over it
	Size   int    // side of the square that is the input, pixels; 0 means the network's
	Resize int    // shorter side before, pixels; 0 means as it is, in proportion to Size
	// Size/Resize as timm has it, at most 1; above 1 it is Size; 0 means neither.
	Crop          float64
	Interpolation string // datasets.Bilinear or Bicubic; "" means as it is
}

// looks are those under which weights are published, by name. Means and deviations are those of
// ImageNet in all of them.
var looks = map[string]Look{
	"torchvision":    {Size: 224, Resize: 256, Interpolation: datasets.Bilinear}, // IMAGENET1K_V1
	"torchvision-v2": {Size: 224, Resize: 232, Interpolation: datasets.Bilinear}, // IMAGENET1K_V2
	// a1_in1k and others, as trained.
	"timm": {Size: 224, Crop: 0.95, Interpolation: datasets.Bicubic},
	// The same, as published.
	"timm-288":      {Size: 288, Crop: 1, Interpolation: datasets.Bicubic},
	"timm-288-0.95": {Size: 288, Crop: 0.95, Interpolation: datasets.Bicubic},
}

// LookNames are the choices of Look.Preset.
func LookNames() []string {
	names := make([]string, 0, len(looks))
	for name := range looks {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// maxLook bounds sizes, pixels.
const maxLook = 4096

// Check fails with ErrProtocol for what is impossible with any network.
func (o Look) Check() error {
	_, known := looks[o.Preset]
	switch {
	case o.Preset != "" && !known:
		return protocolErrorf("--preprocessing %q: %s", o.Preset, strings.Join(LookNames(), ", "))
	case o.Interpolation != "" && o.Interpolation != datasets.Bilinear && o.Interpolation != datasets.Bicubic:
		return protocolErrorf("--interpolation %q: %s or %s", o.Interpolation, datasets.Bilinear, datasets.Bicubic)
	case o.Size < 0 || o.Size > maxLook || o.Resize < 0 || o.Resize > maxLook:
		return protocolErrorf("--size %d, --resize %d: 1 to %d pixels", o.Size, o.Resize, maxLook)
	case o.Crop != 0 && !(o.Crop >= 0.1 && o.Crop <= maxLook) || o.Crop > 1 && o.Crop != math.Trunc(o.Crop):
		return protocolErrorf("--crop %v: a fraction from 0.1 to 1, or a number of pixels", o.Crop)
	case o.Crop > 1 && o.Size != 0 && o.Size != int(o.Crop):
		return protocolErrorf("--crop %v and --size %d are two sizes of the input: give one", o.Crop, o.Size)
	case o.Crop != 0 && o.Crop <= 1 && o.Resize != 0:
		return protocolErrorf("--crop %v and --resize %d both say how far an image is resized: give one", o.Crop, o.Resize)
	}
	return nil
}

// over is o with what it leaves open taken from its preset.
func (o Look) over() Look {
	p := looks[o.Preset]
	if o.Crop > 1 {
		o.Size, o.Crop = int(o.Crop), 0
	}
	if o.Size == 0 {
		o.Size = p.Size
	}
	if o.Crop == 0 && o.Resize == 0 {
		o.Crop, o.Resize = p.Crop, p.Resize
	}
	if o.Interpolation == "" {
		o.Interpolation = p.Interpolation
	}
	return o
}

// Apply gives a network the input size and the view that were asked for: the spec of the network,
// whose weights fit every size, and its preprocessing. It fails with ErrProtocol.
func (o Look) Apply(s blocks.Spec, v datasets.Preprocessing) (blocks.Spec, datasets.Preprocessing, error) {
	if err := o.Check(); err != nil || o == (Look{}) {
		return s, v, err
	}
	o = o.over()
	before := v
	if o.Size != 0 && o.Size != s.InputSize*max(v.Downsample, 1) {
		if s.Speech != nil || v.Downsample > 1 {
			return s, v, protocolErrorf("--size: %s takes no other", s.Name)
		}
		other := s
		other.InputSize = o.Size
		a, err := blocks.Summarize(s)
		if err != nil {
			return s, v, err
		}
		if b, err := blocks.Summarize(other); err != nil || a.Params != b.Params {
			return s, v, protocolErrorf("--size %d: the classifier of %s is made for %d pixels", o.Size, s.Name, s.InputSize)
		}
		s = other
		v.Size = o.Size
		v.Resize = int(math.Round(float64(before.Resize) * float64(o.Size) / float64(before.Size)))
		if v.Kind == datasets.PixelMean {
			return s, v, protocolErrorf("--size %d: the mean image that is subtracted has %d pixels", o.Size, before.Side())
		}
	}
	switch {
	case o.Resize != 0:
		v.Resize = o.Resize
	case o.Crop != 0:
		v.Resize = int(float64(v.Size) / o.Crop)
	}
	if o.Interpolation != "" {
		v.Interpolation = o.Interpolation
	}
	if v.Resize < v.Size {
		return s, v, protocolErrorf("--resize %d: the input of %d pixels does not fit into that", v.Resize, v.Size)
	}
	return s, v, nil
}

// Look gives the network another view of pictures than its file says.
func (m *Model) Look(o Look) error {
	if m.Frontend != "" && o != (Look{}) {
		return fmt.Errorf("%s: %w", m.Path, protocolErrorf("it is a network of speech, and looks at no images"))
	}
	s, v, err := o.Apply(m.Spec, m.Preprocessing)
	if err != nil {
		return fmt.Errorf("%s: %w", m.Path, err)
	}
	m.Spec, m.Preprocessing = s, v
	return nil
}

// otherInterpolation is that of the network's preprocessing for a Protocol.
func (m *Model) otherInterpolation() string {
	if m.Preprocessing.Interpolation == datasets.Bilinear {
		return ""
	}
	return m.Preprocessing.Interpolation
}
