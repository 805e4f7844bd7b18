package experiment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/eval/report"
	"resnet/internal/text"
	"resnet/internal/train/checkpoint"
)

// DiagnoseOptions say what a run is diagnosed on.
type DiagnoseOptions struct {
	Split datasets.Split // "" means the test split, or without one the validation split
	// Images are as many as are measured, drawn so that each class gives about the same part of
	// its own. 0 means DiagnosedImages, or what is measured already; below 0 means all.
	Images  int
	Threads int
}

// DiagnosedImages is how many images are measured for the page of a run: all of CIFAR's, and ten of
// each of ImageNet's classes.
const DiagnosedImages = 10_000

// worstImages is how many images are shown, and worstGuesses how many classes of each.
const (
	worstImages  = 16
	worstGuesses = 3
)

// notDiagnosedError says why a run has no diagnosis, which is no fault: the text is for its page.
type notDiagnosedError string

func (e notDiagnosedError) Error() string { return string(e) }

// diagnose measures the best checkpoint of a run folder image by image. It fails with a
// notDiagnosedError for a run that has none.
func diagnose(ctx context.Context, env *Environment, dir string, manifest checkpoint.Manifest, o DiagnoseOptions) (*report.Diagnosis, error) {
	net, err := OpenClassifier(env, dir)
	if err != nil {
		return nil, err
	}
	if net.Frontend != "" {
		return nil, notDiagnosedError("Networks of speech are not diagnosed frame by frame.")
	}
	if net.broken != nil {
		return nil, net.broken
	}
	m := &measuring{MeasureOptions: MeasureOptions{Split: o.Split, Threads: o.Threads, View: oneView}, env: env, open: NewDataSets()}
	set, err := m.splitOf(ctx, net)
	if err != nil {
		return nil, err
	}
	all := set.Len(m.Split)
	if limit := o.limit(); limit > 0 {
		set = set.Part(m.Split, limit)
	}
	n := set.Len(m.Split)
	name, err := set.Identity(ctx)
	if err != nil {
		return nil, err
	}
	p, err := m.View.For(net.Model, set.Info())
	if err != nil {
		return nil, err
	}
	if err := m.checkMemory(net, n); err != nil {
		return nil, err
	}
	p.Split = m.Split
	calibrator, worst := eval.NewCalibrator(n, net.Spec.Classes), &worstOf{most: worstImages}
	metrics, err := m.evaluate(ctx, net, net.Model, set, p, calibrator.Observe, worst.observe)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", net.Named, err)
	}
	d := &report.Diagnosis{
		Checkpoint: manifest.Model.File, SHA256: manifest.Model.SHA256, Step: manifest.Step, Data: name, Split: string(m.Split), Images: n, Of: all,
		Top1Error: metrics.Top1Error, Top5Error: metrics.Top5Error, Loss: metrics.Loss, Classes: make([]string, net.Spec.Classes),
		Confusion: confusedPairs(metrics.Confusion), Limit: o.limit(),
	}
	copy(d.Classes, net.ShownNames())
	if d.Calibration, err = calibrator.Calibration(); err != nil {
		return nil, err
	}
	if err := net.hasMaps(); err != nil {
		d.NoMaps = err.Error()
	}
	d.Worst, err = worst.look(ctx, net, set, m.Split, o.Threads)
	return d, err
}

// oneView is that of the training's validation.
var oneView = eval.ViewOptions{Crops: eval.CropsOne, Combine: eval.CombineSoftmax}

// splitOf opens the data of a diagnosis, and chooses the split where none is asked for.
func (m *measuring) splitOf(ctx context.Context, net *Model) (*datasets.Dataset, error) {
	splits := []datasets.Split{m.Split}
	if m.Split == "" {
		splits = []datasets.Split{datasets.Test, datasets.Val}
	}
	for _, s := range splits {
		m.Split = s
		set, err := m.dataset(ctx, net)
		if err != nil {
			return nil, err
		}
		if set.Len(s) > 0 {
			return set, nil
		}
	}
	return nil, notDiagnosedError("There are no images that it was not trained on: data.validation holds some out.")
}

// confusedPairs are the pairs of label and prediction that have images, by label.
func confusedPairs(confusion [][]int) []eval.Mixup {
	var list []eval.Mixup
	for label, row := range confusion {
		for predicted, n := range row {
			if n > 0 {
				list = append(list, eval.Mixup{Label: label, Predicted: predicted, N: n})
			}
		}
	}
	return list
}

// worstOf keeps the images of the greatest loss, of equal ones those that come first.
type worstOf struct {
	most int
	list []worstImage
}

type worstImage struct {
	index, label int
	loss         float64
}

// observe is an eval.Observer.
func (w *worstOf) observe(im eval.Image) error {
	x := worstImage{im.Index, im.Label, eval.CrossEntropy(im.Logits, im.Label)}
	at, _ := slices.BinarySearchFunc(w.list, x, func(a, b worstImage) int {
		return cmp.Or(-cmp.Compare(a.loss, b.loss), cmp.Compare(a.index, b.index))
	})
	if at < w.most {
		w.list = slices.Insert(w.list, at, x)
		w.list = w.list[:min(len(w.list), w.most)]
	}
	return nil
}

// look takes the images that are kept again, with what the network sees of them and where. Images
// that are right are not among them.
func (w *worstOf) look(ctx context.Context, net *Model, set *datasets.Dataset, split datasets.Split, threads int) ([]report.WorstImage, error) {
	x, err := newExplainer(net, ExplainOptions{Threads: threads})
	if err != nil {
		return nil, err
	}
	defer x.close()
	list := []report.WorstImage{}
	for _, im := range w.list {
		l, err := x.look(ctx, func() (datasets.Picture, error) { return set.PictureFor(split, im.index, net.Preprocessing) })
		if err != nil {
			return nil, err
		}
		all := eval.Top(l.logits, net.Spec.Classes, x.names)
		if all[0].Class == im.label {
			continue
		}
		one := report.WorstImage{
			Index: im.index, ID: set.ID(split, im.index), Label: im.label, Loss: im.loss, Top: all[:min(worstGuesses, len(all))],
			Probability: all[slices.IndexFunc(all, func(g eval.Guess) bool { return g.Class == im.label })].Probability,
		}
		if one.View, err = l.view.Encode(); err != nil {
			return nil, err
		}
		if l.maps != nil {
			for _, class := range []int{all[0].Class, im.label} {
				cam, n, err := net.ActivationMap(l.maps, class)
				if err != nil {
					return nil, err
				}
				one.Maps = append(one.Maps, report.ActivationMap{Class: class, Side: n, Values: cam})
			}
		}
		list = append(list, one)
	}
	return list, nil
}

// diagnosisOf is the diagnosis of a run as it is: the one that its folder keeps where it is of the
// best checkpoint and of the split and as many images as o wants, else a new one, which the folder
// keeps then. why says in a sentence why there is none.
func diagnosisOf(ctx context.Context, env *Environment, dir string, o DiagnoseOptions) (d *report.Diagnosis, why string, err error) {
	manifest, err := checkpoint.View(dir, nil).Best()
	if errors.Is(err, checkpoint.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return nil, "There is no checkpoint yet.", nil
	}
	if err != nil {
		return nil, "", err
	}
	d, err = report.ReadDiagnosis(dir)
	switch {
	case errors.Is(err, report.ErrDiagnostics):
		env.say("warning: %s: it is made anew", text.Printable(err.Error()))
	case err != nil:
		return nil, "", err
	case d != nil && d.SHA256 == manifest.Model.SHA256 && o.fits(d):
		return d, "", nil
	}
	d, err = diagnose(ctx, env, dir, manifest, o)
	var none notDiagnosedError
	if errors.As(err, &none) {
		return nil, none.Error(), nil
	}
	if err != nil {
		return nil, "", err
	}
	if err := report.WriteDiagnosis(dir, d); err != nil {
		return nil, "", &IOError{err}
	}
	return d, "", nil
}

// limit is how many images are measured at most; 0 means all.
func (o DiagnoseOptions) limit() int {
	if o.Images == 0 {
		return DiagnosedImages
	}
	return max(0, o.Images)
}

// fits reports whether a diagnosis is the one that is asked for.
func (o DiagnoseOptions) fits(d *report.Diagnosis) bool {
	switch {
	case o.Split != "" && d.Split != string(o.Split):
		return false
	case o.Images == 0 || d.Limit == o.limit():
		return true
	}
	return d.Images == d.Of && (o.Images < 0 || o.Images >= d.Of)
}
