package datasets

// Config is the `data` section of an experiment.
type Config struct {
	Name       string  `mapstructure:"name" yaml:"name" doc:"data set: cifar10, cifar100, fashion-mnist, mnist, fashion-sample (embedded), imagenet, packed (written by data pack), folder; of speech: fsdd, kaldi, recordings"`
	Dir        string  `mapstructure:"dir" yaml:"dir" doc:"folder that holds it; empty means the user's cache folder"`
	Labels     string  `mapstructure:"labels" yaml:"labels" doc:"imagenet only: text file with the labels of the validation images; empty means the development kit or a file of a usual name in dir"`
	TrainOn    string  `mapstructure:"train_on" yaml:"train_on" doc:"train | test; test trains on the images that are tested on, for a smoke test of a folder without training images"`
	Validation int     `mapstructure:"validation" yaml:"validation" doc:"images held out of the training set, drawn by seed"`
	Normalize  string  `mapstructure:"normalize" yaml:"normalize" doc:"pixel-mean | channel-mean-std | none"`
	MeanImages int     `mapstructure:"mean_images" yaml:"mean_images" doc:"training images, drawn evenly, that the mean is measured on; 0 means all, of imagenet and packed 10,000"`
	Augment    Augment `mapstructure:"augment" yaml:"augment" doc:"training augmentation"`
	Size       int     `mapstructure:"size" yaml:"size" doc:"images of any size (imagenet, packed, folder): pixels of the square that is cut out; 0 means the model's input size"`
	Resize     int     `mapstructure:"resize" yaml:"resize" doc:"images of any size: pixels that the shorter side is resized to before the central square is cut out; 0 means size, of imagenet and packed size x 256/224"`
	Downsample int     `mapstructure:"downsample" yaml:"downsample" doc:"average blocks of this many pixels squared on reading (2: 28x28 becomes 14x14); 1 means none"`
	Limit      int     `mapstructure:"limit" yaml:"limit" doc:"use the first so many training images; 0 means all"`
	Workers    int     `mapstructure:"workers" yaml:"workers" doc:"goroutines that prepare batches; 0 means one, for images of any size one a processor"`
	OnCorrupt  string  `mapstructure:"on_corrupt" yaml:"on_corrupt" doc:"error | skip: what a training image that does not decode does; skip puts another one in its place, names it, and gives up at more than 0.1 % of the images"`
}

// Values of Config.TrainOn and Config.OnCorrupt; empty means the first.
const (
	TrainOnTrain = "train"
	TrainOnTest  = "test"

	CorruptError = "error"
	CorruptSkip  = "skip"
)

// Augment is what is drawn at random for a training image. The zero value draws nothing.
type Augment struct {
	Crop string `mapstructure:"crop" yaml:"crop" doc:"pad (random crop after padding; He et al. 2016, section 4.2) | shorter-side (section 3.4) | resized (torchvision's RandomResizedCrop); the last two for images of any size"`
	Pad  int    `mapstructure:"pad" yaml:"pad" doc:"crop pad: zeros (after normalisation) on each side before the random crop, pixels"`
	Flip bool   `mapstructure:"flip" yaml:"flip" doc:"horizontal flip with probability one half"`

	ShorterMin int     `mapstructure:"shorter_min" yaml:"shorter_min" doc:"crop shorter-side: least length of the shorter side, pixels"`
	ShorterMax int     `mapstructure:"shorter_max" yaml:"shorter_max" doc:"crop shorter-side: greatest length of the shorter side, pixels"`
	AreaMin    float64 `mapstructure:"area_min" yaml:"area_min" doc:"crop resized: least part of the image's area"`
	AspectMax  float64 `mapstructure:"aspect_max" yaml:"aspect_max" doc:"crop resized: greatest ratio of the crop's sides"`
	Color      float64 `mapstructure:"color" yaml:"color" doc:"deviation of the noise along the principal components of ImageNet's colours (Krizhevsky et al. 2012: 0.1); 0 means none"`
}

// Values of Augment.Crop; empty means CropPad.
const (
	CropPad         = "pad"
	CropShorterSide = "shorter-side"
	CropResized     = "resized"
)
