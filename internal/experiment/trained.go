package experiment

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/graph/weights"
	"resnet/internal/text"
	"resnet/internal/train"
	"resnet/internal/train/checkpoint"
)

// Allow says which differences between a checkpoint and the run that goes on with it may be: of
// those that leave the checkpoint its meaning.
type Allow struct{ Config, Data bool }

// trained is what a checkpoint keeps, in its state file, of what it was trained with. It holds no
// paths.
type trained struct {
	Config  map[string]string    `json:"config"`  // see train.Recorded
	Samples map[string]int       `json:"samples"` // images or utterances of train, val and test
	Data    datasets.Fingerprint `json:"data"`
}

// trained is the record of this experiment.
func (x *Experiment) trained(ctx context.Context) (trained, error) {
	f, err := x.data.fingerprint(ctx)
	return trained{Config: train.Recorded(values(&x.Config)), Samples: x.samples(), Data: f}, err
}

// samples are the images or utterances of each split.
func (x *Experiment) samples() map[string]int {
	n, val, test := x.data.sizes()
	return map[string]int{"train": n, "val": val, "test": test}
}

// values is a configuration as it is compared: of files that it names, the name stands for the
// path, and what empty choices of the data mean for them.
func values(c *config.Config) map[string]any {
	portable := *c
	portable.Data = portable.Data.Effective()
	for _, path := range []*string{&portable.Model.Weights, &portable.Data.Split} {
		if *path != "" {
			*path = filepath.Base(*path)
		}
	}
	return config.Values(&portable)
}

// encode is one line of JSON, with sorted keys: the same training gives the same bytes.
func (t trained) encode() (string, error) {
	b, err := json.Marshal(t)
	return string(b), err
}

// decodeTrained reads what encode wrote; "" is nil, a checkpoint of a version that kept nothing.
// Keys that have another name now get it, and keys that were not there mean their defaults.
func decodeTrained(s string) (*trained, error) {
	if s == "" {
		return nil, nil
	}
	var t trained
	if err := json.Unmarshal([]byte(s), &t); err != nil {
		return nil, fmt.Errorf("%w: metadata %s: %w", checkpoint.ErrCorrupt, train.TrainedKey, err)
	}
	def := config.Default()
	all := train.Recorded(values(&def))
	for key, value := range t.Config {
		all[config.Current(key)] = value
	}
	t.Config = all
	return &t, nil
}

// checkConfig compares a configuration with the recorded one or, without a record, with that of
// the run folder. It returns the changes that pass.
func checkConfig(t *trained, own, now *config.Config, allow Allow) ([]train.Change, error) {
	old := values(own)
	if t != nil {
		old = train.WithRecorded(old, t.Config)
	}
	changes, err := train.CheckResume(old, values(now), allow.Config)
	if err != nil {
		return nil, &config.UsageError{Err: err}
	}
	return changes, nil
}

// newestTrained is the record of the newest checkpoint of a run folder and the metadata of its
// weights; all is nil where there is no checkpoint. What is wrong with a checkpoint is left to who
// loads it.
func newestTrained(dir string) (t *trained, model map[string]string, err error) {
	view := checkpoint.View(dir, nil)
	m, err := view.Latest()
	if err != nil {
		return nil, nil, nil //nolint:nilerr // none, or none that can be used
	}
	model, state, err := view.Metadata(m)
	if err != nil {
		return nil, nil, nil //nolint:nilerr // loading says more, or takes an earlier one
	}
	t, err = decodeTrained(state[train.TrainedKey])
	if err != nil {
		return nil, nil, fmt.Errorf("%s: checkpoint of step %d: %w", dir, m.Step, err)
	}
	return t, model, nil
}

// checkData compares the data with those of a checkpoint, of which model is the metadata of the
// weights. A checkpoint without a record still names its classes.
func (x *Experiment) checkData(ctx context.Context, t *trained, model map[string]string, allow Allow) error {
	old, err := weights.DecodeMeta("checkpoint", model)
	if err != nil {
		return err
	}
	changes := classChanges(old.Classes, x.data.classes())
	if t != nil {
		now, err := x.trained(ctx)
		if err != nil {
			return err
		}
		others := len(changes) > 0
		// Else all of it follows.
		if changes = append(changes, x.sampleChanges(t, now)...); !others {
			changes = append(changes, x.printChanges(t, now)...)
		}
	}
	if len(changes) == 0 {
		if changes, err = x.meanChanges(old); err != nil {
			return err
		}
	}
	never := slices.ContainsFunc(changes, func(c dataChange) bool { return c.never })
	if len(changes) == 0 || allow.Data && !never {
		for _, c := range changes {
			x.env.say("changed: %s", c.text)
		}
		return nil
	}
	return &DataChangedError{changes, !never}
}

// dataChange is a difference between the data of a checkpoint and those that are there.
type dataChange struct {
	text  string
	never bool // the checkpoint would mean something else
}

// maxClassChanges is how many classes an error lists.
const maxClassChanges = 5

// classChanges lists the classes that are others or have another number; old is nil where the
// checkpoint does not name them.
func classChanges(old, now []string) []dataChange {
	if old == nil || slices.EqualFunc(old, now, func(a, b string) bool { return norm.NFC.String(a) == norm.NFC.String(b) }) {
		return nil
	}
	var list []dataChange
	if len(old) != len(now) {
		list = append(list, dataChange{fmt.Sprintf("classes: %d -> %d", len(old), len(now)), true})
	}
	more := 0
	for k := range min(len(old), len(now)) {
		switch {
		case old[k] == now[k]:
		case len(list) < maxClassChanges:
			list = append(list, dataChange{fmt.Sprintf("class %d: %s -> %s", k, text.Printable(old[k]), text.Printable(now[k])), true})
		default:
			more++
		}
	}
	if more > 0 {
		list = append(list, dataChange{fmt.Sprintf("and %d more classes", more), true})
	}
	return list
}

// splitNames says the splits in words.
var splitNames = map[datasets.Split]string{datasets.Train: "training", datasets.Val: "validation", datasets.Test: "test"}

var splitOrder = []datasets.Split{datasets.Train, datasets.Val, datasets.Test}

// drawn ends the message about training images that are others where validation images were drawn
// from them: some that were trained on would be measured.
const drawn = " (the validation split is drawn from them)"

func (x *Experiment) draws(s datasets.Split) bool {
	return x.Data.Validation > 0 && s != datasets.Test
}

func (x *Experiment) sampleChanges(old *trained, now trained) (list []dataChange) {
	for _, s := range splitOrder {
		if a, b := old.Samples[string(s)], now.Samples[string(s)]; a != b {
			c := dataChange{fmt.Sprintf("%s %ss: %d -> %d", splitNames[s], x.Unit(), a, b), x.draws(s)}
			if c.never {
				c.text += drawn
			}
			list = append(list, c)
		}
	}
	return list
}

func (x *Experiment) printChanges(old *trained, now trained) (list []dataChange) {
	for _, s := range splitOrder {
		a, b := old.Data[s], now.Data[s]
		c := dataChange{never: x.draws(s)}
		switch what := a.Differs(b); {
		case what == datasets.SameData:
			continue
		case what == datasets.OtherNumber && old.Samples[string(s)] != now.Samples[string(s)]:
			continue // said already
		case what == datasets.OtherNumber:
			c.text = fmt.Sprintf("%s %ss in the files: %d -> %d", splitNames[s], x.Unit(), a.N, b.N)
		default:
			c.text = fmt.Sprintf("the %s of the %s %ss", what, splitNames[s], x.Unit())
			c.never = c.never && what == datasets.OtherNames
		}
		if c.never {
			c.text += drawn
		}
		list = append(list, c)
	}
	return list
}

// meanChanges compares what was measured on the training images. It finds the other contents of a
// set that is too large to be read whole.
func (x *Experiment) meanChanges(old weights.Meta) ([]dataChange, error) {
	if old.Preprocessing == "" {
		return nil, nil
	}
	a, err := datasets.DecodePreprocessing(old.Preprocessing)
	if err != nil {
		return nil, fmt.Errorf("%w: its preprocessing: %w", checkpoint.ErrCorrupt, err)
	}
	var meta weights.Meta
	x.data.meta(&meta)
	b, err := datasets.DecodePreprocessing(meta.Preprocessing)
	if err != nil {
		return nil, err
	}
	if a.Kind == b.Kind && near(a.Mean, b.Mean) && near(a.Std, b.Std) {
		return nil, nil
	}
	return []dataChange{{text: fmt.Sprintf("the mean (%s) of the training %ss", b.Kind, x.Unit())}}, nil
}

// near leaves room for the rounding of another processor; values are in [0, 1].
func near(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Abs(float64(x-y)) <= 1e-6 })
}

// DataChangedError says that a checkpoint was trained on other data.
type DataChangedError struct {
	changes  []dataChange
	canAllow bool // --allow-data-change would let all of them pass
}

// Error lists every difference on a line of its own.
func (e *DataChangedError) Error() string {
	var b strings.Builder
	b.WriteString("resume: the checkpoint was trained on other data:")
	for _, c := range e.changes {
		b.WriteString("\n  " + c.text)
	}
	b.WriteString("\nput the data back, or start a new run in another folder")
	if e.canAllow {
		b.WriteString(", or go on with the new data: train --resume with --allow-data-change")
	}
	return b.String()
}

// Is makes it bad data.
func (*DataChangedError) Is(target error) bool { return target == datasets.ErrData }

// unrecorded is said once of a run whose checkpoint kept no record.
func unrecorded(dir string, step int64) string {
	return fmt.Sprintf("note: %s: the checkpoint of step %d is of a version that kept no record of configuration and data: %s and the data are taken as they are, but for the names of the classes",
		text.Printable(dir), step, checkpoint.ConfigFile)
}
