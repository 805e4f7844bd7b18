package experiment

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"time"

	"resnet/internal/atomicfile"
	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/fielderr"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
	"resnet/internal/text"
	"resnet/internal/train"
)

// FeaturesDir is the folder in a run folder that holds what frozen layers make of the images.
const FeaturesDir = "features"

// Metadata of a file of features, and its tensors.
const (
	featuresKey    = "resnet.features" // digest of all that they depend on
	featuresSum    = "resnet.sha256"   // of the values, so that damage is noticed
	featuresRows   = "features"
	featuresLabels = "labels"
)

// featureCache keeps what the frozen layers of a training make of its images: a file for each view
// of the training images, and one for each split that is measured. A file is used if everything
// that it depends on is as it was, down to the bytes of the weights and the state of the images'
// files; otherwise it is made again.
type featureCache struct {
	d      *images
	params *graph.ParamSet
	dir    string // "" keeps nothing on disk
	disk   atomicfile.FS
	say    func(line string)
	now    func() time.Time

	train, eval featureMachine // for batches of the training, and of evaluations
	above       graph.Machine  // evaluates features

	frozen string                             // digest of the frozen layers, or ""
	states map[datasets.Split]string          // digests of the images
	held   map[datasets.Split]*datasets.Table // of splits that are measured
}

// featureMachine computes features [n, width] of n images, up to a batch.
type featureMachine struct {
	graph.Machine
	batch, width int
}

// view is how a split is looked at: augmented as in a view of the training, or as an evaluation.
type featureView struct {
	split     datasets.Split
	augmented bool
	view      int
}

// file is the name in the folder of features.
func (v featureView) file() string {
	switch {
	case v.augmented:
		return fmt.Sprintf("train-view-%d.safetensors", v.view)
	case v.split == datasets.Train:
		return "train.safetensors"
	}
	return string(v.split) + ".safetensors"
}

// String is the view for people.
func (c *featureCache) describe(v featureView) string {
	n := text.Grouped(c.d.set.Len(v.split)) + " " + splitNames[v.split] + " images"
	if v.augmented {
		return fmt.Sprintf("view %d of %d, %s", v.view+1, c.views(), n)
	}
	return n
}

// views are the augmentations of the training images; without any there is one.
func (c *featureCache) views() int { return max(c.d.x.Data.Augment.Views, 1) }

// table gives the features of a view: from its file, or computed and put there.
func (c *featureCache) table(ctx context.Context, v featureView, onSkip func(string, error)) (*datasets.Table, error) {
	if t := c.held[v.split]; t != nil && !v.augmented {
		return t, nil
	}
	digest, err := c.digest(ctx, v)
	if err != nil {
		return nil, err
	}
	path := ""
	if c.dir != "" {
		path = filepath.Join(c.dir, v.file())
		if t, err := readFeatures(path, digest); err == nil {
			c.hold(v, t)
			return t, nil
		}
	}
	t, err := c.compute(ctx, v, onSkip)
	if err != nil {
		return nil, err
	}
	c.hold(v, t)
	if path == "" {
		return t, nil
	}
	// A cache that cannot be kept costs time, and nothing else.
	err = c.disk.MkdirAll(c.dir, atomicfile.DirPerm)
	if err == nil {
		err = writeFeatures(c.disk, path, digest, t)
	}
	if err != nil {
		c.say(fmt.Sprintf("warning: the features are not kept, and are computed again when they are wanted: %v", err))
	}
	return t, nil
}

func (c *featureCache) hold(v featureView, t *datasets.Table) {
	if !v.augmented {
		c.held[v.split] = t
	}
}

// digest is of all that the features of a view depend on.
func (c *featureCache) digest(ctx context.Context, v featureView) (string, error) {
	x := c.d.x
	if c.frozen == "" {
		c.frozen = c.weightsDigest()
	}
	if c.states[v.split] == "" {
		state, err := c.d.set.StateOf(ctx, v.split)
		if err != nil {
			return "", err
		}
		c.states[v.split] = state
	}
	arch, err := json.Marshal(x.Spec)
	if err != nil {
		return "", err
	}
	d := datasets.NewDigest()
	m := c.machine(v)
	for _, part := range []string{
		"1", x.env.Version, Kernels(x.Precision()), x.Precision().String(), x.env.Machine, string(arch), c.frozen, c.states[v.split], c.d.set.Preprocessing(c.d.norm).Encode(),
	} {
		d.Text(part)
	}
	d.Number(int64(m.batch))
	d.Number(int64(m.width))
	if v.augmented {
		a := x.Data.Augment
		a.Views = 0 // the first of two views are those of three
		d.Text(fmt.Sprintf("%+v %s %v", a, x.Data.OnCorrupt, x.Train.Seed))
		d.Number(int64(v.view))
	}
	return d.Sum(), nil
}

// weightsDigest is of the values of the frozen layers, statistics included.
func (c *featureCache) weightsDigest() string {
	h := sha256.New()
	for _, p := range c.params.All() {
		if !c.d.x.Train.Optimizer.Frozen(p.Name) {
			continue
		}
		fmt.Fprintln(h, p.Name, p.Shape)
		hashFloats(h, p.Data)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func hashFloats(w io.Writer, values []float32) {
	var buf [4 << 10]byte
	for len(values) > 0 {
		n := min(len(values), len(buf)/4)
		for i, v := range values[:n] {
			binary.LittleEndian.PutUint32(buf[4*i:], math.Float32bits(v))
		}
		_, _ = w.Write(buf[:4*n]) // a hash never fails
		values = values[n:]
	}
}

// machine is that of a view: training and evaluation compute batches of their own sizes, so that
// the features are those that they would compute themselves, to the bit.
func (c *featureCache) machine(v featureView) featureMachine {
	if v.augmented {
		return c.train
	}
	return c.eval
}

// featuresInterval is how often progress is said while features are computed.
const featuresInterval = 10 * time.Second

// compute makes the features of a view, in the order of the data set.
func (c *featureCache) compute(ctx context.Context, v featureView, onSkip func(string, error)) (*datasets.Table, error) {
	x, m := c.d.x, c.machine(v)
	o := datasets.LoaderOptions{
		Split: v.split, Batch: m.batch, Seed: x.Train.Seed, Normalizer: c.d.norm, Workers: x.Data.Workers, Epochs: 1, OnSkip: onSkip,
	}
	if v.augmented {
		o.Augment, o.StartEpoch, o.Epochs = x.Data.Augment, v.view, v.view+1
	} else {
		look := c.d.set.Preprocessing(c.d.norm)
		o.View = &look
	}
	loader, err := datasets.NewLoader(c.d.set, o)
	if err != nil {
		return nil, err
	}
	defer loader.Close()
	n := c.d.set.Len(v.split)
	t := &datasets.Table{Width: m.width, Rows: make([]float32, 0, n*m.width), Labels: make([]int32, 0, n)}
	c.say("Computing features: " + c.describe(v))
	last := c.now()
	for {
		b, err := loader.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		rows, err := m.rows(b, v.augmented)
		if err != nil {
			return nil, err
		}
		t.Rows, t.Labels = append(t.Rows, rows...), append(t.Labels, b.Labels[:b.N]...)
		loader.Recycle(b)
		if now := c.now(); now.Sub(last) >= featuresInterval {
			last = now
			c.say(fmt.Sprintf("Computing features: %s of %s images", text.Grouped(len(t.Labels)), text.Grouped(n)))
		}
	}
	return t, nil
}

// rows are the features of a batch. full fills up one that is not full, as all of a training are.
func (m featureMachine) rows(b *datasets.Batch, full bool) ([]float32, error) {
	x, n := b.X, b.N
	if full && n < m.batch {
		x = make([]float32, len(b.X)/n*m.batch)
		copy(x, b.X)
		n = m.batch
	}
	rows, err := m.Infer(x, n)
	if err != nil {
		return nil, err
	}
	return rows[:b.N*m.width], nil
}

// writeFeatures writes a table whole or not at all.
func writeFeatures(disk atomicfile.FS, path, digest string, t *datasets.Table) error {
	labels := make([]int64, len(t.Labels))
	for i, l := range t.Labels {
		labels[i] = int64(l)
	}
	list := []weights.Tensor{
		{Name: featuresLabels, DType: weights.I64, Shape: []int{len(labels)}, Ints: labels},
		{Name: featuresRows, DType: weights.F32, Shape: []int{len(labels), t.Width}, Data: t.Rows},
	}
	return atomicfile.Write(disk, path, "features", func(w io.Writer) error {
		return weights.Write(w, list, map[string]string{featuresKey: digest, featuresSum: sumOf(t)})
	})
}

// sumOf is a digest of the values of a table.
func sumOf(t *datasets.Table) string {
	h := sha256.New()
	fmt.Fprintln(h, t.Width, t.Labels)
	hashFloats(h, t.Rows)
	return hex.EncodeToString(h.Sum(nil))
}

// errStale says that features are of something else, or damaged.
var errStale = errors.New("features of something else")

// readFeatures reads a table whose digest is the one that is wanted.
func readFeatures(path, digest string) (*datasets.Table, error) {
	f, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	e, ok := f.Entry(featuresRows)
	if f.Meta[featuresKey] != digest || !ok || len(e.Shape) != 2 {
		return nil, errStale
	}
	labels, err := f.Int64(featuresLabels)
	if err != nil {
		return nil, err
	}
	t := &datasets.Table{Width: e.Shape[1], Labels: make([]int32, len(labels))}
	for i, l := range labels {
		t.Labels[i] = int32(l)
	}
	if t.Rows, err = f.Float32(featuresRows); err != nil {
		return nil, err
	}
	if len(labels) != e.Shape[0] || sumOf(t) != f.Meta[featuresSum] {
		return nil, errStale
	}
	return t, nil
}

// bytes are what the tables take in memory: the view that is trained on, the splits that are
// measured, and one that is computed meanwhile.
func (c *featureCache) bytes() int64 {
	return 4 * int64(c.train.width) * int64(2*c.d.set.Len(datasets.Train)+c.d.evaluated())
}

// augmented is how many images all views of the training images are.
func (c *featureCache) augmented() int { return c.views() * c.d.set.Len(datasets.Train) }

// fileBytes are what the files take.
func (c *featureCache) fileBytes() int64 {
	return 4 * int64(c.train.width) * int64(c.augmented()+c.d.evaluated())
}

// loader gives the batches of a training from features.
func (c *featureCache) loader(o datasets.LoaderOptions) (train.Loader, error) {
	return datasets.NewTableLoader(c.d.set, o, func(ctx context.Context, view int) (*datasets.Table, error) {
		return c.table(ctx, featureView{datasets.Train, true, view}, o.OnSkip)
	})
}

// measure is eval.EvaluateSplit of the layers that are trained, on features.
func (c *featureCache) measure(ctx context.Context, above eval.Network, split datasets.Split) (eval.Metrics, error) {
	set := c.d.set
	loader, err := datasets.NewTableLoader(set, datasets.LoaderOptions{Split: split, Batch: c.eval.batch, Epochs: 1},
		func(ctx context.Context, _ int) (*datasets.Table, error) {
			return c.table(ctx, featureView{split: split}, nil)
		})
	if err != nil {
		return eval.Metrics{}, err
	}
	in := eval.Input{Images: set.Len(split), Classes: c.d.x.Spec.Classes, Name: func(i int) string { return set.ID(split, i) }}
	return eval.Evaluate(ctx, above, loader, in)
}

// checkFeatures refuses features of images that have none of their own, and gives images without
// augmentation their only view.
func (x *Experiment) checkFeatures() error {
	if !x.Train.Features {
		return nil
	}
	fail := func(section, path, hint, msg string) error {
		return x.Located(fielderr.Error{Section: section, Path: path, Msg: msg, Hint: hint})
	}
	switch a := &x.Data.Augment; {
	case a.Mixes():
		return fail("data", "augment.mixup", "set it and cutmix to 0, or train.cache_features to false", "features are kept for images, not for mixtures of them")
	case !a.Draws():
		a.Views = 1
	case a.Views == 0:
		return fail("data", "augment.views", "8, or no augmentation", "train.cache_features keeps features of so many views of each image, and 0 makes new ones in each epoch")
	}
	return nil
}

// cachedTrainer trains the upper layers on features.
type cachedTrainer struct {
	imageTrainer
	cache *featureCache
}

func (d *images) cachedTrainer(params *graph.ParamSet, on device) (trainer, error) {
	c := &featureCache{
		d: d, params: params, dir: d.x.featuresDir, disk: atomicfile.OS, say: d.x.sayLine, now: time.Now,
		states: map[datasets.Split]string{}, held: map[datasets.Split]*datasets.Table{},
	}
	t := &cachedTrainer{imageTrainer{to: d.targets()}, c}
	for _, part := range []struct {
		mode  graph.Mode
		batch int
		below *featureMachine
		above *graph.Machine
	}{{graph.Train, d.x.Train.Batch, &c.train, &t.m}, {graph.Eval, d.x.Eval.Batch, &c.eval, &c.above}} {
		drawn, err := blocks.BuildDivided(d.x.Spec, part.batch, part.mode, params, d.buildOptions())
		if err != nil {
			t.close()
			return nil, d.x.frozenError(err, params)
		}
		if t.graph == nil {
			t.graph = drawn.Above
		}
		o := on.options(d.x.memory.bytes)
		if *part.above, err = d.x.env.Compile(drawn.Above, params, o); err == nil {
			o.Frozen = true
			*part.below = featureMachine{batch: part.batch, width: drawn.Below.Logits.Shape()[1]}
			part.below.Machine, err = d.x.env.Compile(drawn.Below, params, o)
		}
		if err != nil {
			t.close()
			return nil, err
		}
	}
	d.cache = c
	return t, nil
}

func (t *cachedTrainer) bytes() int64 {
	return t.m.Bytes() + t.cache.train.Bytes() + t.cache.eval.Bytes()
}

func (t *cachedTrainer) close() {
	for _, m := range []graph.Machine{t.m, t.cache.above, t.cache.train.Machine, t.cache.eval.Machine} {
		if m != nil {
			m.Close()
		}
	}
}

// blank is a batch of nothing, to measure time with.
func (c *featureCache) blank() *datasets.Batch {
	n := c.train.batch
	return &datasets.Batch{X: make([]float32, n*c.train.width), Labels: make([]int32, n), Index: make([]int, n), N: n}
}

// timeFeatures is about how long computing all features takes, without reading images.
func (c *featureCache) timeFeatures() (time.Duration, error) {
	var sum time.Duration
	for _, part := range []struct {
		m      featureMachine
		images int
	}{{c.train, c.augmented()}, {c.eval, c.d.evaluated()}} {
		x := make([]float32, int64(part.m.batch)*c.d.imageLen())
		took, err := timeSecond(func() error { _, err := part.m.Infer(x, part.m.batch); return err })
		if err != nil {
			return 0, err
		}
		sum += scaled(took, part.m.batch, part.images)
	}
	return sum, nil
}
