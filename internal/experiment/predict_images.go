package experiment

import (
	"context"
	"fmt"

	"resnet/internal/datasets"
	"resnet/internal/eval"
)

// pictures classifies image files.
type pictures struct {
	m        *Model
	protocol eval.Protocol
	scorer   *eval.Scorer
	classes  []string
}

func newPictures(m *Model, o PredictOptions) (view string, _ *pictures, err error) {
	m.sayAssumed()
	p := &pictures{m: m, classes: m.shownNames()}
	if p.protocol, err = o.View.Protocol(m.Model); err != nil {
		return "", nil, fmt.Errorf("%s: %w", m.Named, err)
	}
	p.scorer = eval.NewScorer(m.Model, p.protocol, eval.ScorerOptions{Factory: m.env.Factory(o.Threads), Batch: o.Batch, Workers: o.Threads})
	view = p.protocol.String()
	if m.Spec.InputChannels == 1 {
		view += ", colours as luma"
	}
	return view, p, nil
}

func (*pictures) kinds() []string                  { return []string{".png", ".jpg", ".jpeg"} }
func (*pictures) label(p *Prediction, path string) { p.Image = path }
func (p *pictures) names() []string                { return p.classes }
func (p *pictures) close()                         { p.scorer.Close() }
func (p *pictures) read(path string) (any, error)  { return p.cuts(path) }
func (p *pictures) cuts(path string) ([]eval.Cut, error) {
	return eval.PictureCuts(p.protocol, p.m.Preprocessing, func(int) (datasets.Picture, error) { return readPicture(path) })(0)
}

func (p *pictures) scores(ctx context.Context, input any) (scores []float32, bad, err error) {
	scores, err = p.scorer.Scores(ctx, input.([]eval.Cut))
	return scores, nil, err
}

// all computes the views of several images together.
func (p *pictures) all(ctx context.Context, paths []string, each func(string, []float32, error) error) error {
	bad := make([]error, len(paths))
	return p.scorer.Score(ctx, len(paths), func(i int) ([]eval.Cut, error) {
		cuts, err := p.cuts(paths[i])
		bad[i] = err
		return cuts, nil
	}, func(i int, scores []float32) error { return each(paths[i], scores, bad[i]) })
}

// readPicture decodes an image file.
func readPicture(path string) (datasets.Picture, error) {
	f, err := openFile(path, "image")
	if err != nil {
		return datasets.Picture{}, err
	}
	defer f.Close()
	return datasets.DecodePicture(f, path)
}
