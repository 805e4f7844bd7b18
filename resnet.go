// Package resnet classifies images with residual networks, without cgo and on every core.
//
// A network comes out of a checkpoint: a file of ours, made by `resnet train` or, from a PyTorch
// file, by `resnet import`; or a run folder, of which the best checkpoint is taken. It brings its
// preprocessing and the names of its classes with it, so that an image is seen as it was in
// training.
//
//	net, err := resnet.Open("resnet50.safetensors", resnet.Options{})
//	...
//	defer net.Close()
//	classes, err := net.Classify(ctx, img, 5)
//
// A Network is safe for concurrent use. With the usual Batch of 1 what it says of an image does not
// depend, to the last bit, on what other goroutines ask, nor on the number of threads.
package resnet

import (
	"context"
	"image"
	"io"
	"slices"
	"sync"
	"time"

	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/experiment"
	"resnet/internal/graph/weights"
)

// What errors may be; use errors.Is.
var (
	// ErrMissing says that there is no checkpoint of that name.
	ErrMissing = datasets.ErrMissing
	// ErrFormat says that a file is no checkpoint of ours.
	ErrFormat = weights.ErrFormat
	// ErrImage says that an image does not decode, is too large, or is more than a hundred times as
	// long as wide.
	ErrImage = datasets.ErrData
	// ErrClosed says that the network has been closed.
	ErrClosed = eval.ErrClosed
)

// Precisions in which a network computes: what its convolutions multiply. Sums are float32 in both.
const (
	Float32  = "float32"
	BFloat16 = "bfloat16"
)

// Options say how a network computes. The zero value is right for most.
type Options struct {
	Threads int // 0 means GOMAXPROCS
	// Batch is how many images that wait are computed together, 0 means 1. More are faster where
	// many goroutines ask at once, and then the last digits depend on which images come together.
	Batch int
	// Delay is how long the first of some images waits for others, where Batch is more than 1.
	Delay time.Duration
	// Precision is Float32 or BFloat16; "" means that of the training, which the checkpoint says,
	// so that the network errs as it was measured to.
	Precision string
}

// A Network is a trained network. It is safe for concurrent use; Close it.
type Network struct {
	model   *experiment.Model
	o       experiment.ServiceOptions
	logits  *experiment.Service
	mu      sync.Mutex
	feature *experiment.Service // made when it is first asked for
	closed  bool
}

// Open reads a network of images from a checkpoint or a run folder. It fails with ErrMissing,
// ErrFormat, or an error that says what is wrong with the file or the options.
func Open(path string, o Options) (*Network, error) {
	m, err := experiment.OpenModel(&experiment.Environment{Self: "resnet"}, path)
	if err != nil {
		return nil, err
	}
	if err := m.Compute(o.Precision); err != nil {
		return nil, err
	}
	n := &Network{model: m}
	n.o = experiment.ServiceOptions{View: eval.ViewOptions{Crops: eval.CropsOne, Combine: eval.CombineSoftmax}, Batch: max(1, o.Batch), Delay: o.Delay, Threads: o.Threads}
	if n.logits, err = experiment.NewService(m, n.o); err != nil {
		return nil, err
	}
	return n, nil
}

// Close frees the network. Calls that wait fail with ErrClosed. It may be called twice.
func (n *Network) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	n.logits.Close()
	if n.feature != nil {
		n.feature.Close()
	}
}

// Name is the name of the architecture, as "resnet50".
func (n *Network) Name() string { return n.model.Spec.Name }

// Precision is the one in which the network computes, Float32 or BFloat16.
func (n *Network) Precision() string { return n.model.Precision.String() }

// Classes are the names of the classes, in the order of the logits; "" where a name is not known.
func (n *Network) Classes() []string { return slices.Clone(n.logits.Names()) }

// A Class is one answer of a network.
type Class struct {
	Index       int
	Name        string // "" where it is not known
	Probability float64
}

// Classify gives the top likeliest classes of an image, the likeliest first. The image is prepared
// as validation prepared it in training. It fails with ErrImage or ErrClosed, and when ctx is done.
func (n *Network) Classify(ctx context.Context, img image.Image, top int) ([]Class, error) {
	logits, err := n.Logits(ctx, img)
	return n.top(logits, top), err
}

// ClassifyFile is Classify for an image file of any format that `predict` reads, which r holds. A
// JPEG's pixels are those of libjpeg, to the bit, which those of the standard library's decoder are
// not.
func (n *Network) ClassifyFile(ctx context.Context, r io.Reader, top int) ([]Class, error) {
	logits, err := n.scores(ctx, n.logits, n.decoder(r))
	return n.top(logits, top), err
}

// Logits gives the network's output for an image, a value for each class.
func (n *Network) Logits(ctx context.Context, img image.Image) ([]float32, error) {
	return n.scores(ctx, n.logits, pictureOf(img))
}

// Embed gives the features of an image that the classifier stands on, 2048 values of a ResNet-50:
// images that look alike have similar ones.
func (n *Network) Embed(ctx context.Context, img image.Image) ([]float32, error) {
	return n.embed(ctx, pictureOf(img))
}

// EmbedFile is Embed for an image file of any format that `predict` reads, which r holds.
func (n *Network) EmbedFile(ctx context.Context, r io.Reader) ([]float32, error) {
	return n.embed(ctx, n.decoder(r))
}

func (n *Network) embed(ctx context.Context, decode func() (datasets.Picture, error)) ([]float32, error) {
	s, err := n.features()
	if err != nil {
		return nil, err
	}
	return n.scores(ctx, s, decode)
}

func (n *Network) features() (*experiment.Service, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, ErrClosed
	}
	if n.feature == nil {
		o := n.o
		o.Form = eval.Features
		s, err := experiment.NewService(n.model, o)
		if err != nil {
			return nil, err
		}
		n.feature = s
	}
	return n.feature, nil
}

func pictureOf(img image.Image) func() (datasets.Picture, error) {
	return func() (datasets.Picture, error) { return datasets.PictureOf(img) }
}

func (n *Network) decoder(r io.Reader) func() (datasets.Picture, error) {
	return func() (datasets.Picture, error) { return n.model.Preprocessing.Decode(r, "image") }
}

func (n *Network) scores(ctx context.Context, s *experiment.Service, decode func() (datasets.Picture, error)) ([]float32, error) {
	if s == n.logits {
		if err := n.model.Classifies(); err != nil { // a backbone has features alone
			return nil, err
		}
	}
	scores, bad, err := s.Scores(ctx, decode)
	if bad != nil {
		return nil, bad
	}
	if err != nil {
		return nil, err
	}
	if err := n.model.FiniteOutputs("image", "value", scores); err != nil {
		return nil, err
	}
	return scores, nil
}

func (n *Network) top(logits []float32, top int) []Class {
	var classes []Class
	for _, g := range eval.Top(logits, max(0, top), n.logits.Names()) {
		classes = append(classes, Class{g.Class, g.Name, g.Probability})
	}
	return classes
}
