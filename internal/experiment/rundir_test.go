package experiment

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/datasets/speech/corpus"
	"resnet/internal/train"
	"resnet/internal/train/checkpoint"
	"resnet/internal/train/compare"
)

func TestAFolderIsMadeForEachRun(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, want := range []string{"runs/a-1", "runs/a-2"} {
		if dir, err := NewRunDir("", "a"); err != nil || dir != filepath.FromSlash(want) {
			t.Errorf("%s (%v), want %s", dir, err, want)
		}
	}
	own := filepath.Join("deep", "er")
	if dir, err := NewRunDir(own, "a"); err != nil || dir != own {
		t.Errorf("%s (%v)", dir, err)
	}
	if HoldsRun(own) {
		t.Error("an empty folder holds a run")
	}
	RemoveUnused(own)
	if _, err := os.Stat(own); err == nil {
		t.Error("an unused folder stays")
	}
	for _, name := range []string{"config.yaml", "checkpoints"} {
		dir := filepath.Join("held", name)
		if err := os.MkdirAll(filepath.Join(dir, name, "step-000001.json"), 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := NewRunDir(dir, "a"); !isUsage(err) {
			t.Errorf("%s is there: %v", name, err)
		}
	}
	used := filepath.Join("held", "config.yaml")
	RemoveUnused(used)
	if !HoldsRun(used) {
		t.Error("a run was removed")
	}
}

// TestAFolderOfATrainingKilledDuringSetUpIsFree: checkpoints/ is there, empty, and no config.yaml.
func TestAFolderOfATrainingKilledDuringSetUpIsFree(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "early")
	if err := os.MkdirAll(filepath.Join(dir, "checkpoints"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got, err := NewRunDir(dir, "a"); err != nil || got != dir {
		t.Errorf("%s (%v)", got, err)
	}
	lock, err := checkpoint.AcquireLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	RemoveUnused(dir)
	if _, err := os.Stat(filepath.Join(dir, "checkpoints")); err != nil {
		t.Errorf("what another process is using was removed: %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	RemoveUnused(dir)
	if _, err := os.Stat(dir); err == nil {
		t.Error("a folder in which nothing was written stays")
	}
}

// TestANewRunLooksAgainWhenItHasTheLock: another process may have trained there since the folder
// was looked at.
func TestANewRunLooksAgainWhenItHasTheLock(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, []byte("another's"), 0o644); err != nil {
		t.Fatal(err)
	}
	x := &Experiment{Loaded: &config.Loaded{}, env: &Environment{}}
	if _, err := (&Training{Experiment: x, Dir: dir}).Run(t.Context()); !isUsage(err) || !strings.Contains(err.Error(), "holds a run already") {
		t.Errorf("%v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "another's" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestARunIsCalledAfterItsConfiguration(t *testing.T) {
	for name, want := range map[string]string{"": "resnet20", "config": "resnet20", "cifar20-short": "cifar20-short", "a/b:c\x01 d": "a_b_c_ d"} {
		x := &Experiment{Loaded: &config.Loaded{Name: name}, Spec: blocks.Spec{Name: "resnet20"}}
		if got := x.RunName(); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestPathsOfAResumedRunAreAbsolute(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	a, b, list := "x", "", "one, /two,three"
	if err := new(Environment).absolute(&a, &b); err != nil || a != filepath.Join(wd, "x") || b != "" {
		t.Errorf("%q, %q (%v)", a, b, err)
	}
	if err := new(Environment).absoluteList(&list); err != nil || list != filepath.Join(wd, "one")+",/two,"+filepath.Join(wd, "three") {
		t.Errorf("%q (%v)", list, err)
	}
}

// splits is data of which nothing but the sizes is known.
type splits struct {
	data
	train, val, test int
}

func (s splits) sizes() (int, int, int) { return s.train, s.val, s.test }
func (splits) classes() []string        { return nil }
func (splits) stepSize() string         { return "8 images" }

func TestARunIsMeasuredOnTheSplitThatItHas(t *testing.T) {
	for _, c := range []struct {
		val, test int
		want      datasets.Split
		ok        bool
	}{{5, 6, datasets.Test, true}, {5, 0, datasets.Val, true}, {0, 6, datasets.Test, true}, {0, 0, datasets.Val, false}} {
		x := &Experiment{data: splits{train: 1, val: c.val, test: c.test}}
		if split, ok := x.EvalSplit(); ok != c.ok || ok && split != c.want {
			t.Errorf("%d validation, %d test images: %s, %v", c.val, c.test, split, ok)
		}
		if x.TestSize() != c.test {
			t.Errorf("%d test images, want %d", x.TestSize(), c.test)
		}
	}
	x := &Experiment{data: splits{}, Plan: train.Plan{Iterations: 12_000}, Threads: 2}
	if got := x.Summary(); got != "12,000 steps of 8 images, 2 threads" {
		t.Error(got)
	}
}

func TestADigestKnowsWhatIsTrained(t *testing.T) {
	base := config.Default()
	same, other := base, base
	same.Data.Dir, same.Data.Workers, same.Eval.Batch, same.Train.Checkpoint.Keep = "/x", 9, 77, 5
	other.Train.Batch++
	if d := digest(&base); d != digest(&same) || d == digest(&other) || !strings.HasPrefix(d, "sha256:") || len(d) != 7+64 {
		t.Errorf("%s, %s, %s", d, digest(&same), digest(&other))
	}
}

func TestAComparisonIsMadeAgainByItsCommand(t *testing.T) {
	c := &Comparison{CompareOptions: CompareOptions{
		Kind: PlainVsResidual, Config: config.Input{File: "my tiny.yaml", Sets: []string{"train.batch=4"}}, Out: "o",
		Depths: []int{8, 14}, Seeds: []uint64{1, 3},
	}}
	if got, want := c.Command(), "resnet compare plain-vs-residual --config 'my tiny.yaml' --depths 8,14 --seeds 1,3 --set 'train.batch=4' --out o"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	c.Depths, c.Kind, c.Vary = nil, Sweep, []string{"train.schedule.rate=0.1,0.05"}
	if got, want := c.Command(), "resnet compare sweep --config 'my tiny.yaml' --vary 'train.schedule.rate=0.1,0.05' --seeds 1,3 --set 'train.batch=4' --out o"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	run := func(diverged string) *ComparedRun { return &ComparedRun{Net: compare.Net{}, Diverged: diverged} }
	for _, d := range []struct {
		runs []*ComparedRun
		want bool
	}{{[]*ComparedRun{run("x"), run("")}, false}, {[]*ComparedRun{run("x"), run("y")}, true}} {
		c.Runs = d.runs
		if c.AllDiverged() != d.want {
			t.Errorf("all diverged: %v", !d.want)
		}
	}
}

func TestShapesOfFewUtterancesComeMoreOften(t *testing.T) {
	var m batchTimes
	m.add(4, 8) // 3 s a batch of 2 utterances, four times as often as 4 s for 8
	m.add(3, 2)
	if got := m.mean(); got != (4+4*3)/5. {
		t.Errorf("%v s, want %v", got, 16/5.)
	}
	s := sequences{shapes: []corpus.Shape{{N: 8, Frames: 20}}}
	if s.bytes() != 0 || s.unit() != "utterance" {
		t.Error("features are read as they are needed")
	}
}

// plannedNames are the names of what a comparison would train.
func plannedNames(o CompareOptions) ([]string, error) {
	if o.Seeds == nil {
		o.Seeds = []uint64{1}
	}
	nets, err := (&Comparison{CompareOptions: o}).plan()
	var names []string
	for _, n := range nets {
		names = append(names, n.Name())
	}
	return names, err
}

func TestPlansFollowTheConfigurationsNetwork(t *testing.T) {
	for _, c := range []struct {
		kind, preset string
		depths       []int
		vary         []string
		want         string
	}{
		{PlainVsResidual, "quickstart", []int{14, 8}, nil, "plain8-seed1 resnet8-seed1 plain14-seed1 resnet14-seed1"},
		{PlainVsResidual, "cifar20", []int{20}, nil, "plain20-seed1 resnet20-seed1"},
		{PlainVsResidual, "imagenet-resnet34a", nil, nil, "plain18-seed1 resnet18a-seed1 plain34-seed1 resnet34a-seed1"},
		{PlainVsResidual, "imagenet-plain34", []int{34}, nil, "plain34-seed1 resnet34a-seed1"},
		{PlainVsResidual, "imagenet-resnet34", []int{34, 18}, nil, "plain18-seed1 resnet18-seed1 plain34-seed1 resnet34-seed1"},
		{PlainVsResidual, "fsdd-wrbn", nil, nil, "wrbn-plain-seed1 wrbn-seed1"},
		{ByDepth, "cifar110", nil, nil, "resnet110-seed1 resnet1202-seed1"},
		{ByDepth, "imagenet-resnet50", []int{152, 50}, nil, "resnet50-seed1 resnet152-seed1"},
		{Sweep, "quickstart", nil, []string{"train.batch=8,16"}, "batch=8-seed1 batch=16-seed1"},
	} {
		got, err := plannedNames(CompareOptions{Kind: c.kind, Config: config.Input{File: c.preset}, Depths: c.depths, Vary: c.vary})
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s of %s: %v (%v), want %s", c.kind, c.preset, got, err, c.want)
		}
	}
}

func TestPlansThatCannotBeAreRefused(t *testing.T) {
	for _, c := range []struct {
		kind, preset string
		depths       []int
		set, says    string
	}{
		{PlainVsResidual, "quickstart", nil, "model.depth=8", "use --depths"},
		{PlainVsResidual, "quickstart", nil, "train.seed=2", "use --seeds"},
		{PlainVsResidual, "quickstart", nil, "model.residual=true", "the comparison chooses it"},
		{PlainVsResidual, "quickstart", nil, "speech.buckets=9", "it has no effect here: the data are images"},
		{PlainVsResidual, "fsdd-wrbn", []int{8}, "", "--depths: it has no effect here"},
		{ByDepth, "fsdd-wrbn", nil, "", "no depths to compare"},
		{PlainVsResidual, "imagenet-resnet34a", []int{50}, "", "no row plain50"},
		{ByDepth, "imagenet-resnet34a", []int{20}, "", "no row resnet20a for ImageNet"},
		{ByDepth, "imagenet-resnet34", []int{20}, "", "no row resnet20 for ImageNet"},
		{ByDepth, "imagenet-resnet34", []int{18, 18}, "", "given twice"},
	} {
		in := config.Input{File: c.preset}
		if c.set != "" {
			in.Sets = []string{c.set}
		}
		if got, err := plannedNames(CompareOptions{Kind: c.kind, Config: in, Depths: c.depths}); !isUsage(err) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s of %s, depths %v, %q: %v (%v), want %q", c.kind, c.preset, c.depths, c.set, got, err, c.says)
		}
	}
}

// TestAShortReproductionDividesItsSchedules: every count of a schedule by one factor, a hundredth
// of the paper's iterations, or as many epochs as the paper's where there are fewer images.
func TestAShortReproductionDividesItsSchedules(t *testing.T) {
	study, err := compare.PaperStudy("table2")
	if err != nil {
		t.Fatal(err)
	}
	for images, want := range map[int]float64{1_281_167: 100, 50_000: 100, 18: 1_281_167. / 18} {
		if got := factor(study, images); got != want {
			t.Errorf("%d images: a factor of %v, want %v", images, got, want)
		}
	}
	l, err := config.Load(config.Input{File: "cifar110"})
	if err != nil {
		t.Fatal(err)
	}
	l.Train.Schedule.Warmup.Iterations = 400
	short, err := config.Load(config.Input{File: "cifar110", Sets: append(shorten(l, 100), "train.schedule.rate=0.05")})
	if err != nil {
		t.Fatal(err)
	}
	got := []any{short.Train.Iterations, short.Train.Schedule.Drop.At, short.Eval.Every, short.Train.Checkpoint.Every, short.Train.Schedule.Warmup.Iterations, short.Train.Schedule.Warmup.Until.Window, short.Train.Schedule.Rate}
	if want := []any{640, []int{320, 480}, 10, 10, 4, 1, 0.05}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	l, err = config.Load(config.Input{File: "imagenet-resnet34a"})
	if err != nil {
		t.Fatal(err)
	}
	// 25,600 images for the statistics, at least a batch of 32; an evaluation at every update.
	short, err = config.Load(config.Input{File: "imagenet-resnet34a", Sets: shorten(l, 71_176)})
	if err != nil || short.Train.Iterations != 8 || short.Train.BNRecompute != 32 || short.Eval.Every != 1 {
		t.Errorf("%d iterations, statistics of %d, an evaluation each %d (%v)", short.Train.Iterations, short.Train.BNRecompute, short.Eval.Every, err)
	}
}
