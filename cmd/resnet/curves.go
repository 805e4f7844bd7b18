package main

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/term"

	"resnet/internal/eval"
	"resnet/internal/train"
)

// runSeries reads the curves of a run folder.
func runSeries(dir, name string) (eval.Series, error) {
	h, err := eval.ReadHistory(filepath.Join(dir, train.MetricsFile))
	if err != nil {
		return eval.Series{}, err
	}
	return h.Series(name), nil
}

// drawRun writes curves.svg and curves.png into a run folder. A drawing that fails is worth a warning, never a training.
func (a *app) drawRun(dir, name string) {
	s, err := runSeries(dir, name)
	if err == nil {
		err = eval.DrawFiles(dir, []eval.Series{s}, eval.DrawOptions{Title: name})
	}
	if err != nil && !errors.Is(err, eval.ErrNoCurve) {
		a.say("warning: the curves are not drawn: %v", err)
	}
}

// chart draws curves with characters on standard output.
func (a *app) chart(series []eval.Series) error {
	o := eval.ChartOptions{Color: a.colour(a.outTTY), ASCII: !a.unicode()}
	if f, ok := a.out.(*os.File); ok && a.outTTY {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			o.Width = min(width, 100)
		}
	}
	return eval.Chart(a.out, series, o)
}
