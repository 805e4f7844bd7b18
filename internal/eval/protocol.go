package eval

import (
	"fmt"
	"slices"
	"strings"

	"resnet/internal/datasets"
	"resnet/internal/text"
)

// A Protocol is which images were measured, and through which views. Figures are comparable only
// when their protocols are equal.
type Protocol struct {
	// Views is how many crops and flips of an image are combined: 1 is the image or its centre; 0
	// with Scales.
	Views  int            `json:"views,omitempty"`
	Height int            `json:"height,omitempty"`
	Width  int            `json:"width,omitempty"` // pixels of a view
	Split  datasets.Split `json:"split,omitempty"` // "" means Test
	Limit  int            `json:"limit,omitempty"` // only the first so many images; 0 means all
	// Resize is what the shorter side was resized to before the views were cut, in pixels; 0 means
	// that the image is the view.
	Resize int `json:"resize,omitempty"`
	// Interpolation is how images were resized where that is not bilinear; "" means bilinear.
	Interpolation string `json:"interpolation,omitempty"`
	// Downsample is the side of the blocks of pixels that were averaged to make a view; 0 means
	// none.
	Downsample int `json:"downsample,omitempty"`
	// Scales are the shorter sides of fully convolutional testing, whose scores are averaged;
	// Views, Height, Width and Resize are not used then.
	Scales []int `json:"scales,omitempty"`
	// Flip says that each scale, or the whole image, was measured a second time as its mirror
	// image. Ten crops always are.
	Flip bool `json:"flip,omitempty"`
	// Combine is what was averaged over the views; "" where there is one view alone.
	Combine Combine `json:"combine,omitempty"`
	// Mean names a stand-in for the mean image of the training set, which has one size: "channel
	// means". "" where there is none.
	Mean string `json:"mean,omitempty"`
}

// MeanOfChannels is Protocol.Mean where a view has another size than the mean image, of which only
// each channel's mean can be subtracted then.
const MeanOfChannels = "channel means"

// sameViews reports whether p and q have the same views of an image, whichever the images are. The
// stand-in for the mean image is not compared: the paper needs one too and does not describe it.
func (p Protocol) sameViews(q Protocol) bool {
	return p.Views == q.Views && p.Height == q.Height && p.Width == q.Width && p.Resize == q.Resize && p.Downsample == q.Downsample && slices.Equal(p.Scales, q.Scales) &&
		p.Flip == q.Flip && p.Combine == q.Combine && p.Interpolation == q.Interpolation
}

// String is the text of the column "protocol": "1 view, 32x32", with the split when it is not the
// test split and with the limit when there is one.
func (p Protocol) String() string {
	parts := []string{p.form()}
	if p.Combine != "" {
		parts = append(parts, string(p.Combine)+" averaged")
	}
	if p.Interpolation != "" {
		parts = append(parts, p.Interpolation)
	}
	if p.Mean != "" {
		parts = append(parts, p.Mean+" for the mean image")
	}
	switch p.Split {
	case "", datasets.Test:
	case datasets.Val:
		parts = append(parts, "validation split")
	case datasets.Train:
		parts = append(parts, "training split")
	default:
		parts = append(parts, "split "+text.Printable(string(p.Split)))
	}
	if p.Limit > 0 {
		parts = append(parts, fmt.Sprintf("first %d images", p.Limit))
	}
	return strings.Join(parts, ", ")
}

// form is the text of the views, without what is averaged.
func (p Protocol) form() string {
	if len(p.Scales) > 0 {
		s := "fully convolutional, shorter side " + joinInts(p.Scales, "/")
		if p.Flip {
			s += " with flips"
		}
		return s
	}
	views := "views"
	if p.Views == 1 {
		views = "view"
	}
	s := fmt.Sprintf("%d %s, %dx%d", p.Views, views, p.Height, p.Width)
	if p.Flip {
		s = fmt.Sprintf("image and mirror image, %dx%d", p.Height, p.Width)
	}
	if p.Resize > 0 {
		s += fmt.Sprintf(" of shorter side %d", p.Resize)
	}
	if p.Downsample > 0 {
		s += fmt.Sprintf(", blocks of %dx%d averaged", p.Downsample, p.Downsample)
	}
	return s
}

func joinInts(list []int, sep string) string {
	text := make([]string, len(list))
	for i, n := range list {
		text[i] = fmt.Sprint(n)
	}
	return strings.Join(text, sep)
}
