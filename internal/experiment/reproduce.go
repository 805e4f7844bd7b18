package experiment

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"resnet/internal/atomicfile"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/text"
	"resnet/internal/train/compare"
)

// ShortAuto asks for a factor that fits the data: see factor.
const ShortAuto = -1

// shortFactor is by how much --short divides a schedule on the paper's own data.
const shortFactor = 100

// Reproductions are the names that NewReproduction takes.
func Reproductions() []string { return compare.Studies() }

// NewReproduction plans the trainings of a figure or a table of the paper, as NewComparison plans
// others: o.Kind is its name, and o.Config has no file.
func NewReproduction(ctx context.Context, env *Environment, o CompareOptions) (*Comparison, error) {
	study, err := compare.PaperStudy(o.Kind)
	if err != nil {
		return nil, &config.UsageError{Err: err}
	}
	c := &Comparison{CompareOptions: o, env: env, study: &study}
	l, err := c.load(study.Nets[0], nil)
	if err != nil {
		return nil, err
	}
	if err := c.checkSets(l); err != nil {
		return nil, err
	}
	return c, c.makeRuns(ctx, study.Nets)
}

// Title says what is reproduced; "" of other comparisons.
func (c *Comparison) Title() string {
	if c.study == nil {
		return ""
	}
	return c.study.Title
}

// Shortened says by how much the schedules are divided, and what of them is not; "" where they are
// the paper's.
func (c *Comparison) Shortened() string {
	if c.Short <= 1 {
		return ""
	}
	by := text.Grouped(int64(math.Round(c.Short)))
	if c.Short < 10 { // 1.5 is not 2
		by = strconv.FormatFloat(c.Short, 'g', 3, 64)
	}
	first := c.Runs[0]
	if first.own != nil {
		by += ", but for " + strings.Join(first.own, ", ")
	}
	return fmt.Sprintf("Every schedule is the paper's divided by %s: %s iterations instead of %s. Errors are not the paper's, and neither need the claims be.",
		by, text.Grouped(first.Plan.Iterations), text.Grouped(first.full))
}

// scheduleKeys are those whose values are the schedule of a training, of all that shorten divides.
var scheduleKeys = []string{
	"train.iterations", "train.epochs", "train.schedule.drop.at", "train.schedule.drop.at_epochs",
	"train.schedule.warmup.iterations", "train.schedule.warmup.until.window",
}

// ownSchedule is what the user has set of the schedule.
func ownSchedule(l *config.Loaded) []string {
	var list []string
	for _, key := range scheduleKeys {
		if by := l.Overridden(key); by != "" && !slices.Contains(list, by) {
			list = append(list, by)
		}
	}
	return list
}

// factor is what ShortAuto divides the schedules of a study by: shortFactor, or more where there
// are fewer images than that makes of the paper's, for as many epochs as the paper's at the most.
func factor(study compare.Study, images int) float64 {
	return max(shortFactor, float64(study.Images)/float64(max(images, 1)))
}

// shorten are the keys of a schedule divided by a factor, as key=value, but for those that the user
// has set.
func shorten(l *config.Loaded, factor float64) []string {
	div := func(n int) int {
		if n == 0 {
			return 0
		}
		return max(1, int(math.Round(float64(n)/factor)))
	}
	var sets []string
	set := func(key string, value any) {
		if l.Overridden(key) == "" {
			sets = append(sets, fmt.Sprintf("%s=%v", key, value))
		}
	}
	set("train.iterations", div(l.Train.Iterations))
	set("eval.every", div(l.Eval.Every))
	for key, n := range map[string]int{"train.checkpoint.every": l.Train.Checkpoint.Every, "train.schedule.warmup.iterations": l.Train.Schedule.Warmup.Iterations} {
		if n > 0 {
			set(key, div(n))
		}
	}
	var at []string
	for _, n := range l.Train.Schedule.Drop.At {
		at = append(at, strconv.Itoa(div(n)))
	}
	if at != nil {
		set("train.schedule.drop.at", "["+strings.Join(at, ",")+"]")
	}
	if l.Train.Schedule.Warmup.Rate > 0 {
		set("train.schedule.warmup.until.window", div(l.Train.Schedule.Warmup.Until.Window))
	}
	if n := l.Train.BNRecompute; n > 0 {
		set("train.bn_recompute", max(div(n), l.Train.Batch))
	}
	return sets
}

// PaperTable measures the finished runs by the protocol of the study's table, and writes it with
// the paper's lines beside to the folder. It returns nil where the study has no table, or no run
// has an end.
func (c *Comparison) PaperTable(ctx context.Context) (*eval.PaperComparison, error) {
	if c.study == nil || c.study.Table == 0 {
		return nil, nil
	}
	t, err := eval.LookupTable(c.study.Table)
	if err != nil {
		return nil, err
	}
	var rows []eval.Measured
	for _, r := range c.Runs {
		if r.Diverged != "" {
			continue
		}
		// One after another: several together would be an ensemble.
		m, err := Measure(ctx, c.env, []string{r.Dir}, MeasureOptions{Split: datasets.Test, View: eval.ViewOptions{Crops: t.Crops(), Combine: eval.CombineSoftmax}, Threads: c.Threads})
		if errors.Is(err, eval.ErrNonFinite) {
			c.env.say("%s is left out of the table: %v", r.Name(), err)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Name(), err)
		}
		rows = append(rows, m.Rows...)
	}
	if rows == nil {
		return nil, nil
	}
	b := t.Compare(rows)
	var md strings.Builder
	if err := b.WriteMarkdown(&md); err != nil {
		return nil, err
	}
	return &b, atomicfile.WriteFile(atomicfile.OS, filepath.Join(c.Out, c.study.Name+".md"), "compare", []byte(md.String()))
}
