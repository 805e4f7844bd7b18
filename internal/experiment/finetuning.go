package experiment

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/text"
	"resnet/internal/train"
)

// Presets of fine-tuning: of the classifier alone, and of more.
const (
	presetHead     = "finetune-head"
	presetFinetune = "finetune"
)

// FreezeNone is a FinetuneOptions.Freeze that trains every layer.
const FreezeNone = "none"

// FinetuneOptions say what is trained on which photos.
type FinetuneOptions struct {
	Photos string // folder
	Labels string // table of file names and classes, or ""
	From   string // checkpoint, run folder, or a file that Import reads
	Arch   string // architecture of that file, where it fits several; "" is the one that it is
	// Val and Test are the parts of the images that are held out, of each class its share:
	// fractions below 1, or numbers. nil means a fifth for validation where the folder has no
	// splits of its own, and none for testing.
	Val, Test *float64
	Epochs    int    // 0 means by the number of images
	Freeze    string // train.FreezeBackbone, FreezeNone, or the last part that is not trained
	Sets, Env []string
	Threads   int
	Precision string // train.precision; "" leaves it to the configuration
}

// Finetuning is a training from a pretrained network on a folder of photos.
type Finetuning struct {
	*Experiment
	divided bool // the images have no splits of their own
}

// DefaultFreeze is what is not trained unless the user says otherwise.
const DefaultFreeze = FreezeNone

// DefaultHeldOut is the part of the images of a folder without splits that validates.
const DefaultHeldOut = 0.2

// NewFinetuning opens photos and network and makes the configuration for them. Nothing is written.
// It fails as New does, and with ErrData for photos of fewer than two classes.
func NewFinetuning(ctx context.Context, env *Environment, o FinetuneOptions) (*Finetuning, error) {
	if err := env.absolute(&o.Photos, &o.From); err != nil {
		return nil, err
	}
	if info, err := os.Stat(o.Photos); err != nil {
		return nil, missingf("%s: no such folder of photos", o.Photos)
	} else if !info.IsDir() {
		return nil, config.Usagef("finetune: %s is a file: name the folder that holds the photos", o.Photos)
	}
	base, err := openStarting(env, o.From, o.Arch)
	if err != nil {
		return nil, fmt.Errorf("--from: %w", err)
	}
	if base.Frontend != "" {
		return nil, config.Usagef("finetune: --from %s is a network of speech, and photos are trained on: `%s train` with model.weights adapts it", base.Named, env.Self)
	}
	preset, sets, err := o.sets(base.Spec)
	if err != nil {
		return nil, err
	}
	load := func(more ...string) (*config.Loaded, error) {
		l, err := config.Load(config.Input{File: preset, Sets: slices.Concat(sets, more, o.Sets), Env: o.Env})
		if err == nil {
			err = env.labelsTable(&l.Data)
		}
		return l, err
	}
	l, err := load("data.validation=0", "data.test=0")
	if err != nil {
		return nil, err
	}
	open := NewDataSets()
	cfg := l.Data
	takeView(&cfg, base.Preprocessing)
	set, err := open.images(ctx, cfg, l.Train.Seed)
	if err != nil {
		return nil, err
	}
	more, err := o.divide(set)
	if err != nil {
		return nil, err
	}
	if l, err = load(more...); err != nil {
		return nil, err
	}
	if fitting := o.fit(l, set); len(fitting) > 0 {
		more = append(more, fitting...)
		if l, err = load(more...); err != nil {
			return nil, err
		}
	}
	f := &Finetuning{divided: set.Divided()}
	if f.Experiment, err = newExperiment(ctx, env, l, o.Threads, open, base); err != nil {
		return nil, err
	}
	// A run is called after its photos.
	f.Name = filepath.Base(o.Photos)
	return f, nil
}

// sets are the values of the configuration that follow from the command line.
func (o FinetuneOptions) sets(s blocks.Spec) (preset string, sets []string, err error) {
	preset, name := presetFinetune, o.Arch
	if name == "" {
		name = blocks.FromCheckpoint
	}
	sets = []string{"model.name=" + name, "model.weights=" + o.From, "data.dir=" + o.Photos}
	if o.Labels != "" {
		sets = append(sets, "data.labels="+o.Labels)
	}
	switch o.Freeze {
	case FreezeNone:
	case train.FreezeBackbone:
		preset = presetHead
	default:
		frozen, err := frozenThrough(s, o.Freeze)
		if err != nil {
			return "", nil, config.Usagef("finetune: --freeze %s: %w; or %s or %s", o.Freeze, err, train.FreezeBackbone, FreezeNone)
		}
		sets = append(sets, "train.optimizer.freeze="+frozen, "train.optimizer.freeze_statistics=true")
	}
	if o.Precision != "" {
		sets = append(sets, "train.precision="+o.Precision)
	}
	if o.Epochs > 0 {
		sets = append(sets, fmt.Sprintf("train.epochs=%d", o.Epochs))
	}
	return preset, sets, nil
}

// divide says what is held out of the photos.
func (o FinetuneOptions) divide(set *datasets.Dataset) ([]string, error) {
	info := set.Info()
	if len(info.Classes) < 2 {
		return nil, fmt.Errorf("%w: %s holds photos of one class, %s: a classifier tells two or more apart, each in a folder of its own", datasets.ErrData, o.Photos, text.Printable(info.Classes[0]))
	}
	val, test := 0., 0.
	if set.Divided() && info.Val == 0 && info.Test == 0 {
		val = DefaultHeldOut
	}
	if o.Val != nil {
		val = *o.Val
	}
	if o.Test != nil {
		if test = *o.Test; test > 0 && (!set.Divided() || info.Val+info.Test > 0) {
			return nil, config.Usagef("finetune: --test: %s has splits of its own", o.Photos)
		}
	}
	if val > 0 && info.Val > 0 {
		return nil, config.Usagef("finetune: --val: %s has a validation split of its own", o.Photos)
	}
	return []string{fmt.Sprintf("data.validation=%v", val), fmt.Sprintf("data.test=%v", test)}, nil
}

// minUpdates is how many updates a training has at least, whatever the number of photos.
const minUpdates = 400

// evaluations is about how often a training of many short epochs is evaluated.
const evaluations = 20

// fit are the values that follow from the number of training images: a batch that is not larger,
// epochs enough for minUpdates, and no more than about so many evaluations.
func (o FinetuneOptions) fit(l *config.Loaded, set *datasets.Dataset) (more []string) {
	n := set.Info().Train
	if set.Divided() {
		n -= datasets.Portion(l.Data.Validation, n-datasets.Portion(l.Data.Test, n)) + datasets.Portion(l.Data.Test, n)
	} else {
		n -= datasets.Portion(l.Data.Validation, n)
	}
	batch := l.Train.Batch
	if batch > n && n > 0 && l.Overridden("train.batch") == "" {
		batch = n
		more = append(more, fmt.Sprintf("train.batch=%d", n))
	}
	steps, epochs := n/max(batch, 1), l.Train.Epochs
	if o.Epochs == 0 && steps > 0 && l.Overridden("train.epochs") == "" && epochs*steps < minUpdates {
		epochs = (minUpdates + steps - 1) / steps
		more = append(more, fmt.Sprintf("train.epochs=%d", epochs))
	}
	if every := epochs / evaluations; every > 1 && l.Overridden("eval.every_epochs") == "" && l.Overridden("eval.every") == "" {
		more = append(more, fmt.Sprintf("eval.every_epochs=%d", every))
	}
	return more
}

// ClassCount is how many images of a class there are in each split.
type ClassCount struct {
	Class            string
	Train, Val, Test int
}

// Counts are the images of each class.
func (f *Finetuning) Counts() []ClassCount {
	set := f.data.(*images).set
	train, val, test := set.ClassCounts(datasets.Train), set.ClassCounts(datasets.Val), set.ClassCounts(datasets.Test)
	list := make([]ClassCount, len(train))
	for k, name := range set.Info().Classes {
		list[k] = ClassCount{name, train[k], val[k], test[k]}
	}
	return list
}

// In is the training in the run folder dir. A split that was drawn is kept there as a file, with
// paths in the folder of photos: it stays the same when photos come and go, and when the run moves.
func (f *Finetuning) In(dir string) (*Training, error) {
	t := &Training{Experiment: f.Experiment, Dir: dir}
	if !f.divided {
		return t, nil
	}
	file, err := filepath.Abs(filepath.Join(dir, datasets.SplitFile))
	if err != nil {
		return nil, &IOError{err}
	}
	f.Data.Split, f.Data.Validation = file, 0
	t.keep = func() error {
		if err := datasets.WriteSplit(file, f.data.(*images).set); err != nil {
			return &IOError{err}
		}
		return nil
	}
	return t, nil
}
