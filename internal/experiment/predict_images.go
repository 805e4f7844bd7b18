package experiment

import (
	"context"

	"resnet/internal/datasets"
	"resnet/internal/eval"
)

// pictures classifies image files.
type pictures struct {
	*Service
	scorer *eval.Scorer // where all files are known
}

func newPictures(m *Model, o PredictOptions) (view string, _ *pictures, err error) {
	return newFormOfPictures(m, o, eval.Plain)
}

func newFormOfPictures(m *Model, o PredictOptions, form eval.Form) (view string, _ *pictures, err error) {
	// One picture at a time, so that its scores do not depend on when the others come.
	s, err := NewService(m, ServiceOptions{View: o.View, Form: form, Batch: 1, Threads: o.Threads})
	if err != nil {
		return "", nil, err
	}
	p := &pictures{Service: s}
	p.scorer = eval.NewScorer(m.Model, s.Protocol, eval.ScorerOptions{Form: form, Factory: m.factory(o.Threads), Batch: o.Batch, Workers: o.Threads})
	return s.View(), p, nil
}

func (*pictures) kinds() []string                  { return datasets.Endings() }
func (*pictures) label(p *Prediction, path string) { p.Image = path }
func (p *pictures) names() []string                { return p.Names() }

func (p *pictures) close() {
	p.Close()
	p.scorer.Close()
}

func (p *pictures) scores(ctx context.Context, path string) (scores []float32, bad, err error) {
	return p.Scores(ctx, func() (datasets.Picture, error) { return p.Model.readPicture(path) })
}

// all computes the views of several images together.
func (p *pictures) all(ctx context.Context, paths []string, each func(string, []float32, error) error) error {
	bad := make([]error, len(paths))
	cutter := eval.PictureCuts(p.Protocol, p.Model.Preprocessing, func(i int) (datasets.Picture, error) { return p.Model.readPicture(paths[i]) })
	return p.scorer.Score(ctx, len(paths), func(i int) (cuts []eval.Cut, _ error) {
		cuts, bad[i] = cutter(i)
		return cuts, nil
	}, func(i int, scores []float32) error { return each(paths[i], scores, bad[i]) })
}

// readPicture decodes an image file as the network was trained.
func (m *Model) readPicture(path string) (datasets.Picture, error) {
	f, err := openFile(path, "image")
	if err != nil {
		return datasets.Picture{}, err
	}
	defer f.Close()
	return m.Preprocessing.Decode(f, path)
}
