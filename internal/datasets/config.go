package datasets

// Config is the `data` section of an experiment.
type Config struct {
	Name       string  `mapstructure:"name" yaml:"name" doc:"data set: cifar10, cifar100, fashion-mnist, mnist, fashion-sample (embedded), folder"`
	Dir        string  `mapstructure:"dir" yaml:"dir" doc:"folder that holds it; empty means the user's cache folder"`
	Validation int     `mapstructure:"validation" yaml:"validation" doc:"images held out of the training set, drawn by seed"`
	Normalize  string  `mapstructure:"normalize" yaml:"normalize" doc:"pixel-mean | channel-mean-std | none"`
	Augment    Augment `mapstructure:"augment" yaml:"augment" doc:"training augmentation"`
	Size       int     `mapstructure:"size" yaml:"size" doc:"folder only: images are resized to size x size pixels; 0 means the model's input size"`
	Downsample int     `mapstructure:"downsample" yaml:"downsample" doc:"average blocks of this many pixels squared on reading (2: 28x28 becomes 14x14); 1 means none"`
	Limit      int     `mapstructure:"limit" yaml:"limit" doc:"use the first so many training images; 0 means all"`
	Workers    int     `mapstructure:"workers" yaml:"workers" doc:"goroutines that prepare batches; 0 means one"`
}

// Augment is the paper's augmentation: pad on each side, random crop to the original size, random horizontal flip.
type Augment struct {
	Pad  int  `mapstructure:"pad" yaml:"pad" doc:"zeros (after normalisation) on each side before the random crop, pixels"`
	Flip bool `mapstructure:"flip" yaml:"flip" doc:"horizontal flip with probability one half"`
}
