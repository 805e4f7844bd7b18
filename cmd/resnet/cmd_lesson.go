package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"resnet/docs/lesson"
	"resnet/internal/eval/report"
	"resnet/internal/experiment"
	"resnet/internal/serve"
	"resnet/internal/text"
	"resnet/internal/train"
)

// lessonOptions are the flags of lesson and lesson measure.
type lessonOptions struct {
	runs     string // folder of the visitor's trainings
	measured string // folder of the visitor's figures
	port     int
	grace    time.Duration
	sets     []string
	seed     int
	threads  int
}

const lessonHelp = `Serves a lesson on residual networks to this machine: what degradation is, a block, gradients and
responses of the layers, shortcuts dropped one by one, what batch normalisation buys. It shows the
trainings in and below FOLDER, "runs" without one, beside its own figures. Nothing is loaded from a
network.

"lesson measure" trains the lesson's networks here, in a few minutes on two cores; then the
lesson has your figures, too.

SIGINT (Ctrl-C) or SIGTERM ends it.`

func newLessonCmd(a *app) *cobra.Command {
	o := &lessonOptions{}
	c := &cobra.Command{
		Use: "lesson [FOLDER]", Short: "A lesson on residual networks, in a browser",
		Long:    lessonHelp + exitHelp(help65, help66, help74, helpStopped),
		Example: "  resnet lesson\n  resnet lesson measure\n  resnet lesson compared --port 9000",
		Args:    optionalArg,
		RunE: func(c *cobra.Command, args []string) error {
			if o.runs = "runs"; len(args) == 1 {
				o.runs = args[0]
				if _, err := experiment.Runs(o.runs); err != nil {
					return err
				}
			}
			return runLesson(c.Context(), a, o)
		},
	}
	f := c.Flags()
	bounded(f, &o.port, "port", 8090, 0, 65535, "port on 127.0.0.1; 0 takes a free one")
	f.StringVar(&o.measured, "measured", "lesson", "folder of lesson measure")
	f.DurationVar(&o.grace, "grace", 5*time.Second, "for the pages in hand when the server ends")
	_ = c.MarkFlagDirname("measured")
	c.AddCommand(newLessonMeasureCmd(a))
	return c
}

func runLesson(ctx context.Context, a *app, o *lessonOptions) error {
	if o.grace < 0 || o.grace > time.Hour {
		return usageErrorf("lesson: --grace %v: 0 to 1h", o.grace)
	}
	t := &teacher{o}
	if err := t.Lesson(io.Discard, true); err != nil { // what is wrong with the files shows here
		return err
	}
	return a.interruptibleFor(ctx, "Stopped.", o.grace+5*time.Second, os.Exit, func(ctx context.Context) error {
		l, err := serve.ListenHere(o.port)
		if err != nil {
			return &experiment.IOError{Err: fmt.Errorf("lesson: %w", err)}
		}
		defer l.Close()
		fmt.Fprintf(a.out, "http://%s\n", l.Addr())
		if err := serve.ServeLesson(ctx, t, l, o.grace); err != nil {
			return err
		}
		return ctx.Err()
	})
}

// teacher makes the pages of the lesson, with what is in the folders at that moment.
type teacher struct{ o *lessonOptions }

// Lesson writes the page.
func (t *teacher) Lesson(w io.Writer, own bool) error {
	v := experiment.Visit(t.o.runs, serve.ReportLink)
	figures, err := experiment.ReadLesson(t.o.measured)
	switch {
	case err == nil && own:
		v.Own, v.Other = true, serve.LessonPath
		return experiment.WriteLesson(w, figures, v)
	case err == nil:
		v.Other = serve.OwnLessonPath
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if figures, err = report.DecodeLesson(lesson.Measured, "the program's lesson"); err != nil {
		return err
	}
	return experiment.WriteLesson(w, figures, v)
}

// Report is the page of a training.
func (t *teacher) Report(run string) ([]byte, bool) { return experiment.VisitedReport(t.o.runs, run) }

const lessonMeasureHelp = `Trains the networks of the lesson, looks into them and writes --out/lesson.json and lesson.html, which
needs nothing else: 8, 20 and 56 layers, plain and residual, and with and without batch
normalisation, on images that are part of this program. It takes a few minutes on two cores.

Given again, it goes on where it was interrupted.`

func newLessonMeasureCmd(a *app) *cobra.Command {
	o := &lessonOptions{}
	c := &cobra.Command{
		Use: "measure", Short: "Train and measure the lesson's networks here, a few minutes",
		Long:    lessonMeasureHelp + exitHelp(help65, help70, help73, help74, help130),
		Example: "  resnet lesson measure\n  resnet lesson measure --out mine --seed 2",
		Args:    exactArgs(),
		RunE:    func(c *cobra.Command, _ []string) error { return runLessonMeasure(c.Context(), a, o) },
	}
	f := c.Flags()
	f.StringVar(&o.measured, "out", "lesson", "folder of the trainings and the figures")
	bounded(f, &o.seed, "seed", 1, 0, maxCount, "of all networks")
	f.StringArrayVar(&o.sets, "set", nil, "override a key of the preset fundamentals, as in train.epochs=12; may be repeated")
	threadsFlag(f, &o.threads, "threads; the results do not depend on them (default all cores)")
	_ = c.MarkFlagDirname("out")
	return c
}

func runLessonMeasure(ctx context.Context, a *app, o *lessonOptions) error {
	plan, err := experiment.NewLessonPlan(ctx, a.environment(), experiment.LessonOptions{Out: o.measured, Sets: o.sets, Seed: uint64(o.seed), Threads: o.threads})
	if err != nil {
		return err
	}
	control := train.NewControl()
	w := a.watchSignals(control, 30*time.Second, os.Exit)
	defer w.stop()
	for _, c := range plan.Comparisons() {
		if err := a.trainAll(ctx, c, w, true); err != nil {
			return err
		}
		if err := c.Incomplete(); err != nil {
			return err
		}
	}
	w.saved()
	a.say("Looking into the networks.")
	l, err := plan.Measure(control.Context(ctx))
	if err != nil {
		return w.ended(err)
	}
	for _, finding := range append(l.Findings, l.Lesions...) {
		fmt.Fprintf(a.out, "%s\n\n", text.Wrap(text.Printable(finding), a.textWidth()))
	}
	measured := ""
	if o.measured != "lesson" {
		measured = " --measured " + text.ShellQuote(o.measured)
	}
	_, err = fmt.Fprintf(a.out, "Next: %s lesson%s\n", a.self, measured)
	return err
}
