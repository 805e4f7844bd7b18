package datasets

// Config is the `data` section of an experiment.
type Config struct {
	Name          string  `mapstructure:"name" yaml:"name" doc:"data set: cifar10, cifar100, fashion-mnist, mnist, fashion-sample (embedded), imagenet, packed (written by data pack), folder, parquet (of the Hugging Face hub), webdataset; of speech: fsdd, kaldi, recordings"`
	Dir           string  `mapstructure:"dir" yaml:"dir" doc:"folder that holds it; empty means the user's cache folder"`
	Labels        string  `mapstructure:"labels" yaml:"labels" doc:"imagenet: text file with the labels of the validation images; empty means the development kit or a file of a usual name in dir; folder: table of file names and classes (CSV)"`
	LabelPattern  string  `mapstructure:"label_pattern" yaml:"label_pattern" doc:"folder: takes the class out of an image's path: name-number (cat.0.jpg, cat_12.jpg, cat003.jpg), or a regular expression on the path below dir, whose group (?P<class>...), or first one, is the class; (?P<split>...) is train, val or test"`
	TrainOn       string  `mapstructure:"train_on" yaml:"train_on" doc:"train | test; test trains on the images that are tested on, for a smoke test of a folder without training images"`
	Validation    float64 `mapstructure:"validation" yaml:"validation" doc:"images held out of the training set, drawn by seed: their number, or below 1 a fraction"`
	Draw          string  `mapstructure:"validation_draw" yaml:"validation_draw" doc:"stratified (of each class its share) | uniform (whichever come); empty means stratified, and uniform for a number of images of sets of one size, whose splits are the paper's"`
	Test          float64 `mapstructure:"test" yaml:"test" doc:"folder without train/ and test/: images that are held out as the test images, of each class its share: a fraction, or from 1 their number"`
	SplitSeed     uint64  `mapstructure:"split_seed" yaml:"split_seed" doc:"folder without train/ and test/: draws its test images"`
	Split         string  `mapstructure:"split" yaml:"split" doc:"folder without train/ and test/: table (path,split) that says which image is in train, val or test; empty means split.csv in dir, or drawing"`
	Normalize     string  `mapstructure:"normalize" yaml:"normalize" doc:"pixel-mean | channel-mean-std (of imagenet torchvision's) | none | dataset (channels as measured) | imagenet (torchvision's) | checkpoint (as model.weights) | {mean: [...], std: [...]}, which is given"`
	Mean          string  `mapstructure:"mean" yaml:"mean" numbers:"true" doc:"data.normalize given: number for each channel of values from 0 to 1, subtracted"`
	Std           string  `mapstructure:"std" yaml:"std" numbers:"true" doc:"data.normalize given: number for each channel that divides what is left"`
	MeanImages    int     `mapstructure:"mean_images" yaml:"mean_images" doc:"training images, drawn evenly, that the mean is measured on; 0 means all, of imagenet and packed 10,000"`
	Augment       Augment `mapstructure:"augment" yaml:"augment" doc:"training augmentation"`
	Size          int     `mapstructure:"size" yaml:"size" doc:"images of any size (imagenet, packed, folder, parquet, webdataset): pixels of the square that is cut out; 0 means the model's input size"`
	Resize        int     `mapstructure:"resize" yaml:"resize" doc:"images of any size: pixels that the shorter side is resized to before the central square is cut out; 0 means size, of imagenet and packed size x 256/224"`
	Interpolation string  `mapstructure:"interpolation" yaml:"interpolation" doc:"images of any size: bilinear | bicubic, both as Pillow resizes; empty means bilinear"`
	Orientation   string  `mapstructure:"orientation" yaml:"orientation" doc:"images of any size: exif turns them as their EXIF orientation says; stored takes the pixels as they are, as torchvision does; empty means exif for a folder, stored for imagenet, and of packed what was packed"`
	Channels      int     `mapstructure:"channels" yaml:"channels" doc:"images of any size: 3, or 1 for their luma; 0 means as the network: 1 where model.input_channels or model.weights have 1"`
	Downsample    int     `mapstructure:"downsample" yaml:"downsample" doc:"average blocks of this many pixels squared on reading (2: 28x28 becomes 14x14); 1 means none"`
	Sampling      string  `mapstructure:"sampling" yaml:"sampling" doc:"shuffle (every image once an epoch) | balanced (as many images, each of a class drawn evenly: with replacement)"`
	Limit         int     `mapstructure:"limit" yaml:"limit" doc:"use the first so many training images; 0 means all"`
	Workers       int     `mapstructure:"workers" yaml:"workers" doc:"goroutines that prepare batches; 0 means one, for images of any size one a processor"`
	OnCorrupt     string  `mapstructure:"on_corrupt" yaml:"on_corrupt" doc:"error | skip: what a training image that does not decode does; skip puts another one in its place, names it, and gives up at more than 0.1 % of the images"`
}

// Values of Config.TrainOn and Config.OnCorrupt, of which empty means the first, and of
// Config.Draw.
const (
	TrainOnTrain = "train"
	TrainOnTest  = "test"

	DrawStratified = "stratified"
	DrawUniform    = "uniform"

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
	Rotate     float64 `mapstructure:"rotate" yaml:"rotate" doc:"turn by an angle drawn from so many degrees either way (torchvision's RandomRotation); 0 means never"`
	Policy     string  `mapstructure:"policy" yaml:"policy" doc:"none | trivial (TrivialAugmentWide, Müller and Hutter 2021) | rand (RandAugment, Cubuk et al. 2020); torchvision's operations on bytes, after the crop, or of crop pad before it"`
	Layers     int     `mapstructure:"rand_layers" yaml:"rand_layers" doc:"policy rand: operations one after another"`
	Magnitude  int     `mapstructure:"rand_magnitude" yaml:"rand_magnitude" doc:"policy rand: their magnitude, 0 to 30"`
	Brightness float64 `mapstructure:"brightness" yaml:"brightness" doc:"factor drawn from 1 - x to 1 + x (torchvision's ColorJitter, as the next three); 0 means none"`
	Contrast   float64 `mapstructure:"contrast" yaml:"contrast" doc:"factor drawn from 1 - x to 1 + x; 0 means none"`
	Saturation float64 `mapstructure:"saturation" yaml:"saturation" doc:"factor drawn from 1 - x to 1 + x; 0 means none"`
	Hue        float64 `mapstructure:"hue" yaml:"hue" doc:"turn of the hue drawn from -x to x, a part of the circle up to 0.5; 0 means none"`
	Erase      float64 `mapstructure:"erase" yaml:"erase" doc:"probability that a rectangle becomes 0 after normalisation (random erasing, Zhong et al. 2020, with torchvision's areas)"`
	Mixup      float64 `mapstructure:"mixup" yaml:"mixup" doc:"α of the Beta distribution of mixup's shares (Zhang et al. 2018); 0 means none; with cutmix each batch has one of the two. The training error then counts the label of the larger share"`
	CutMix     float64 `mapstructure:"cutmix" yaml:"cutmix" doc:"α of the Beta distribution of CutMix's areas (Yun et al. 2019); 0 means none"`
	Views      int     `mapstructure:"views" yaml:"views" doc:"so many augmentations of each image, one after another epoch by epoch and then again, so that features of frozen layers can be kept (train.cache_features); 0 means new ones in each epoch"`
	Color      float64 `mapstructure:"color" yaml:"color" doc:"deviation of the noise along the principal components of ImageNet's colours (Krizhevsky et al. 2012: 0.1); 0 means none"`
}

// Values of Augment.Policy and Config.Sampling; empty means the first.
const (
	PolicyNone    = "none"
	PolicyTrivial = "trivial"
	PolicyRand    = "rand"

	SamplingShuffle  = "shuffle"
	SamplingBalanced = "balanced"
)

// Values of Augment.Crop; empty means CropPad.
const (
	CropPad         = "pad"
	CropShorterSide = "shorter-side"
	CropResized     = "resized"
)
