package blocks

// FromCheckpoint is a Config.Name that stands for the architecture of Config.Weights. Whoever opens
// these puts that name in its place: see Config.Take.
const FromCheckpoint = "checkpoint"

// Config is the `model` section of an experiment: a row of the table by name, or a family with a
// depth; the other fields override the row's own where they are not empty. It begins as
// DefaultConfig: a Config without BatchNorm is one of networks without it.
type Config struct {
	Name          string       `mapstructure:"name" yaml:"name" doc:"row of the table of architectures, e.g. resnet20; checkpoint means that of model.weights"`
	Family        string       `mapstructure:"family" yaml:"family" doc:"cifar: build depth 6n+2 instead of naming a row"`
	Depth         int          `mapstructure:"depth" yaml:"depth" doc:"layers, with family"`
	Residual      bool         `mapstructure:"residual" yaml:"residual" doc:"with family: shortcuts or none"`
	Shortcut      string       `mapstructure:"shortcut" yaml:"shortcut" doc:"A | B | C; empty means the row's own"`
	ShortcutPad   string       `mapstructure:"shortcut_pad" yaml:"shortcut_pad" doc:"where option A puts its zero channels: sides | end"`
	Activation    string       `mapstructure:"activation" yaml:"activation" doc:"relu | sigmoid | elu, of residual and plain networks of images; empty means the row's own"`
	BatchNorm     bool         `mapstructure:"batch_norm" yaml:"batch_norm" doc:"false: residual and plain networks of images have biases in their convolutions instead of batch normalisation"`
	StemKernel    int          `mapstructure:"stem_kernel" yaml:"stem_kernel" doc:"3 | 5 | 7, of the first convolution of residual and plain networks of images; 0 means the row's own"`
	Dropout       float64      `mapstructure:"dropout" yaml:"dropout" doc:"of WRN: probability between the convolutions of a block; 0 means none"`
	Classes       int          `mapstructure:"classes" yaml:"classes" doc:"0 means the data set's"`
	InputChannels int          `mapstructure:"input_channels" yaml:"input_channels" doc:"0 means the data set's"`
	InputSize     int          `mapstructure:"input_size" yaml:"input_size" doc:"pixels; 0 means the data set's"`
	BNEps         float64      `mapstructure:"bn_eps" yaml:"bn_eps" doc:"added to the variance in batch normalisation; 0 means the row's own: 1e-5, for googlenet-bn 1e-3"`
	BNMomentum    float64      `mapstructure:"bn_momentum" yaml:"bn_momentum" doc:"running = (1-m)*running + m*batch"`
	ZeroInit      bool         `mapstructure:"zero_init_residual" yaml:"zero_init_residual" doc:"γ of the last normalisation of each residual branch begins as 0 instead of 1, so that blocks begin as their shortcuts (Goyal et al. 2017)"`
	DropPath      float64      `mapstructure:"stochastic_depth" yaml:"stochastic_depth" doc:"probability that the last residual branch is left out for an image in training; it rises evenly from 0 of the first (Huang et al. 2016)"`
	Weights       string       `mapstructure:"weights" yaml:"weights" doc:"fine-tuning: a checkpoint to start from, or a file of another program that import reads; the classifier is new where the classes differ in number"`
	Speech        SpeechConfig `mapstructure:"speech" yaml:"speech" doc:"networks of speech: what is not the row's own"`
}

// Take names the architecture of a checkpoint, with what its name does not say, in place of
// FromCheckpoint. What the section sets itself stays.
func (c *Config) Take(s Spec) {
	c.Name = s.Name
	if c.BNEps == 0 && !s.NoBatchNorm {
		c.BNEps = s.BNEps
	}
	if c.Dropout == 0 {
		c.Dropout = s.DropRate
	}
	if s.Shortcut == OptionA && s.PadEnd {
		c.ShortcutPad = "end"
	}
	if c.InputChannels == 0 {
		c.InputChannels = s.InputChannels
	}
}
