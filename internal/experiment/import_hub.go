package experiment

import (
	"fmt"
	"slices"
	"strings"

	"resnet/internal/datasets"
	"resnet/internal/graph/weights"
	"resnet/internal/text"
)

// hubView is the view of an imported network as the files beside its weights say, where flags do
// not. What the record cannot say is noted.
func (o ImportOptions) hubView(v datasets.Preprocessing, hub weights.HubConfig) (datasets.Preprocessing, []string, error) {
	var notes []string
	if o.Mean == "" && len(hub.Mean) == v.Channels && len(hub.Std) == v.Channels {
		n := datasets.Normalizer{Kind: datasets.ChannelMeanStd, Mean: hub.Mean, Std: hub.Std}
		if err := n.Check(v.Channels, v.Side(), v.Side()); err != nil {
			return v, nil, fmt.Errorf("%w: the description of the input beside the weights: %w", weights.ErrFormat, err)
		}
		v.Normalizer = n
	}
	switch {
	case hub.Size == v.Size && hub.Resize >= hub.Size:
		v.Resize = hub.Resize
	case hub.Size > 0:
		notes = append(notes, fmt.Sprintf("It was made for images of %dx%d (shorter side %d); here it sees %dx%d of a shorter side of %d.", hub.Size, hub.Size, hub.Resize, v.Size, v.Size, v.Resize))
	}
	if hub.Warped {
		notes = append(notes, "There images are squeezed to a square; here the middle of the shorter side is cut out.")
	}
	if hub.Interpolation != "" && hub.Interpolation != v.Interpolation {
		other := v
		other.Interpolation = hub.Interpolation
		if other.Check() == nil {
			v = other
		} else {
			notes = append(notes, fmt.Sprintf("Its images were resized by %s interpolation, and here by %s: figures differ a little.", text.Printable(hub.Interpolation), v.Interpolation))
		}
	}
	return v, notes, v.Check()
}

// hubClasses are the names of n classes, nil where there are not so many. Those of ImageNet, which
// the hub gives with all their synonyms, are ours, so that they are found in data sets.
func hubClasses(labels []string, n int) []string {
	if len(labels) != n || n == 0 {
		return nil
	}
	known := datasets.ImageNetClasses()
	if n != len(known) {
		return slices.Clone(labels)
	}
	same := 0
	for i, label := range labels {
		first, _, _ := strings.Cut(label, ",")
		if strings.EqualFold(strings.TrimSpace(first), known[i].Name) || label == known[i].ID {
			same++
		}
	}
	if same*20 >= n*19 { // a few are called otherwise there: crane, maillot
		return datasets.ClassNames("imagenet")
	}
	return slices.Clone(labels)
}
