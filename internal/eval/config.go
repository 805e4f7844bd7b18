package eval

// Config is the `eval` section of an experiment.
type Config struct {
	Every       int  `mapstructure:"every" yaml:"every" doc:"iterations between evaluations; 0 means by every_epochs"`
	EveryEpochs int  `mapstructure:"every_epochs" yaml:"every_epochs" doc:"epochs between evaluations, when every is 0; 0 means only at the end"`
	TrainSet    bool `mapstructure:"train_set" yaml:"train_set" doc:"measure the training images too, without augmentation and with the running statistics: train_eval_loss and train_eval_error of metrics.csv"`
	Batch       int  `mapstructure:"batch" yaml:"batch" doc:"images evaluated together; fewer than 16 are rounded otherwise, in the last bits"`
}
