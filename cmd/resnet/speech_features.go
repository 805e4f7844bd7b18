package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"

	"resnet/internal/datasets/speech"
	"resnet/internal/datasets/speech/extract"
	"resnet/internal/datasets/speech/kaldi"
	"resnet/internal/eval"
)

// matrixKinds are the values of --compress.
var matrixKinds = map[string]kaldi.Kind{"none": kaldi.FloatMatrix, "CM": kaldi.Compressed, "CM2": kaldi.Compressed2, "CM3": kaldi.Compressed3}

// featuresResult is what speech features --json prints.
type featuresResult struct {
	Ark        string  `json:"ark"`
	Scp        string  `json:"scp"`
	Utterances int     `json:"utterances"`
	Left       int     `json:"left_out"`
	Frames     int     `json:"frames"`
	Dim        int     `json:"dim"`
	Rate       int     `json:"rate"`
	Seconds    float64 `json:"seconds"` // of sound
	Speakers   int     `json:"speakers,omitempty"`
	Statistics string  `json:"statistics,omitempty"`
}

// computeFeatures writes the archive and its script; both appear when all is done.
func computeFeatures(ctx context.Context, a *app, o *featuresOptions, inputs []string, ark, scp string) error {
	recordings, err := extract.Find(inputs, o.segments)
	if err != nil {
		return err
	}
	if err := readSpeakers(o); err != nil {
		return err
	}
	bar := newCounter(a, "features", len(recordings))
	defer bar.close()
	o.job.OnDone = func(done, _ int) { bar.set(done) }
	if o.skip {
		o.job.OnBad = func(_ string, err error) error {
			bar.close()
			a.say("left out: %s", eval.Printable(err.Error()))
			return nil
		}
	}
	w, err := kaldi.Create(ark, scp)
	if err != nil {
		return err
	}
	defer w.Discard()
	sum, err := o.job.Run(ctx, recordings, func(key string, f speech.Features) error {
		return w.Write(key, kaldi.Value{Kind: matrixKinds[o.compress], Rows: f.Frames, Cols: f.Dim, Floats: f.Data})
	})
	if err != nil {
		return err
	}
	if err := writeStatistics(o.writeStatistics, sum.Statistics); err != nil {
		return err
	}
	if err := w.Commit(); err != nil {
		return err
	}
	bar.close()
	r := featuresResult{ark, scp, sum.Utterances, sum.Left, sum.Frames, sum.Dim, sum.Rate, sum.Seconds, sum.Speakers, o.writeStatistics}
	if o.json {
		return a.printJSON(r)
	}
	_, err = fmt.Fprintf(a.out, "%s, %s: %s, %s of %d values (%s of sound at %d Hz)\n", eval.Printable(ark), eval.Printable(scp), count(r.Utterances, "utterance"),
		count(r.Frames, "frame"), r.Dim, duration(time.Duration(r.Seconds*float64(time.Second))), r.Rate)
	if r.Left > 0 {
		a.say("%s left out", count(r.Left, "recording"))
	}
	return err
}

// readSpeakers reads what --normalize speaker needs.
func readSpeakers(o *featuresOptions) error {
	if o.job.Normalize != extract.Speaker {
		return nil
	}
	pairs, err := kaldi.ReadTable(o.utt2spk)
	if err != nil {
		return err
	}
	o.job.Speakers = map[string]string{}
	for _, p := range pairs {
		o.job.Speakers[p.Key] = p.Value
	}
	if o.statistics == "" {
		return nil
	}
	o.job.Statistics, err = speech.ReadStatistics(o.statistics)
	return err
}

// writeStatistics writes those of every speaker, by name.
func writeStatistics(path string, all map[string]*speech.CMVN) error {
	if path == "" {
		return nil
	}
	w, err := kaldi.Create(path, "")
	if err != nil {
		return err
	}
	defer w.Discard()
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		rows, cols, data := all[name].Matrix()
		if err := w.Write(name, kaldi.Value{Kind: kaldi.DoubleMatrix, Rows: rows, Cols: cols, Doubles: data}); err != nil {
			return err
		}
	}
	return w.Commit()
}

// counter shows how many of a number of things are done: a bar on a terminal, otherwise a line now
// and then.
type counter struct {
	a     *app
	label string
	total int
	bar   *progressbar.ProgressBar
	last  time.Time
}

func newCounter(a *app, label string, total int) *counter {
	c := &counter{a: a, label: label, total: total, last: time.Now()}
	if a.errTTY && a.getenv("TERM") != "dumb" {
		c.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(a.err), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionSetDescription(label))
	}
	return c
}

func (c *counter) set(n int) {
	if c.bar != nil {
		_ = c.bar.Set(n) // a terminal that is gone must not end the work
	} else if now := time.Now(); now.Sub(c.last) >= quietInterval {
		c.a.say("%s: %s of %s", c.label, grouped(n), grouped(c.total))
		c.last = now
	}
}

func (c *counter) close() {
	if c.bar != nil {
		_ = c.bar.Clear()
	}
}
