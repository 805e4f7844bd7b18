package datasets

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Kinds of Normalizer.
const (
	// PixelMean subtracts the training set's mean image (the paper's choice for CIFAR-10): y =
	// x/255 − mean[c, h, w], divided by std[c] where there is one.
	PixelMean = "pixel-mean"
	// ChannelMeanStd makes each channel zero-mean and of unit variance: y = (x/255 − mean[c]) /
	// std[c].
	ChannelMeanStd = "channel-mean-std"
	// NoNormalizing only scales: y = x/255.
	NoNormalizing = "none"
)

// Normalizer maps bytes x to the floats y that a network reads. The zero value is the kind
// NoNormalizing.
type Normalizer struct {
	Kind string    `json:"kind"`
	Mean []float32 `json:"mean,omitempty"` // of x/255: [C, H, W], or [C] for ChannelMeanStd
	Std  []float32 `json:"std,omitempty"`  // of x/255: [C]; for PixelMean [C] or none
}

// Values of Config.Normalize besides the kinds of Normalizer, each of which becomes one of these.
const (
	// NormalizeDataset is ChannelMeanStd as measured on the training images, of every data set.
	NormalizeDataset = "dataset"
	// NormalizeImageNet is ChannelMeanStd with the constants of torchvision's networks; of one
	// channel, their averages.
	NormalizeImageNet = "imagenet"
	// NormalizeCheckpoint is that of the network that a training starts from.
	NormalizeCheckpoint = "checkpoint"
	// NormalizeGiven is Config.Mean and Config.Std.
	NormalizeGiven = "given"
)

// imagenetFor is ImageNetNormalizer for so many channels.
func imagenetFor(channels int) Normalizer {
	n := ImageNetNormalizer()
	if channels == 1 {
		average := func(v []float32) []float32 {
			return []float32{float32((float64(v[0]) + float64(v[1]) + float64(v[2])) / 3)}
		}
		n.Mean, n.Std = average(n.Mean), average(n.Std)
	}
	return n
}

// Given is the normaliser of Config.Mean and Config.Std, numbers with commas between them: one for
// each of the channels, or one for all. It fails with ErrConfig.
func (c Config) Given(channels int) (Normalizer, error) {
	n := Normalizer{Kind: ChannelMeanStd}
	for _, f := range []struct {
		key, list string
		to        *[]float32
	}{{"mean", c.Mean, &n.Mean}, {"std", c.Std, &n.Std}} {
		for part := range strings.SplitSeq(f.list, ",") {
			v, err := strconv.ParseFloat(strings.TrimSpace(part), 32)
			switch {
			case err != nil || v-v != 0:
				return n, faultf(ErrConfig, "data.%s: %q is no number: give one for each channel, such as 0.485, 0.456, 0.406", f.key, strings.TrimSpace(part))
			case math.Abs(v) > 10:
				return n, faultf(ErrConfig, "data.%s: %v is of values from 0 to 255, and here they are from 0 to 1: divide it by 255", f.key, v)
			}
			*f.to = append(*f.to, float32(v))
		}
		if len(*f.to) == 1 {
			*f.to = slices.Repeat(*f.to, channels)
		}
		if len(*f.to) != channels {
			return n, faultf(ErrConfig, "data.%s: %d numbers, and the images have %d channels", f.key, len(*f.to), channels)
		}
	}
	return n, n.Check(channels, 1, 1)
}

// clone shares no memory with n.
func (n Normalizer) clone() Normalizer {
	n.Mean, n.Std = slices.Clone(n.Mean), slices.Clone(n.Std)
	return n
}

// FitNormalizer measures the training split of d, as it is after the validation images are taken
// out, in the view of an evaluation. Sums are whole numbers and the division is in float64, so that
// the result does not depend on the number of threads. A channel without any variation gets the
// deviation 1.
//
// Where Config.MeanImages says so (of imagenet and packed by default), so many images, drawn
// evenly, stand for all, and the result is kept in the user's cache folder: decoding them anew at
// every start would take minutes. The kind ChannelMeanStd of those sets is torchvision's constants,
// so that networks from there fit.
func FitNormalizer(ctx context.Context, d *Dataset, kind string) (Normalizer, error) {
	if kind == "" || kind == NoNormalizing {
		return Normalizer{Kind: NoNormalizing}, nil
	}
	measured := kind == NormalizeDataset
	switch kind {
	case PixelMean, ChannelMeanStd:
	case NormalizeDataset:
		kind = ChannelMeanStd
	case NormalizeImageNet:
		return imagenetFor(d.info.Channels), nil
	default:
		return Normalizer{}, faultf(ErrConfig, "normalize: %q is not %s, %s, %s, %s or %s", kind, PixelMean, ChannelMeanStd, NormalizeDataset, NormalizeImageNet, NoNormalizing)
	}
	if !measured && d.about.fixed != nil && kind == d.about.fixed.Kind {
		return *d.about.fixed, nil
	}
	if d.Len(Train) == 0 {
		return Normalizer{}, faultf(ErrConfig, "%s: no training images to measure the mean of", d.info.Name)
	}
	if d.about.meanImages == 0 {
		return fitNormalizer(ctx, d, kind)
	}
	cache := newMeanCache(d, kind)
	n, key, ok := cache.load()
	if ok && n.Kind == kind && n.Check(d.info.Channels, d.info.Height, d.info.Width) == nil {
		return n, nil
	}
	n, err := fitNormalizer(ctx, d, kind)
	if err == nil {
		cache.save(key, n)
	}
	return n, err
}

func fitNormalizer(ctx context.Context, d *Dataset, kind string) (Normalizer, error) {
	sums, err := measure(ctx, d, Train)
	if err != nil {
		return Normalizer{}, err
	}
	n := Normalizer{Kind: kind}
	if kind == PixelMean {
		n.Mean = make([]float32, len(sums.pixel))
		for i, s := range sums.pixel {
			n.Mean[i] = float32(float64(s) / (255 * float64(sums.images)))
		}
		return n, nil
	}
	mean, std := sums.channels()
	for c := range mean {
		if std[c] == 0 {
			std[c] = 1
		}
		n.Mean = append(n.Mean, float32(mean[c]))
		n.Std = append(n.Std, float32(std[c]))
	}
	return n, nil
}

// sample lists the images that a measurement reads: all, or as many as the configuration says,
// drawn evenly and always alike.
func (d *Dataset) sample(s Split) []int32 {
	order := make([]int32, d.Len(s))
	for i := range order {
		order[i] = int32(i)
	}
	most := d.meanImages
	if most == 0 {
		most = d.about.meanImages
	}
	if most == 0 || most >= len(order) {
		return order
	}
	g := newDraws(streamMean, 0, 0, 0)
	g.permute(order)
	order = order[:most]
	slices.Sort(order)
	return order
}

// moments are exact sums over images.
type moments struct {
	images int
	pixel  []uint64 // [C, H, W] Σx
	square []uint64 // [C] Σx²
}

// add counts an image [C, H, W].
func (m *moments) add(image []byte) {
	plane := len(m.pixel) / len(m.square)
	m.images++
	for c := range m.square {
		var square uint64
		sum := m.pixel[c*plane : (c+1)*plane]
		for j, v := range image[c*plane : (c+1)*plane] {
			sum[j] += uint64(v)
			square += uint64(v) * uint64(v)
		}
		m.square[c] += square
	}
}

// measure sums the sample of a split with one goroutine a processor. Whole numbers add up to the
// same in any order. Corrupt training images are left out where the configuration skips them.
func measure(ctx context.Context, d *Dataset, s Split) (moments, error) {
	size := d.info.Channels * d.info.Height * d.info.Width
	sample := d.sample(s)
	n := len(sample)
	workers := max(1, min(runtime.GOMAXPROCS(0), n))
	parts := make([]moments, workers)
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			m := moments{pixel: make([]uint64, size), square: make([]uint64, d.info.Channels)}
			buf := make([]byte, size)
			var sc scratch
			for _, i := range sample[w*n/workers : (w+1)*n/workers] {
				if errs[w] = ctx.Err(); errs[w] != nil {
					return
				}
				if _, err := d.view(&sc, s, int(i), d.about.view, buf); err != nil {
					if errs[w] = d.skip(s, int(i), err, nil); errs[w] != nil {
						return
					}
					continue
				}
				m.add(buf)
			}
			parts[w] = m
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return moments{}, err
		}
	}
	total := parts[0]
	for _, p := range parts[1:] {
		total.images += p.images
		for i, v := range p.pixel {
			total.pixel[i] += v
		}
		for i, v := range p.square {
			total.square[i] += v
		}
	}
	if total.images == 0 {
		return moments{}, faultf(ErrData, "%s: no image to measure the mean of", d.info.Name)
	}
	return total, nil
}

// channels gives mean and (biased) standard deviation of x/255 for each channel.
func (m moments) channels() (mean, std []float64) {
	n := m.images
	plane := len(m.pixel) / len(m.square)
	count := big.NewInt(int64(n) * int64(plane))
	for c, square := range m.square {
		var sum uint64
		for _, v := range m.pixel[c*plane : (c+1)*plane] {
			sum += v
		}
		// The variance is (count·Σx² − (Σx)²) / count², exact until it is divided: nothing cancels.
		s := new(big.Int).SetUint64(sum)
		v := new(big.Int).Mul(count, new(big.Int).SetUint64(square))
		v.Sub(v, new(big.Int).Mul(s, s))
		variance, _ := new(big.Rat).SetFrac(v, new(big.Int).Mul(count, count)).Float64()
		mean = append(mean, float64(sum)/float64(int64(n)*int64(plane))/255)
		std = append(std, math.Sqrt(variance)/255)
	}
	return mean, std
}

// Apply writes the normalised image src [C, H, W] to dst, which has the same length. Lengths that
// do not fit the normaliser are a programming error: Check them first.
func (n Normalizer) Apply(dst []float32, src []byte) {
	channels := max(1, len(n.Std))
	p := newPreparer(n, Augment{}, channels, 1, len(src)/channels)
	p.plain(dst, src)
}

// Check fails with ErrConfig if the normaliser does not fit images [channels, height, width] or is
// not finite.
func (n Normalizer) Check(channels, height, width int) error {
	mean, std := 0, 0
	switch n.Kind {
	case PixelMean:
		mean = channels * height * width
		if len(n.Std) > 0 {
			std = channels
		}
	case ChannelMeanStd:
		mean, std = channels, channels
	case NoNormalizing, "":
	default:
		return faultf(ErrConfig, "normaliser: unknown kind %q", n.Kind)
	}
	if len(n.Mean) != mean || len(n.Std) != std {
		return faultf(ErrConfig, "normaliser: %s with %d means and %d deviations for images of %d×%d×%d, want %d and %d",
			n.Kind, len(n.Mean), len(n.Std), channels, height, width, mean, std)
	}
	for i, v := range n.Mean {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return faultf(ErrConfig, "normaliser: mean %d is %v", i, v)
		}
	}
	for i, v := range n.Std {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) || v <= 0 {
			return faultf(ErrConfig, "normaliser: deviation %d is %v", i, v)
		}
	}
	return nil
}

// Encode is the normaliser as a JSON text, for the metadata of a checkpoint; DecodeNormalizer reads
// it back to the bit.
func (n Normalizer) Encode() (string, error) {
	text, err := json.Marshal(n)
	if err != nil {
		return "", fmt.Errorf("normaliser: %w", err)
	}
	return string(text), nil
}

// DecodeNormalizer reads what Encode wrote. It fails with ErrData; whether it fits the images is
// for Check to say.
func DecodeNormalizer(text string) (Normalizer, error) {
	var n Normalizer
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		return Normalizer{}, faultf(ErrData, "normaliser: %w", err)
	}
	if n.Kind == "" {
		return Normalizer{}, faultf(ErrData, "normaliser: no kind")
	}
	return n, nil
}
