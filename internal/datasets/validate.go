package datasets

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"resnet/internal/fielderr"
)

// DefaultConfig is what a field left out means: the paper's CIFAR-10 (He et al. 2016, section 4.2).
func DefaultConfig() Config {
	return Config{
		Name: "cifar10", Normalize: PixelMean, Downsample: 1, Test: 0.2, TrainOn: TrainOnTrain, OnCorrupt: CorruptError, Sampling: SamplingShuffle,
		Augment: Augment{Crop: CropPad, Pad: 4, Flip: true, ShorterMin: 256, ShorterMax: 480, AreaMin: 0.08, AspectMax: 4.0 / 3, Policy: PolicyNone, Layers: 2, Magnitude: 9},
	}
}

// Bare is the configuration of a data set that is looked at, without a training.
func Bare(name string) Config {
	return Config{Name: name, Downsample: 1, Test: DefaultConfig().Test}
}

// AllTest is a Config.Test that takes all images of a folder without splits.
const AllTest = math.MaxInt32

// Validate returns every error of the section, in the order of its fields; nil when there is none.
// It looks at no file.
func (c Config) Validate() []fielderr.Error {
	v := checks{fielderr.List{Section: "data"}}
	if _, ok := registry()[c.Name]; !ok && !IsSpeech(c.Name) {
		v.Add("name", "", "unknown data set %q%s", c.Name, suggest(c.Name))
	}
	if c.Dir == "" && c.Name == "folder" {
		v.Add("dir", "the folder that holds train/CLASS/*.png and test/CLASS/*.png", "a folder of images needs one")
	}
	if c.Dir == "" && c.Name == "packed" {
		v.Add("dir", "the folder that `resnet data pack --out` wrote", "a pack needs one")
	}
	if c.Dir == "" && c.Name == "parquet" {
		v.Add("dir", "the folder that holds data/train-00000-of-00001.parquet", "Parquet files need one")
	}
	if c.Labels != "" && c.Name != "imagenet" && c.Name != "folder" {
		v.Add("labels", "", "%s has labels of its own: this is for imagenet and folder", c.Name)
	}
	if c.LabelPattern != "" {
		switch _, err := parseLabelPattern(c.LabelPattern); {
		case err != nil:
			v.Add("label_pattern", NameNumber+" is for names such as cat.0.jpg", "%v", err)
		case c.Name != "folder":
			v.Add("label_pattern", "", "%s has labels of its own: this is for folder", c.Name)
		case c.Labels != "":
			v.Add("label_pattern", "leave one of them out", "data.labels gives the classes already")
		}
	}
	v.oneOf("train_on", c.TrainOn, TrainOnTrain, TrainOnTest)
	if c.TrainOn == TrainOnTest && !AnySize(c.Name) {
		v.Add("train_on", "", "%s has training images", c.Name)
	}
	v.part("validation", c.Validation, "0 holds out none")
	v.oneOf("validation_draw", c.Draw, DrawStratified, DrawUniform)
	v.part("test", c.Test, "0.2 is a fifth of each class")
	if c.Split != "" && c.Name != "folder" {
		v.Add("split", "", "%s has splits of its own: this is for folder", c.Name)
	}
	v.oneOf("normalize", c.Normalize, PixelMean, ChannelMeanStd, NoNormalizing, NormalizeDataset, NormalizeImageNet, NormalizeCheckpoint, NormalizeGiven)
	switch given := c.Normalize == NormalizeGiven; {
	case given && (c.Mean == "" || c.Std == ""):
		v.Add("normalize", "set data.mean and data.std, numbers from 0 to 1", "%s needs both", NormalizeGiven)
	case !given && c.Mean+c.Std != "":
		v.Add("normalize", "set data.normalize to "+NormalizeGiven, "%s is in force, and data.mean and data.std are set", cmp.Or(c.Normalize, NoNormalizing))
	}
	v.between("mean_images", c.MeanImages, math.MaxInt32, "0 means all, of imagenet and packed 10,000")
	c.Augment.validate(&v, AnySize(c.Name))
	v.between("size", c.Size, maxSize, "0 means the model's input size")
	v.between("resize", c.Resize, maxSize, "0 means the size, of imagenet and packed size x 256/224")
	v.oneOf("interpolation", c.Interpolation, Bilinear, Bicubic)
	v.oneOf("orientation", c.Orientation, OrientExif, OrientStored)
	if c.Orientation == OrientExif && !AnySize(c.Name) {
		v.Add("orientation", "leave it out", "the images of %s have no EXIF: this is for imagenet, packed, folder and parquet", c.Name)
	}
	if c.Channels != 0 && c.Channels != 1 && c.Channels != 3 || c.Channels != 0 && !AnySize(c.Name) {
		v.Add("channels", "0 means as the network", "%d channels: 1 or 3, for images of any size", c.Channels)
	}
	v.between("downsample", c.Downsample, maxSize, "1 means none")
	v.between("limit", c.Limit, math.MaxInt32, "0 means all")
	v.oneOf("sampling", c.Sampling, SamplingShuffle, SamplingBalanced)
	v.between("workers", c.Workers, math.MaxInt32, "0 means one, for images of any size one a processor")
	v.oneOf("on_corrupt", c.OnCorrupt, CorruptError, CorruptSkip)
	return v.Errors
}

// checks are those of values, over the list of what is wrong.
type checks struct{ fielderr.List }

// between refuses numbers below 0 and above most.
func (v *checks) between(path string, n, most int, hint string) {
	if n < 0 {
		v.Add(path, hint, "%d is negative", n)
	}
	if n > most {
		v.Add(path, hint, "%d, and %d at most are possible", n, most)
	}
}

// part refuses what is neither a fraction below 1 nor a whole number.
func (v *checks) part(path string, n float64, hint string) {
	if !(n >= 0 && n <= math.MaxInt32) || n >= 1 && n != math.Trunc(n) {
		v.Add(path, hint, "%v is neither a fraction below 1 nor a number of images", n)
	}
}

// oneOf refuses a text that is none of those allowed; empty means the default.
func (v *checks) oneOf(path, text string, allowed ...string) {
	if text != "" && !slices.Contains(allowed, text) {
		v.Add(path, strings.Join(allowed, ", "), "unknown choice %q", text)
	}
}

// validate reports the errors of the section; anySize says that the data set has images of sizes of
// their own.
func (a Augment) validate(v *checks, anySize bool) {
	v.oneOf("augment.crop", a.Crop, CropPad, CropShorterSide, CropResized)
	if a.anySize() && !anySize {
		v.Add("augment.crop", "use "+CropPad, "%s is for images of any size: those of imagenet, packed, folder and parquet", a.Crop)
	}
	v.between("augment.pad", a.Pad, maxSize, "the paper pads 4 pixels")
	if a.ShorterMin < 0 || a.ShorterMax < a.ShorterMin || a.ShorterMax > maxSize {
		v.Add("augment.shorter_min", "the paper draws from 256 to 480", "from %d to %d pixels", a.ShorterMin, a.ShorterMax)
	}
	if !(a.AreaMin >= 0 && a.AreaMin <= 1) {
		v.Add("augment.area_min", "torchvision has 0.08", "%v is not between 0 and 1", a.AreaMin)
	}
	if a.AspectMax != 0 && !(a.AspectMax >= 1 && a.AspectMax <= maxAspect) {
		v.Add("augment.aspect_max", "torchvision has 4/3", "%v is not between 1 and %d", a.AspectMax, maxAspect)
	}
	a.validateEdits(v)
	if !(a.Color >= 0 && a.Color <= 10) {
		v.Add("augment.color", "AlexNet has 0.1", "%v is not between 0 and 10", a.Color)
	}
}

// AnySize says that the images of a data set have sizes of their own: Config.Size and
// Config.Resize, and the random crops of Augment, are for those.
func AnySize(name string) bool { return registry()[name].resize != nil }

// maxSize bounds Config.Size: 4096 pixels squared are 50 MB an image as bytes, 200 MB as floats.
const maxSize = 4096

// speech are the corpora of package corpus, which share the data section with the data sets of
// images, and what they are.
var speech = map[string]string{
	"fsdd":       "Free Spoken Digit Dataset: recordings named DIGIT_SPEAKER_K.wav",
	"kaldi":      "a Kaldi data directory: feats.scp or wav.scp, utt2spk, labels by frame or utterance",
	"recordings": "a folder of recordings, with a table of their labels",
}

// SpeechNames lists the corpora of speech in the order of their names.
func SpeechNames() []string { return slices.Sorted(maps.Keys(speech)) }

// IsSpeech reports whether a data set of that name is a speech corpus, which package corpus opens.
func IsSpeech(name string) bool { return speech[name] != "" }
