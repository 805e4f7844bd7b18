package eval

// Config is the `eval` section of an experiment.
type Config struct {
	Every       int `mapstructure:"every" yaml:"every" doc:"iterations between evaluations; 0 means by every_epochs"`
	EveryEpochs int `mapstructure:"every_epochs" yaml:"every_epochs" doc:"epochs between evaluations, when every is 0; 0 means only at the end"`
	Batch       int `mapstructure:"batch" yaml:"batch" doc:"images evaluated together; does not change the figures"`
}
