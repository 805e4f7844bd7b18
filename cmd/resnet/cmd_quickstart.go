package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"resnet/internal/eval/report"
	"resnet/internal/train"
)

// quickstartOptions are the flags of quickstart.
type quickstartOptions struct {
	out     string
	sets    []string
	threads int
	json    bool
}

const quickstartHelp = `Trains a plain and a residual network of the same depth on images that are part of this program, and shows what came out:
a table, the curves, and what the figures say. Nothing is downloaded; it takes about a minute on two cores.

The experiment is the preset ` + "`quickstart`" + `; --set changes it, as in --set model.depth=20 --set train.epochs=6.`

func newQuickstartCmd(a *app) *cobra.Command {
	o := &quickstartOptions{}
	c := &cobra.Command{
		Use: "quickstart", Short: "Plain against residual on embedded images, about a minute",
		Long:    quickstartHelp + exitHelp(help70, help73, help74, help130),
		Example: "  resnet quickstart\n  resnet quickstart --out my-first --set model.depth=20\n  resnet quickstart --json",
		Args:    exactArgs(),
		RunE:    func(c *cobra.Command, _ []string) error { return runQuickstart(c.Context(), a, o) },
	}
	c.Flags().StringVar(&o.out, "out", "", "folder for the two runs and the curves (default quickstart, quickstart-2, ...)")
	c.Flags().StringArrayVar(&o.sets, "set", nil, "override a key of the preset, as in train.epochs=6; may be repeated")
	c.Flags().IntVar(&o.threads, "threads", 0, "threads; the results do not depend on them (default all cores)")
	c.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return c
}

// entrant is one of the two networks of the quickstart, and how it did.
type entrant struct {
	Name       string  `json:"name"` // plain or residual
	Model      string  `json:"model"`
	Run        string  `json:"run"`
	Params     int64   `json:"params"`
	TrainError float64 `json:"train_top1_error"` // percent, mean of the last epoch
	TestError  float64 `json:"test_top1_error"`
	Seconds    float64 `json:"seconds"`

	job *job
	sum train.Summary
}

func runQuickstart(ctx context.Context, a *app, o *quickstartOptions) error {
	if o.threads < 0 {
		return usageErrorf("--threads: %d is negative", o.threads)
	}
	nets := []*entrant{{Name: "plain"}, {Name: "residual"}}
	control := train.NewControl()
	w := a.watchSignals(control, 30*time.Second, os.Exit)
	defer w.stop()
	open := newDataSets()
	for _, n := range nets { // all mistakes before any work
		l, err := loadConfig(configInput{file: "quickstart", env: a.env, sets: append(o.sets, fmt.Sprintf("model.residual=%v", n.Name == "residual"))})
		if err != nil {
			return err
		}
		if n.job, err = newJob(ctx, l, o.threads, open); err != nil {
			return err
		}
	}
	dir, err := quickstartDir(o.out)
	if err != nil {
		return err
	}
	first := nets[0].job
	info := first.data.Info()
	a.say("Two networks of %d layers, %s training images of %dx%d, %s, %s kernels. Everything is kept in %s.",
		first.spec.Depth(), grouped(info.Train), info.Height, info.Width, count(first.threads, "thread"), kernelsInUse(), dir)
	for _, n := range nets {
		if err := n.train(ctx, a, dir, control, w); err != nil {
			return err
		}
	}
	return a.reportQuickstart(dir, nets, o.json)
}

// quickstartDir makes the folder: out, or the first free of quickstart, quickstart-2, ...
func quickstartDir(out string) (string, error) {
	if out != "" {
		if pathIsRun(out) {
			return "", usageErrorf("%s holds a quickstart already: choose another --out", out)
		}
		if err := os.MkdirAll(out, 0o755); err != nil {
			return "", &ioError{err}
		}
		return out, nil
	}
	for k := 1; ; k++ {
		dir := "quickstart"
		if k > 1 {
			dir = fmt.Sprintf("quickstart-%d", k)
		}
		err := os.Mkdir(dir, 0o755)
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", &ioError{err}
		}
	}
}

func pathIsRun(dir string) bool {
	return holdsRun(filepath.Join(dir, "plain")) || holdsRun(filepath.Join(dir, "residual"))
}

func (n *entrant) train(ctx context.Context, a *app, dir string, control *train.Control, w *watcher) error {
	n.Run = filepath.Join(dir, n.Name)
	if err := os.Mkdir(n.Run, 0o755); err != nil {
		return &ioError{err}
	}
	t := &training{a: a, j: n.job, dir: n.Run, label: n.Name, control: control}
	sum, err := t.run(ctx)
	if err := a.finishRun(n.Run, sum, err, w); err != nil {
		return err
	}
	n.sum, n.Model, n.Seconds, n.Params = sum, n.job.spec.Name, sum.Elapsed.Seconds(), n.job.spec.Params
	if r := sum.Last; r != nil && r.Train != nil && r.Test != nil {
		n.TrainError, n.TestError = r.Train.Error, r.Test.Error
		return nil
	}
	return fmt.Errorf("%s: there is no evaluation to show", n.Run)
}

// reportQuickstart draws, prints the table and says what the figures show.
func (a *app) reportQuickstart(dir string, nets []*entrant, asJSON bool) error {
	job := nets[0].job
	r := report.Report{Title: fmt.Sprintf("%d layers, plain and residual, on %s", job.spec.Depth(), job.data.Info().Name)}
	var series []report.Series
	var compared []report.Compared
	for _, n := range nets {
		run, err := report.ReadRun(n.Run)
		if err != nil {
			return err
		}
		run.Name = n.Name
		info := n.job.data.Info()
		compared = append(compared, report.Compared{Run: run, Net: report.Net{Params: n.Params, Batch: n.job.plan.ImagesPerStep(),
			TrainImages: info.Train, ValImages: info.Val, TestImages: info.Test}})
		r.Runs, series = append(r.Runs, run), append(series, run.Series())
		r.Table.Rows = append(r.Table.Rows, lastTable(n.Run, n.job, n.sum).Rows...)
	}
	v := report.Judge(compared[0], compared[1])
	r.Notes = []string{v.Text()}
	if err := report.WriteReport(dir, r); err != nil {
		return err
	}
	next := a.nextCommand()
	if asJSON {
		return a.printJSON(map[string]any{"out": dir, "nets": nets, "verdict": v, "text": v.Text(), "next": next,
			"files": []string{filepath.Join(dir, report.ReportFile), filepath.Join(dir, report.CurvesSVG), filepath.Join(dir, report.CurvesPNG)}})
	}
	if err := a.chart(series); err != nil {
		return err
	}
	fmt.Fprintln(a.out)
	if err := a.printEntrants(nets); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "\n%s\n\nReport: %s, with %s and %s\nNext:   %s\n", wrap(v.Text(), a.textWidth()), filepath.Join(dir, report.ReportFile),
		report.CurvesSVG, report.CurvesPNG, a.bold(next))
	return nil
}
