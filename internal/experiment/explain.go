package experiment

import (
	"cmp"
	"context"
	"errors"
	"image"
	"image/png"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/eval/report"
	"resnet/internal/text"
)

// ExplainOptions say what is explained.
type ExplainOptions struct {
	Top         int    // the likeliest classes of each image
	Class       string // in their place this one, by name or number; "" without
	ClassesFile string // as in PredictOptions
	Threads     int
	Precision   string // as in PredictOptions
}

// Explain writes a PNG with a row for each image file: what the network sees of it, and for each
// class the same with its activation map. It returns what is in each row, in their order. It fails
// for a network without global average pooling, and for the first file that cannot be read.
func Explain(ctx context.Context, m *Model, files []string, out string, o ExplainOptions) ([]Prediction, error) {
	if !strings.EqualFold(filepath.Ext(out), ".png") {
		return nil, config.Usagef("explain: --out %s: a file that ends with .png", text.Printable(out))
	}
	if err := m.Compute(o.Precision); err != nil {
		return nil, err
	}
	if err := m.NameClasses(o.ClassesFile); err != nil {
		return nil, err
	}
	if err := m.hasMaps(); err != nil {
		return nil, config.Usagef("explain: %s: %w", m.Named, err)
	}
	x, err := newExplainer(m, o)
	if err != nil {
		return nil, err
	}
	defer x.close()
	paths, err := filesOf((*pictures)(nil).kinds(), files)
	if err != nil {
		return nil, err
	}
	if len(paths) > maxExplained {
		return nil, config.Usagef("explain: %d images in one picture: at most %d", len(paths), maxExplained)
	}
	var rows [][]*image.RGBA
	var all []Prediction
	for _, path := range paths {
		row, p, err := x.row(ctx, path)
		if err != nil {
			return nil, err
		}
		rows, all = append(rows, row), append(all, p)
	}
	return all, writeOut(out, "picture", func(w io.Writer) error { return png.Encode(w, report.Sheet(rows)) })
}

// maxExplained is how many rows a picture has at most.
const maxExplained = 100

// hasMaps fails with blocks.ErrSpec for a network without activation maps.
func (m *Model) hasMaps() error {
	if _, err := blocks.BuildMaps(m.Spec, 1, m.Params); errors.Is(err, blocks.ErrSpec) {
		return err
	}
	return nil
}

// explainer looks at images one after another.
type explainer struct {
	m      *Model
	o      ExplainOptions
	class  int // -1: the likeliest
	names  []string
	logits *Service
	maps   *Service // nil for a network without activation maps
}

func newExplainer(m *Model, o ExplainOptions) (*explainer, error) {
	x := &explainer{m: m, o: o, class: -1, names: m.ShownNames()}
	if o.Class != "" {
		var err error
		if x.class, err = classOf(o.Class, x.names, m.Spec.Classes); err != nil {
			return nil, err
		}
	}
	so := ServiceOptions{View: oneView, Batch: 1, Threads: o.Threads}
	var err error
	if x.logits, err = NewService(m, so); err != nil {
		return nil, err
	}
	if m.hasMaps() != nil {
		return x, nil
	}
	so.Form = eval.Maps
	if x.maps, err = NewService(m, so); err != nil {
		x.logits.Close()
		return nil, err
	}
	return x, nil
}

func (x *explainer) close() {
	x.logits.Close()
	if x.maps != nil {
		x.maps.Close()
	}
}

// classOf finds a class by its name or its number.
func classOf(class string, names []string, n int) (int, error) {
	for k, name := range names {
		if name == class {
			return k, nil
		}
	}
	if k, err := strconv.Atoi(class); err == nil && k >= 0 && k < n {
		return k, nil
	}
	return 0, config.Usagef("explain: --class %q: no name of a class, and no number of 0 to %d%s", class, n-1, text.DidYouMean(class, names))
}

func (x *explainer) row(ctx context.Context, path string) ([]*image.RGBA, Prediction, error) {
	p := Prediction{Image: path}
	l, err := x.look(ctx, func() (datasets.Picture, error) { return x.m.readPicture(path) })
	if err != nil {
		return nil, p, err
	}
	p.Top = eval.Top(l.logits, x.m.Spec.Classes, x.names)
	if x.class < 0 {
		p.Top = p.Top[:min(x.o.Top, len(p.Top))]
	} else {
		p.Top = slices.DeleteFunc(p.Top, func(g eval.Guess) bool { return g.Class != x.class })
	}
	row := []*image.RGBA{l.view.Image()}
	for _, g := range p.Top {
		cam, n, err := x.m.ActivationMap(l.maps, g.Class)
		if err != nil {
			return nil, p, err
		}
		row = append(row, l.view.Heat(cam, n))
	}
	return row, p, nil
}

// looked is what a network sees of a picture, and its outputs of it.
type looked struct {
	view         report.View
	logits, maps []float32
}

func (x *explainer) look(ctx context.Context, decode func() (datasets.Picture, error)) (looked, error) {
	cuts, bad, err := x.logits.cuts(ctx, decode)
	if bad != nil || err != nil {
		return looked{}, cmp.Or(bad, err)
	}
	l := looked{view: report.View{Channels: x.m.Spec.InputChannels, Side: cuts[0].Height, Pix: cuts[0].Pix}}
	if l.logits, err = x.logits.batcher.Scores(ctx, slices.Clone(cuts)); err == nil && x.maps != nil {
		l.maps, err = x.maps.batcher.Scores(ctx, cuts)
	}
	return l, err
}
