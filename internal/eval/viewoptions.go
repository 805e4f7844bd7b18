package eval

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"resnet/internal/datasets"
	"resnet/internal/text"
)

// ErrProtocol marks views of images that a network or a data set does not allow.
var ErrProtocol = errors.New("this protocol is not possible")

// protocolError is an ErrProtocol whose text is the reason alone.
type protocolError string

func (e protocolError) Error() string        { return string(e) }
func (e protocolError) Is(target error) bool { return target == ErrProtocol }

func protocolErrorf(format string, args ...any) error {
	return protocolError(fmt.Sprintf(format, args...))
}

// ViewOptions are the views of an image that the user asks for; with a network and a kind of images
// they become a Protocol.
type ViewOptions struct {
	Crops   string  // "1", "10" or "full"
	Scales  []int   // shorter sides in pixels, for "full"; nil means the paper's
	Combine Combine // what is averaged over views
}

// Values of ViewOptions.Crops.
const (
	CropsOne  = "1"
	CropsTen  = "10"
	CropsFull = "full"
)

// CropsNames are the choices of ViewOptions.Crops.
var CropsNames = []string{CropsOne, CropsTen, CropsFull}

// maxScale is the largest shorter side that is tested, in pixels.
const maxScale = 4096

// Check fails with ErrProtocol for what is impossible with any network.
func (o ViewOptions) Check() error {
	switch {
	case !slices.Contains(CropsNames, o.Crops):
		return protocolErrorf("--crops %q: 1, 10 or full", o.Crops)
	case o.Combine != CombineSoftmax && o.Combine != CombineLogits:
		return protocolErrorf("--combine %q: %s or %s", string(o.Combine), CombineSoftmax, CombineLogits)
	case len(o.Scales) > 0 && o.Crops != CropsFull:
		return protocolErrorf("--scales are for --crops full, the fully convolutional form")
	}
	for i, s := range o.Scales {
		if s < 1 || s > maxScale || slices.Contains(o.Scales[:i], s) {
			return protocolErrorf("--scales %d: each once, 1 to %d pixels", s, maxScale)
		}
	}
	return nil
}

// For is the protocol of a network on a data set that fits it: ProtocolFixed where the images have
// one size and the network's preprocessing does not resize, else Protocol.
func (o ViewOptions) For(m *Model, info datasets.Info) (Protocol, error) {
	if v := m.Preprocessing; !datasets.AnySize(info.Name) && v.Resize == v.Size {
		return o.ProtocolFixed(m, info)
	}
	return o.Protocol(m)
}

// Protocol is the protocol of a network on pictures of any size. One crop is the view of the
// network's Preprocessing, which its training validated with. Ten are cut from the picture resized
// to a shorter side of 8/7 of the network's input, 256 for 224 as in the paper. The paper's five
// scales are for an input of 224; others are in proportion. It fails with ErrProtocol.
func (o ViewOptions) Protocol(m *Model) (Protocol, error) {
	if err := o.Check(); err != nil {
		return Protocol{}, err
	}
	size := m.Spec.InputSize
	p := Protocol{Views: 1, Height: size, Width: size, Resize: size, Interpolation: m.otherInterpolation()}
	switch o.Crops {
	case CropsOne:
		p.Resize = m.Preprocessing.Resize
		if m.Preprocessing.Downsample > 1 {
			p.Downsample = m.Preprocessing.Downsample
		}
		return p, nil
	case CropsTen:
		p.Views, p.Resize, p.Combine = 10, scaled(256, size), o.Combine
		return p, nil
	}
	return o.full(m)
}

// ProtocolFixed is Protocol for a data set whose images have one size, the network's: one view is
// the image, and the full form without scales is the image and its mirror image. Ten crops of it
// make no sense.
func (o ViewOptions) ProtocolFixed(m *Model, info datasets.Info) (Protocol, error) {
	if err := o.Check(); err != nil {
		return Protocol{}, err
	}
	p := Protocol{Views: 1, Height: info.Height, Width: info.Width}
	switch {
	case o.Crops == CropsTen:
		return Protocol{}, protocolErrorf("--crops 10: the images of %s have %dx%d pixels, all that the network takes, so there are no ten crops of them: --crops 1 is the paper's protocol for them, --crops full adds the mirror image",
			text.Printable(info.Name), info.Width, info.Height)
	case o.Crops == CropsFull && len(o.Scales) == 0:
		p.Views, p.Flip, p.Combine = 2, true, o.Combine
	case o.Crops == CropsFull:
		if info.Channels != 3 {
			return Protocol{}, protocolErrorf("--scales: the images of %s have %d channel, and only images of 3 are resized: leave --scales out", text.Printable(info.Name), info.Channels)
		}
		return o.full(m)
	}
	return p, nil
}

func (o ViewOptions) full(m *Model) (Protocol, error) {
	size := m.Spec.InputSize
	p := Protocol{Flip: true, Interpolation: m.otherInterpolation(), Combine: o.Combine, Scales: slices.Clone(o.Scales)}
	if len(p.Scales) == 0 {
		for _, s := range protocolScales.Scales {
			p.Scales = append(p.Scales, scaled(s, size))
		}
		p.Scales = slices.Compact(p.Scales)
	}
	for _, s := range p.Scales {
		if s < size {
			return Protocol{}, protocolErrorf("--scales: a shorter side of %d, and %s needs %d at least, the size of its input", s, text.Printable(m.Spec.Name), size)
		}
	}
	if m.Preprocessing.Kind == datasets.PixelMean {
		p.Mean = MeanOfChannels
	}
	return p, nil
}

// scaled is a size of the paper, for an input of 224 pixels, in proportion to another input.
func scaled(pixels, input int) int { return int(math.Round(float64(pixels) * float64(input) / 224)) }
