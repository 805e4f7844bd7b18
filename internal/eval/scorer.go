package eval

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"resnet/internal/datasets"
	"resnet/internal/graph"
)

// A Scorer computes a network's scores of images by a protocol. It is for one goroutine; Close it.
type Scorer struct {
	model    *Model
	protocol Protocol
	machines *Machines
	form     Form
	batch    int
	workers  int
	two      bool
	x        []float32
	mean     *viewMean
}

// ScorerOptions say what a Scorer computes, and how. All but Form leave its scores the same but for
// the rounding of the algorithms that a size of batch is computed with.
type ScorerOptions struct {
	// Form is Plain, or Features or Maps, whose values then stand for the logits.
	Form    Form
	Factory Factory
	Batch   int // views computed together at most; large views go in smaller batches
	Workers int // goroutines that read, resize and cut images; 0 means one
	// Two makes machines for one view and for full batches alone, which fewer views run on as well:
	// where batches of every size come, each would have a machine with weights of its own.
	Two bool
}

// NewScorer makes a Scorer. Protocols come from ViewOptions, which check them.
func NewScorer(m *Model, p Protocol, o ScorerOptions) *Scorer {
	s := &Scorer{
		model: m, protocol: p, form: o.Form, two: o.Two, batch: max(1, o.Batch), workers: max(1, o.Workers),
		machines: NewMachines(MachinesOptions{Spec: m.Spec, Params: m.Params, Factory: o.Factory, Frozen: true, Limit: ImageMemory, Exact: o.Two}),
	}
	if len(p.Scales) > 0 {
		s.form = Dense
	}
	return s
}

// Close frees the machines.
func (s *Scorer) Close() { s.machines.Close() }

// flips is the number of views of a cut.
func (p Protocol) flips() int {
	if p.Flip || p.Views == 10 {
		return 2
	}
	return 1
}

// Score computes n images and calls emit with the scores [K] of each, in their order: of one view
// its logits; of several the mean of their logits, or for CombineSoftmax the logarithm of the mean
// of their probabilities. The scores are valid during the call only, and nil for an image that cuts
// gave no cut of.
//
// The views of some images at a time are sorted by size and computed in batches, so that memory is
// bounded whatever the images; which views share a batch follows from the images alone. It fails
// with the errors of cuts, of the network and of emit, and when ctx is done.
func (s *Scorer) Score(ctx context.Context, n int, cuts Cutter, emit func(i int, scores []float32) error) error {
	var out []float32
	for w, err := range ahead(ctx, func(ctx context.Context) iter.Seq2[[]pending, error] { return s.windows(ctx, n, cuts) }) {
		if err != nil {
			return err
		}
		if err := s.compute(ctx, w); err != nil {
			return err
		}
		for _, im := range w {
			out = s.combined(out, im)
			if err := emit(im.index, out); err != nil {
				return err
			}
		}
	}
	return nil
}

// combined writes the scores of an image to scores, which grows where it must; nil without views.
func (s *Scorer) combined(scores []float32, im pending) []float32 {
	if len(im.logits) == 0 {
		return nil
	}
	n := len(im.logits[0])
	if len(scores) != n {
		scores = make([]float32, n)
	}
	if s.mean == nil { // all images have as many values
		combine := s.protocol.Combine
		if s.form == Features || s.form == Maps {
			combine = CombineLogits // they are no logits: their mean is taken
		}
		s.mean = newMean(combine, n)
	}
	s.mean.scores(scores, im.logits)
	return scores
}

// Scores computes one image.
func (s *Scorer) Scores(ctx context.Context, cuts []Cut) ([]float32, error) {
	var out []float32
	err := s.Score(ctx, 1, func(int) ([]Cut, error) { return cuts, nil }, func(_ int, scores []float32) error {
		out = slices.Clone(scores)
		return nil
	})
	return out, err
}

// pending is an image while it is computed: its cuts, then the logits of its views, of each cut and
// then of its mirror image.
type pending struct {
	index  int
	cuts   []Cut
	logits [][]float32
}

// Bounds of a window: images whose views are sorted together. 128 MB are some 100 photographs at
// five scales.
const (
	windowBytes  = 128 << 20
	windowImages = 512
)

// windows reads and cuts the images in parallel and gathers them, in their order.
func (s *Scorer) windows(ctx context.Context, n int, cuts Cutter) iter.Seq2[[]pending, error] {
	return func(yield func([]pending, error) bool) {
		var window []pending
		bytes := 0
		for im, err := range ordered(ctx, n, s.workers, func(i int) (pending, error) {
			c, err := cuts(i)
			return pending{index: i, cuts: c}, err
		}) {
			if err != nil {
				yield(nil, err)
				return
			}
			window = append(window, im)
			for _, c := range im.cuts {
				bytes += len(c.Pix)
			}
			if bytes >= windowBytes || len(window) == windowImages {
				if !yield(window, nil) {
					return
				}
				window, bytes = nil, 0
			}
		}
		if len(window) > 0 {
			yield(window, nil)
		}
	}
}

// view is one forward pass' worth of an image.
type view struct {
	cut  *Cut
	flip bool
	to   *[]float32
}

// compute computes the logits of all views of a window, size by size in the order in which they
// appear.
func (s *Scorer) compute(ctx context.Context, window []pending) error {
	type size struct{ height, width int }
	var order []size
	groups := map[size][]view{}
	flips := s.protocol.flips()
	for i := range window {
		im := &window[i]
		im.logits = make([][]float32, len(im.cuts)*flips)
		for k := range im.cuts {
			c := &im.cuts[k]
			at := size{c.Height, c.Width}
			if groups[at] == nil {
				order = append(order, at)
			}
			for f := range flips {
				groups[at] = append(groups[at], view{c, f == 1, &im.logits[k*flips+f]})
			}
		}
	}
	for _, at := range order {
		for views := range slices.Chunk(groups[at], s.together(at.height, at.width)) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := s.run(at.height, at.width, views); err != nil {
				return err
			}
		}
	}
	for i := range window {
		window[i].cuts = nil
	}
	return nil
}

// together is how many views of a size are computed in a batch: the pixels of 32 crops of 224x224,
// at least 2, at most the batch that was asked for. In the fully convolutional form it is half of
// that, because every size has a machine of its own.
func together(batch, height, width int, form Form) int {
	pixels := 32 * 224 * 224
	if form == Dense {
		pixels /= 2
	}
	return min(max(1, batch), max(2, pixels/(height*width)))
}

func (s *Scorer) together(height, width int) int {
	return together(s.batch, height, width, s.form)
}

func (s *Scorer) run(height, width int, views []view) error {
	spec := s.model.Spec
	m, err := s.machines.Get(Shape{Mode: graph.Eval, Form: s.form, N: s.size(len(views), s.together(height, width)), Height: height, Width: width})
	if err != nil {
		return fmt.Errorf("%s: %w", s.model.Path, err)
	}
	per := spec.InputChannels * height * width
	if cap(s.x) < per*len(views) {
		s.x = make([]float32, per*len(views))
	}
	x := s.x[:per*len(views)]
	norm := s.model.normalizerFor(height, width, s.form == Dense)
	for i, v := range views {
		one := x[i*per : (i+1)*per]
		if len(v.cut.Pix) != per {
			return fmt.Errorf("%s: it takes %d channels, and an image has %d values for %dx%d pixels", s.model.Path, spec.InputChannels, len(v.cut.Pix), width, height)
		}
		norm.Apply(one, v.cut.Pix)
		if v.flip {
			mirror(one, width)
		}
	}
	logits, err := m.Infer(x, len(views))
	if err != nil {
		return err
	}
	values := m.Graph.LogitsLen()
	for i, v := range views {
		*v.to = slices.Clone(logits[i*values : (i+1)*values])
	}
	return nil
}

// size is how many views the machine is made for that computes n of at most most.
func (s *Scorer) size(n, most int) int {
	if s.two && n > 1 {
		return most
	}
	return min(most, ceilPow2(n))
}

// mirror reverses each row. It comes after the mean image is subtracted, as in training.
func mirror(x []float32, width int) {
	for row := range slices.Chunk(x, width) {
		slices.Reverse(row)
	}
}

func ceilPow2(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}

// normalizerFor is the model's normaliser for views of a size: a mean image fits views of its own
// size alone, and in the fully convolutional form, where every position is alike, none; its mean
// over each channel takes its place.
func (m *Model) normalizerFor(height, width int, dense bool) datasets.Normalizer {
	n, s := m.Preprocessing.Normalizer, m.Spec
	if n.Kind != datasets.PixelMean || !dense && height == s.InputSize && width == s.InputSize {
		return n
	}
	out := datasets.Normalizer{Kind: datasets.ChannelMeanStd}
	for plane := range slices.Chunk(n.Mean, len(n.Mean)/s.InputChannels) {
		var sum float64
		for _, v := range plane {
			sum += float64(v)
		}
		out.Mean = append(out.Mean, float32(sum/float64(len(plane))))
		out.Std = append(out.Std, 1)
	}
	if len(n.Std) > 0 {
		out.Std = n.Std
	}
	return out
}
