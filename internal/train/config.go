package train

// Config is the `train` section of an experiment.
type Config struct {
	Batch       int        `mapstructure:"batch" yaml:"batch" doc:"images of a micro-batch, which is normalised by its own statistics"`
	Accumulate  int        `mapstructure:"accumulate" yaml:"accumulate" doc:"micro-batches whose mean gradient makes an update, like so many GPUs"`
	Iterations  int        `mapstructure:"iterations" yaml:"iterations" doc:"updates; 0 means by epochs"`
	Epochs      int        `mapstructure:"epochs" yaml:"epochs" doc:"passes over the training set, when iterations is 0"`
	Precision   string     `mapstructure:"precision" yaml:"precision" doc:"float32 | bfloat16: of activations in memory and of what convolutions multiply; the weights that are updated and saved, statistics, sums and the loss are float32 in both"`
	Seed        uint64     `mapstructure:"seed" yaml:"seed" doc:"keys initialisation, order, augmentation, dropout and the validation split"`
	Optimizer   Optimizer  `mapstructure:"optimizer" yaml:"optimizer" doc:"how gradients change the parameters"`
	Schedule    Schedule   `mapstructure:"schedule" yaml:"schedule" doc:"learning rate"`
	Checkpoint  Checkpoint `mapstructure:"checkpoint" yaml:"checkpoint" doc:"when to save"`
	BNRecompute int        `mapstructure:"bn_recompute" yaml:"bn_recompute" doc:"after training, recompute batch-norm statistics as strict averages over so many training images; 0 means keep the running averages"`
	Loss        string     `mapstructure:"loss" yaml:"loss" doc:"softmax | binary: the cross-entropy of a softmax over the classes, or of a decision for each class (BCE, Wightman et al. 2021)"`
	Smoothing   float64    `mapstructure:"label_smoothing" yaml:"label_smoothing" doc:"share of each target that is spread evenly over all classes (Szegedy et al. 2016); 0 means none"`
	Weights     string     `mapstructure:"class_weights" yaml:"class_weights" doc:"none | balanced: weigh the loss of each class by images / (classes x images of the class)"`
	EMA         EMA        `mapstructure:"ema" yaml:"ema" doc:"a moving average of weights and statistics, which is evaluated, saved as the model and exported"`
	EarlyStop   EarlyStop  `mapstructure:"early_stopping" yaml:"early_stopping" doc:"end when the error of the validation split stops falling"`
	Features    bool       `mapstructure:"cache_features" yaml:"cache_features" doc:"fine-tuning with optimizer.freeze_statistics: what the frozen layers make of each image, in each of data.augment.views, is computed once and kept in the run folder; the results are the same to the bit"`
	ClipNorm    float64    `mapstructure:"clip_norm" yaml:"clip_norm" doc:"scale the gradient of an update down to this norm, over all parameters together; 0 means never"`
	OnNonfinite string     `mapstructure:"on_nonfinite" yaml:"on_nonfinite" doc:"stop | skip | rollback"`
	TensorBoard bool       `mapstructure:"tensorboard" yaml:"tensorboard" doc:"write the curves to an event file for TensorBoard in the run folder, too"`
	OnSaveError string     `mapstructure:"on_save_error" yaml:"on_save_error" doc:"stop | continue"`
}

// EMA is average = Decay·average + (1-Decay)·values after each Every-th update, of parameters and
// running statistics: timm's ModelEmaV2. It begins with the values before the first update.
type EMA struct {
	Decay float64 `mapstructure:"decay" yaml:"decay" doc:"how much of the average is kept; 0 means no average; 0.999 averages over about 1,000 updates"`
	Every int     `mapstructure:"every" yaml:"every" doc:"updates between two averagings"`
}

// EarlyStop ends a training when the validation error has not fallen by Threshold percentage points
// for Patience evaluations.
type EarlyStop struct {
	Patience  int     `mapstructure:"patience" yaml:"patience" doc:"evaluations without improvement; 0 means never"`
	Threshold float64 `mapstructure:"threshold" yaml:"threshold" doc:"percentage points that count as improvement"`
}

// Optimizer is SGD or Adam in PyTorch's form. SGD: v = m*v + (g + wd*w); w -= rate * v, or with
// Nesterov w -= rate * (g + wd*w + m*v). Adam: see type Adam.
type Optimizer struct {
	Name        string  `mapstructure:"name" yaml:"name" doc:"sgd | adam | adamw (decay apart from the gradient) | lars (You et al. 2017) | lamb (You et al. 2020)"`
	Momentum    float64 `mapstructure:"momentum" yaml:"momentum" doc:"sgd, lars: 0 means none"`
	Nesterov    bool    `mapstructure:"nesterov" yaml:"nesterov" doc:"sgd, lars: look-ahead momentum"`
	Beta1       float64 `mapstructure:"beta1" yaml:"beta1" doc:"adam, adamw, lamb: how much of the mean gradient is kept"`
	Beta2       float64 `mapstructure:"beta2" yaml:"beta2" doc:"adam, adamw, lamb: how much of the mean squared gradient is kept"`
	Epsilon     float64 `mapstructure:"epsilon" yaml:"epsilon" doc:"adam, adamw, lamb: added to the root of the mean square; lars: added to the norms"`
	Trust       float64 `mapstructure:"trust" yaml:"trust" doc:"lars: the length of an update as a part of the length of the weights, before the rate"`
	WeightDecay float64 `mapstructure:"weight_decay" yaml:"weight_decay" doc:"L2, added to the gradient; adamw: taken from the weights, times the rate"`
	Decay       string  `mapstructure:"decay_parameters" yaml:"decay_parameters" doc:"all | weights: whether biases, γ and β decay too; the paper does not say, PyTorch decays all; slopes of PReLU never do"`
	Freeze      string  `mapstructure:"freeze" yaml:"freeze" doc:"fine-tuning: layers or stages that are not updated, separated by commas, e.g. conv1,bn1,layer1; backbone means all but the classifier"`
	FreezeStats bool    `mapstructure:"freeze_statistics" yaml:"freeze_statistics" doc:"fine-tuning: frozen layers, which have to be the first ones of the network, normalise with their running statistics and keep them; otherwise with the batch's, and theirs go on"`
	HeadRate    float64 `mapstructure:"head_rate" yaml:"head_rate" doc:"fine-tuning: the classifier's learning rate as a multiple of the others'"`
}

// Schedule gives the learning rate of each update. At most one of Drop, Cosine and Plateau is in
// force.
type Schedule struct {
	Rate    float64 `mapstructure:"rate" yaml:"rate" doc:"learning rate"`
	RateFor int     `mapstructure:"rate_for_batch" yaml:"rate_for_batch" doc:"images of an update for which rate is meant: another number of them takes it in proportion (Goyal et al. 2017), batch times accumulate over this; 0 means rate as it is"`
	Drop    Drop    `mapstructure:"drop" yaml:"drop" doc:"multiply the rate at milestones"`
	Cosine  Cosine  `mapstructure:"cosine" yaml:"cosine" doc:"cosine decay to the last iteration"`
	Plateau Plateau `mapstructure:"plateau" yaml:"plateau" doc:"multiply the rate when the error stops falling"`
	Warmup  Warmup  `mapstructure:"warmup" yaml:"warmup" doc:"a lower rate at the start"`
}

// schedule is the schedule at the size of the configuration's updates: linear scaling (Goyal et al.
// 2017, section 2.1) is done. What a warm-up begins with and the ends of cosine and plateau are
// rates of their own and stay.
func (c Config) schedule() Schedule {
	s := c.Schedule
	s.Rate *= c.RateScale()
	s.RateFor = 0
	return s
}

// RateScale is by how much schedule.rate_for_batch raises schedule.rate; 1 without it.
func (c Config) RateScale() float64 {
	if c.Schedule.RateFor <= 0 {
		return 1
	}
	return float64(c.Batch) * float64(c.Accumulate) / float64(c.Schedule.RateFor)
}

// Drop multiplies the rate by Factor at each milestone. A milestone past the end is legal.
type Drop struct {
	Factor   float64 `mapstructure:"factor" yaml:"factor" doc:"multiplier"`
	At       []int   `mapstructure:"at" yaml:"at" doc:"iterations"`
	AtEpochs []int   `mapstructure:"at_epochs" yaml:"at_epochs" doc:"epochs (after so many), instead of at"`
}

// Cosine decays the rate along half a cosine from Rate to Min.
type Cosine struct {
	Enabled bool    `mapstructure:"enabled" yaml:"enabled" doc:"use it"`
	Min     float64 `mapstructure:"min" yaml:"min" doc:"rate at the end"`
}

// Plateau multiplies the rate by Factor when the validation error (without a validation split, the
// training error since the last evaluation) has not fallen by Threshold percentage points for
// Patience evaluations.
type Plateau struct {
	Factor    float64 `mapstructure:"factor" yaml:"factor" doc:"multiplier; 0 means off"`
	Patience  int     `mapstructure:"patience" yaml:"patience" doc:"evaluations without improvement"`
	Threshold float64 `mapstructure:"threshold" yaml:"threshold" doc:"percentage points that count as improvement"`
	MinRate   float64 `mapstructure:"min_rate" yaml:"min_rate" doc:"never below"`
}

// Warmup holds Rate until the condition is met (He et al. 2016, section 4.2: 0.01 until the
// training error is below 80 %) or, linear, rises from it to the schedule's rate (Goyal et al.
// 2017).
type Warmup struct {
	Rate       float64 `mapstructure:"rate" yaml:"rate" doc:"rate during warm-up, or with linear at its beginning; 0 means none, but with linear"`
	Linear     bool    `mapstructure:"linear" yaml:"linear" doc:"rise evenly to schedule.rate over iterations or epochs; a cosine then runs from there to the end"`
	Until      Until   `mapstructure:"until" yaml:"until" doc:"end on the training error"`
	Iterations int     `mapstructure:"iterations" yaml:"iterations" doc:"or after so many iterations"`
	Epochs     int     `mapstructure:"epochs" yaml:"epochs" doc:"linear: or over so many epochs"`
}

// Until ends the warm-up on the training error averaged over the last Window iterations.
type Until struct {
	TrainErrorBelow float64 `mapstructure:"train_error_below" yaml:"train_error_below" doc:"percent"`
	Window          int     `mapstructure:"window" yaml:"window" doc:"iterations averaged"`
}

// Checkpoint says when to save and how much to keep.
type Checkpoint struct {
	Every int `mapstructure:"every" yaml:"every" doc:"iterations between checkpoints; 0 means at every evaluation"`
	Keep  int `mapstructure:"keep" yaml:"keep" doc:"newest checkpoints kept, besides the best; 0 means all"`
}
