package experiment

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/graph/weights"
	"resnet/internal/text"
)

// The orders of an image's channels.
const (
	orderRGB = "rgb"
	orderBGR = "bgr"
)

// order is that in which the file's network takes colours.
func (o ImportOptions) order(s blocks.Spec, in weights.Input) string {
	switch {
	case s.InputChannels != 3:
		return orderRGB
	case o.Channels != "":
		return o.Channels
	case in.BGR:
		return orderBGR
	}
	return orderRGB
}

// isNumbers reports whether a flag is a list of numbers and no name of a file.
func isNumbers(flag string) bool {
	return strings.Trim(flag, "0123456789.,+-eE ") == ""
}

// normalizer is how values from 0 to 1 become the network's input: as the flags say, and otherwise
// as the program that wrote the file is known to do. Networks that take values from 0 to 255 have
// deviations of 1/255, which is the same.
func (o ImportOptions) normalizer(s blocks.Spec, in weights.Input, order string) (datasets.Normalizer, error) {
	n := datasets.Normalizer{Kind: datasets.ChannelMeanStd}
	var err error
	switch {
	case o.Mean != "" && !isNumbers(o.Mean):
		if o.Std != "" {
			return n, config.Usagef("import: --mean %s is a mean image, which goes with values from 0 to 255 and no --std", o.Mean)
		}
		return meanImage(o.Mean, s, order)
	case o.Mean != "" && o.Std == "" && !in.Bytes:
		return n, config.Usagef("import: --mean and --std belong together")
	case o.Mean != "":
		if n.Mean, err = channelValues("mean", o.Mean, s.InputChannels, false); err != nil {
			return n, err
		}
		if o.Std == "" { // values from 0 to 255
			for i := range n.Mean {
				n.Mean[i] /= 255
			}
			n.Std = perByte(s.InputChannels)
			return n, nil
		}
		n.Std, err = channelValues("std", o.Std, s.InputChannels, true)
		return n, err
	case in.Bytes:
		n.Mean, n.Std = make([]float32, s.InputChannels), perByte(s.InputChannels)
		if len(in.Mean) == s.InputChannels {
			for i, v := range in.Mean {
				n.Mean[i] = v / 255
			}
		}
		return n, nil
	case o.Look.Preset != "" && s.InputChannels == 3:
		return datasets.ImageNetNormalizer(), nil
	case in.Half:
		for range s.InputChannels {
			n.Mean, n.Std = append(n.Mean, 0.5), append(n.Std, 0.5)
		}
		return n, nil
	}
	return datasets.Normalizer{Kind: datasets.NoNormalizing}, nil
}

// perByte are the deviations of a network that takes values from 0 to 255.
func perByte(channels int) []float32 {
	std := make([]float32, channels)
	for i := range std {
		std[i] = 1. / 255
	}
	return std
}

// meanImage is the normaliser of a mean image of Caffe, of the size of the network's input or
// larger: the middle of it then, as Caffe cuts it where it cuts the image.
func meanImage(path string, s blocks.Spec, order string) (datasets.Normalizer, error) {
	n := datasets.Normalizer{Kind: datasets.PixelMean, Std: perByte(s.InputChannels)}
	values, shape, err := weights.ReadCaffeMean(path)
	if errors.Is(err, fs.ErrNotExist) {
		return n, missingf("%s: no such file", path)
	}
	if err != nil {
		return n, err
	}
	c, h, w, side := shape[0], shape[1], shape[2], s.InputSize
	if c != s.InputChannels || h < side || w < side {
		return n, config.Usagef("import: --mean %s: a mean image of %d channels and %dx%d pixels, and %s takes %d of %dx%d", path, c, h, w, s.Name, s.InputChannels, side, side)
	}
	top, left := (h-side)/2, (w-side)/2
	for k := range c {
		for y := range side {
			row := values[(k*h+top+y)*w+left:]
			n.Mean = append(n.Mean, row[:side]...)
		}
	}
	for i := range n.Mean {
		n.Mean[i] /= 255
	}
	if order == orderBGR {
		weights.ReverseColours(n.Mean, side*side)
	}
	return n, nil
}

// averages are the means of each plane of a mean image.
func averages(image []float32, channels int) []float32 {
	list := make([]float32, channels)
	area := len(image) / channels
	for c := range list {
		sum := 0.0
		for _, v := range image[c*area : (c+1)*area] {
			sum += float64(v)
		}
		list[c] = float32(sum / float64(area))
	}
	return list
}

// channelValues reads a finite number for each channel; above says that they have to be above zero.
func channelValues(flag, list string, channels int, above bool) ([]float32, error) {
	parts := strings.Split(list, ",")
	if len(parts) != channels {
		return nil, config.Usagef("import: --%s %s: %s, and the network takes %s", flag, list, text.Count(len(parts), "value"), text.Count(channels, "channel"))
	}
	values := make([]float32, channels)
	for i, p := range parts {
		v, err := strconv.ParseFloat(strings.TrimSpace(p), 32)
		if err != nil || v-v != 0 || above && v <= 0 {
			return nil, config.Usagef("import: --%s %s: %q is not a number that can be used", flag, list, p)
		}
		values[i] = float32(v)
	}
	return values, nil
}
