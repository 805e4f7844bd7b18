package eval

import (
	"fmt"
	"strings"

	"resnet/internal/datasets"
)

// A Protocol is how images were looked at and which. Figures are comparable only when their protocols are equal.
type Protocol struct {
	Views  int // crops and flips of an image whose scores are combined: 1 is the image, or its centre
	Height int // pixels of a view
	Width  int
	Split  datasets.Split // "" means Test
	Limit  int            // only the first so many images; 0 means all
	// Resize is what the shorter side was resized to before the views were cut, in pixels; 0 means that the image is the view.
	Resize int
	// Scales are the shorter sides of fully convolutional testing, whose scores are averaged; Views, Height, Width and Resize mean nothing then.
	Scales []int
}

// String is the text of the column "protocol": "1 view, 32x32", with the split when it is not the test split and with the
// limit when there is one.
func (p Protocol) String() string {
	var b strings.Builder
	switch {
	case len(p.Scales) > 0:
		b.WriteString("fully convolutional, shorter side ")
		for i, s := range p.Scales {
			if i > 0 {
				b.WriteString("/")
			}
			fmt.Fprint(&b, s)
		}
	default:
		views := "views"
		if p.Views == 1 {
			views = "view"
		}
		fmt.Fprintf(&b, "%d %s, %dx%d", p.Views, views, p.Height, p.Width)
		if p.Resize > 0 {
			fmt.Fprintf(&b, " of shorter side %d", p.Resize)
		}
	}
	switch p.Split {
	case "", datasets.Test:
	case datasets.Val:
		b.WriteString(", validation split")
	case datasets.Train:
		b.WriteString(", training split")
	default:
		fmt.Fprintf(&b, ", split %s", Printable(string(p.Split)))
	}
	if p.Limit > 0 {
		fmt.Fprintf(&b, ", first %d images", p.Limit)
	}
	return b.String()
}
