package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/text"
)

// TableFile is the file with the table of a comparison as Markdown.
const TableFile = "table.md"

// An Outcome is how one network of a comparison ended, over its finished runs. Errors are
// percentages.
type Outcome struct {
	Model      string  `json:"model"` // plain56, resnet56
	Family     string  `json:"family,omitempty"`
	Kind       string  `json:"kind"`   // KindPlain, KindResidual or ""
	Depth      int     `json:"layers"` // 0 where it is not known
	Params     int64   `json:"params"`
	Dataset    string  `json:"dataset"`
	Iterations int     `json:"iterations"` // planned
	Batch      int     `json:"batch"`
	Runs       int     `json:"runs"`        // finished ones; the errors mean nothing when it is 0
	Train      float64 `json:"train_error"` // since the previous evaluation, averaged over runs
	TrainStd   float64 `json:"train_std"`   // over runs; 0 for fewer than two
	// TrainEval is the error of the training set as it stands; nil where a run did not measure it.
	TrainEval       *float64 `json:"train_eval_error"`
	Test            float64  `json:"test_error"`
	TestStd         float64  `json:"test_std"`
	TestBest        float64  `json:"test_error_best"` // of the runs' last errors
	ImagesPerSecond float64  `json:"images_per_second"`
	// Paper is the paper's error, its best where it gives several; nil where it has none for this
	// network and data set.
	Paper *float64 `json:"paper"`
	// PaperParams is the number of parameters as the paper's Table 6 prints it ("0.27M"), for the
	// networks of its lines.
	PaperParams string `json:"paper_params,omitempty"`

	Diverged   int `json:"diverged"` // runs whose loss was not finite
	Unfinished int `json:"unfinished"`
	// TrainImages and TestImages are how many each run's errors are the mean over; 0 where that is
	// not known. Of speech they count utterances.
	TrainImages int `json:"train_images"`
	TestImages  int `json:"test_images"`
	// Settings are what tells the runs from others of the same network: see Net.
	Settings []Setting `json:"settings,omitempty"`
	telling  []Setting
	network  string // that settings are told of
	// Split is what Test was measured on, where that is not the test split: "validation".
	Split string `json:"split,omitempty"`
}

// newOutcome joins the last measured errors of the runs of one network. A history without training
// or test error counts as unfinished. Of runs on different numbers of images the least counts.
func newOutcome(runs []Compared) Outcome {
	n := runs[0].Net
	o := Outcome{Model: n.Model, network: n.Network, Family: n.Family, Settings: n.Settings, telling: n.telling, Kind: n.Kind, Depth: n.Depth, Params: n.Params, Dataset: n.Dataset, Iterations: n.Iterations, Batch: n.Batch}
	o.PaperParams = eval.PaperParams(n.Model, n.Params)
	var train, test, trainEval, speed []float64
	for _, r := range runs {
		s := r.History.Series(r.Name)
		a, okA := last(s.Train)
		b, okB := last(s.Test)
		switch {
		case r.Net.Diverged:
			o.Diverged++
			continue
		case r.Net.Unfinished || !okA || !okB:
			o.Unfinished++
			continue
		}
		trainImages, testImages := r.History.trainImages(r.Net), r.Net.TestImages
		if s.Split != "" {
			testImages = r.Net.ValImages
		}
		if len(test) > 0 {
			trainImages, testImages = min(trainImages, o.TrainImages), min(testImages, o.TestImages)
		}
		o.TrainImages, o.TestImages, o.Split = trainImages, testImages, s.Split
		train, test = append(train, a), append(test, b)
		if v := r.History[len(r.History)-1].TrainEvalError; v != nil {
			trainEval = append(trainEval, *v)
		}
		if v := r.Net.ImagesPerSecond; v > 0 {
			speed = append(speed, v)
		}
	}
	o.Runs = len(test)
	if o.Runs == 0 {
		return o
	}
	o.Train, o.TrainStd = meanStd(train)
	o.Test, o.TestStd = meanStd(test)
	o.TestBest = slices.Min(test)
	o.ImagesPerSecond, _ = meanStd(speed)
	if len(trainEval) == o.Runs {
		mean, _ := meanStd(trainEval)
		o.TrainEval = &mean
	}
	if p := eval.Paper(n.Model, n.Dataset, eval.Protocol{Views: 1, Height: 32, Width: 32, Split: datasets.Test}, n.TestImages); p != nil {
		o.Paper = &p.Top1
	}
	return o
}

// TrainSample is the training error of the runs.
func (o Outcome) TrainSample() eval.Sample {
	return eval.Sample{Error: o.Train, Std: o.TrainStd, Runs: o.Runs, Images: o.TrainImages}
}

// TestSample is the test error of the runs.
func (o Outcome) TestSample() eval.Sample {
	return eval.Sample{Error: o.Test, Std: o.TestStd, Runs: o.Runs, Images: o.TestImages}
}

func (o Outcome) sample(what string) eval.Sample {
	if what == partTrain {
		return o.TrainSample()
	}
	return o.TestSample()
}

// fromPaper is how far the best run is from the paper's error, which is its best as well, and on as
// many images.
func (o Outcome) fromPaper() eval.Difference {
	best := eval.Sample{Error: o.TestBest, Runs: 1, Images: o.TestImages}
	return eval.Compare(best, eval.Sample{Error: *o.Paper, Runs: 1, Images: o.TestImages})
}

// meanStd is the mean and the sample standard deviation, which is 0 for fewer than two values.
func meanStd(v []float64) (mean, std float64) {
	for _, x := range v {
		mean += x / float64(len(v))
	}
	if len(v) < 2 {
		return mean, 0
	}
	for _, x := range v {
		std += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(std / float64(len(v)-1))
}

// The training of the paper's CIFAR-10 networks (section 4.2).
const (
	paperIterations = 64_000
	paperBatch      = 128
)

// paperSchedule reports whether the training was as long as the paper's.
func (o Outcome) paperSchedule() bool {
	return o.Iterations == paperIterations && o.Batch == paperBatch
}

// recipeNote says that the paper's errors are of a longer training, where they stand beside runs
// that are not of the paper's length.
func recipeNote(outcomes []Outcome) string {
	for _, o := range outcomes {
		if o.Paper != nil && !o.paperSchedule() {
			return fmt.Sprintf("The paper's errors are of trainings of %s iterations of %d images; %s had %s of %d.",
				text.Grouped(paperIterations), paperBatch, text.Printable(o.Model), text.Grouped(int64(o.Iterations)), o.Batch)
		}
	}
	return ""
}

// dataNote says which runs are of other images than the paper's, and of which that is not known
// where the paper's errors stand beside them.
func dataNote(runs []Compared, outcomes []Outcome) string {
	for _, r := range runs {
		if note := datasets.CopyNote(r.Net.Dataset); note != "" {
			return note + "."
		}
	}
	for _, o := range outcomes {
		if i := slices.IndexFunc(runs, func(r Compared) bool { return r.Net.Model == o.Model && r.Net.Unverified }); i >= 0 && o.Paper != nil {
			return fmt.Sprintf("The paper's errors are of the published files of %s; the folder of %s does not record whether it had those.", o.Dataset, text.Printable(runs[i].Name))
		}
	}
	return ""
}

// tableColumns is the comparison in the form of the paper's Table 6.
func (c Comparison) tableColumns(name func(string) string) []eval.Column {
	cols := []eval.Column{
		{Title: "network"},
		{Title: "layers", Number: true},
		{Title: "parameters", Number: true},
		{Title: "paper's params", Number: true},
		{Title: "runs", Number: true},
		{Title: "training error %", Number: true},
		{Title: "training set error %", Number: true},
		{Title: "test error %", Number: true},
		{Title: "best %", Number: true},
		{Title: "paper's %", Number: true},
		{Title: "difference", Number: true},
		{Title: "noise", Number: true},
		{Title: "images/s", Number: true},
		{Title: "remark"},
	}
	keys := settingKeys(c.Outcomes)
	for _, key := range keys {
		cols = append(cols, eval.Column{Title: key})
	}
	for _, o := range c.Outcomes {
		cells := []string{name(o.Model), "", "", o.PaperParams, strconv.Itoa(o.Runs), "", "", "", "", eval.ErrorText(o.Paper), "", "", "", ""}
		if o.Depth > 0 {
			cells[1] = strconv.Itoa(o.Depth)
		}
		if o.Params > 0 {
			cells[2] = text.Grouped(o.Params)
		}
		if o.Runs > 0 {
			cells[5], cells[6], cells[7], cells[8] = o.TrainSample().String(), eval.ErrorText(o.TrainEval), o.TestSample().String(), eval.ErrorText(&o.TestBest)
			if o.Paper != nil {
				d := o.fromPaper()
				cells[10], cells[11] = fmt.Sprintf("%+.2f", d.Points), fmt.Sprintf("%.2f", d.Noise)
			}
			if o.ImagesPerSecond > 0 {
				cells[12] = strconv.FormatFloat(o.ImagesPerSecond, 'f', 0, 64)
			}
		}
		cells[13] = o.remark()
		for _, key := range keys {
			cells = append(cells, name(o.setting(key)))
		}
		for i, cell := range cells {
			cols[i].Cells = append(cols[i].Cells, cell)
		}
	}
	// What a row is comes before how it ended.
	cols = slices.Concat(cols[:1], cols[14:], cols[1:14])
	return eval.WithoutEmpty(cols)
}

// settingKeys are the keys in which the outcomes differ, sorted.
func settingKeys(outcomes []Outcome) []string {
	var keys []string
	for _, o := range outcomes {
		for _, s := range o.Settings {
			if !slices.Contains(keys, s.Key) {
				keys = append(keys, s.Key)
			}
		}
	}
	slices.Sort(keys)
	return keys
}

func (o Outcome) setting(key string) string {
	for _, s := range o.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

func (o Outcome) remark() string {
	var list []string
	if o.Diverged > 0 {
		list = append(list, fmt.Sprintf("%d diverged", o.Diverged))
	}
	if o.Unfinished > 0 {
		list = append(list, fmt.Sprintf("%d unfinished", o.Unfinished))
	}
	if o.Split != "" {
		list = append(list, "test error of the "+o.Split+" split")
	}
	return strings.Join(list, ", ")
}

// WriteTable lays the table out for a terminal.
func (c Comparison) WriteTable(w io.Writer) error {
	return eval.WriteColumns(w, c.tableColumns(text.Printable))
}

// writeMarkdown writes the table, and a paragraph for each finding and note below it.
func (c Comparison) writeMarkdown(w io.Writer) error {
	if err := eval.WriteMarkdown(w, c.tableColumns(text.MarkdownCell)); err != nil {
		return err
	}
	for _, s := range slices.Concat(c.Findings, c.Notes) {
		if _, err := fmt.Fprintf(w, "\n%s\n", text.MarkdownCell(s)); err != nil {
			return err
		}
	}
	return nil
}
