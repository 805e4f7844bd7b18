package experiment

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/eval/report"
	"resnet/internal/graph/weights"
	"resnet/internal/train"
	"resnet/internal/train/checkpoint"
	"resnet/internal/train/compare"
)

// photo writes an image of 8×8 pixels; files of all shades have one size.
func photo(t *testing.T, path string, shade int) {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 8, 8))
	for i := range 64 {
		img.Set(i%8, i/8, color.RGBA{uint8(shade), uint8(shade * i), uint8(i), 255})
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join((&png.Encoder{CompressionLevel: png.NoCompression}).Encode(f, img), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// photos is a folder of three classes with six training and two test images each.
func photos(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for k, class := range []string{"ant", "cat", "eel"} {
		for i := range 6 {
			photo(t, filepath.Join(dir, "train", class, fmt.Sprintf("%d.png", i)), 40*k+i)
		}
		for i := range 2 {
			photo(t, filepath.Join(dir, "test", class, fmt.Sprintf("%d.png", i)), 40*k+20+i)
		}
	}
	return dir
}

// photoConfig trains six steps on photographs, saves at 2 and 4 and evaluates at 3.
func photoConfig(dir string, sets ...string) config.Input {
	return config.Input{File: "quickstart", Sets: append([]string{
		"model.depth=8", "data.name=folder", "data.dir=" + dir, "data.size=8", "data.downsample=1", "data.normalize=channel-mean-std", "data.augment.pad=0",
		"train.batch=3", "train.iterations=6", "train.schedule.drop.at_epochs=[]", "train.checkpoint.every=2", "train.checkpoint.keep=0", "eval.every=3", "eval.batch=5",
	}, sets...)}
}

// halfway is the folder of a run on data that was killed after its fourth step.
func halfway(t *testing.T, in config.Input) string {
	t.Helper()
	run := t.TempDir()
	if _, err := start(t, run, in, nil); err != nil {
		t.Fatal(err)
	}
	found, _ := filepath.Glob(filepath.Join(run, "checkpoints", "step-000006*"))
	if len(found) != 3 {
		t.Fatalf("the last checkpoint is %v", found)
	}
	for _, path := range found {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	return run
}

// start trains in a folder, and says what is said.
func start(t *testing.T, run string, in config.Input, say func(string)) (train.Summary, error) {
	t.Helper()
	l, err := config.Load(in)
	if err != nil {
		t.Fatal(err)
	}
	return runLoaded(t, run, l, false, Allow{}, say)
}

func runLoaded(t *testing.T, run string, l *config.Loaded, resume bool, allow Allow, say func(string)) (train.Summary, error) {
	t.Helper()
	x, err := New(context.Background(), &Environment{Version: "test", Say: say}, l, 1, NewDataSets())
	if err != nil {
		t.Fatal(err)
	}
	return (&Training{Experiment: x, Dir: run, Resume: resume, Allow: allow, Watcher: quiet{}}).Run(context.Background())
}

// resume goes the way of `train --resume`.
func resume(t *testing.T, run string, allow Allow, sets ...string) (said []string, err error) {
	t.Helper()
	l, _, err := Continue(run, config.Input{Sets: sets}, allow)
	if err != nil {
		return nil, err
	}
	_, err = runLoaded(t, run, l, true, allow, func(line string) { said = append(said, line) })
	return said, err
}

func edit(t *testing.T, path, old, with string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(b), old) {
		t.Fatalf("%s does not hold %q (%v)", path, old, err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(b), old, with, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func TestAnEditedConfigurationIsHeldAgainstTheCheckpoint(t *testing.T) {
	data := photos(t)
	whole := t.TempDir()
	if _, err := start(t, whole, photoConfig(data), nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		old, with string
		says      string // of the refusal; "" means it goes on without a word, to the same bytes
		allowable bool
	}{
		{"workers: 0", "workers: 2", "", false},
		{"keep: 0", "keep: 3", "", false},
		{"batch: 5\n", "batch: 6\n", "", false},
		{"dir: ", "dir: ../", "", false}, // set right below
		{"seed: 1", "seed: 2", "train.seed: 1 -> 2", false},
		{"validation: 0", "validation: 3", "data.validation: 0 -> 3", false},
		{"name: folder", "name: packed", "data.name: folder -> packed", false},
		{"flip: true", "flip: false", "data.augment.flip: true -> false", false},
		{"weight_decay: 0.0001", "weight_decay: 0.5", "train.optimizer.weight_decay: 0.0001 -> 0.5", true},
		{"iterations: 6", "iterations: 9", "train.iterations: 6 -> 9", true},
	} {
		t.Run(c.with, func(t *testing.T) {
			run := halfway(t, photoConfig(data))
			edit(t, filepath.Join(run, "config.yaml"), c.old, c.with)
			var sets []string
			if c.old == "dir: " {
				elsewhere := photos(t) // the same contents
				sets = []string{"data.dir=" + elsewhere}
			}
			said, err := resume(t, run, Allow{}, sets...)
			if c.says == "" {
				if err != nil || len(said) > 0 {
					t.Fatalf("%v, said %q", err, said)
				}
				for _, name := range []string{"checkpoints/step-000006.safetensors", "checkpoints/step-000006.state.safetensors", "checkpoints/step-000006.json", "metrics.csv"} {
					a, errA := os.ReadFile(filepath.Join(whole, name))
					b, errB := os.ReadFile(filepath.Join(run, name))
					if errA != nil || errB != nil || string(a) != string(b) {
						t.Errorf("%s is another (%v, %v)", name, errA, errB)
					}
				}
				return
			}
			if !isUsage(err) || !strings.Contains(err.Error(), "\n  "+c.says+"\n") {
				t.Errorf("%v", err)
			}
			if _, err := resume(t, run, Allow{Config: true, Data: true}); (err == nil) != c.allowable {
				t.Errorf("asked for: %v", err)
			}
		})
	}
}

func TestOtherDataAreRefusedWithTheDifference(t *testing.T) {
	for _, c := range []struct {
		name      string
		change    func(t *testing.T, dir string)
		sets      []string
		says      []string // nil means it goes on
		allowable bool
	}{
		{"nothing", func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "train", "notes.txt"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}, nil, nil, false},
		{"a class with another name, which permutes them", func(t *testing.T, dir string) {
			for _, part := range []string{"train", "test"} {
				move(t, filepath.Join(dir, part, "eel"), filepath.Join(dir, part, "bee"))
			}
		}, nil, []string{"class 1: cat -> bee", "class 2: eel -> cat"}, false},
		{"classes.txt in another order", func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "classes.txt"), []byte("eel\nant\ncat\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, nil, []string{"class 0: ant -> eel"}, false},
		{"an image more", func(t *testing.T, dir string) { photo(t, filepath.Join(dir, "train", "ant", "7.png"), 7) }, nil, []string{"training images: 18 -> 19"}, true},
		{"a test image less", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "test", "ant", "1.png")); err != nil {
				t.Fatal(err)
			}
		}, nil, []string{"test images: 6 -> 5"}, true},
		{"two images that change places", func(t *testing.T, dir string) {
			a, b, tmp := filepath.Join(dir, "train", "ant", "0.png"), filepath.Join(dir, "train", "cat", "0.png"), filepath.Join(dir, "x")
			move(t, a, tmp)
			move(t, b, a)
			move(t, tmp, b)
		}, nil, []string{"the contents of the training images"}, true},
		{"an image of another class", func(t *testing.T, dir string) {
			move(t, filepath.Join(dir, "train", "ant", "0.png"), filepath.Join(dir, "train", "cat", "9.png"))
		}, nil, []string{"the names or labels of the training images"}, true},
		{"the same, where validation images are drawn", func(t *testing.T, dir string) {
			move(t, filepath.Join(dir, "train", "ant", "0.png"), filepath.Join(dir, "train", "cat", "9.png"))
		}, []string{"data.validation=3"}, []string{"the names or labels of the training images (the validation split is drawn from them)"}, false},
		{
			"more images than data.limit takes", func(t *testing.T, dir string) { photo(t, filepath.Join(dir, "train", "eel", "9.png"), 7) },
			[]string{"data.limit=6"},
			[]string{"training images in the files: 18 -> 19"},
			true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := photos(t)
			run := halfway(t, photoConfig(data, c.sets...))
			c.change(t, data)
			said, err := resume(t, run, Allow{Config: true})
			if c.says == nil {
				if err != nil || len(said) > 0 {
					t.Errorf("%v, said %q", err, said)
				}
				return
			}
			var changed *DataChangedError
			if !errors.As(err, &changed) || !errors.Is(err, datasets.ErrData) {
				t.Fatalf("%v", err)
			}
			for _, want := range c.says {
				if !strings.Contains(err.Error(), "\n  "+want+"\n") {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			said, err = resume(t, run, Allow{Data: true})
			if (err == nil) != c.allowable {
				t.Fatalf("asked for: %v", err)
			}
			if c.allowable {
				if len(said) == 0 || said[0] != "changed: "+c.says[0] {
					t.Errorf("said %q", said)
				}
				// What was allowed once is what the next checkpoint was trained on.
				if said, err := resume(t, run, Allow{}); err != nil || len(said) > 0 {
					t.Errorf("again: %v, said %q", err, said)
				}
			}
		})
	}
}

// TestAClassifierOfOtherClassesIsNew: their number alone is the same.
func TestAClassifierOfOtherClassesIsNew(t *testing.T) {
	a, b := photos(t), photos(t)
	base := t.TempDir()
	if _, err := start(t, base, photoConfig(a), nil); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"train", "test"} {
		move(t, filepath.Join(b, part, "eel"), filepath.Join(b, part, "bee"))
	}
	for dir, want := range map[string]bool{a: false, b: true} {
		var said []string
		in := photoConfig(dir, "model.weights="+filepath.Join(base, "checkpoints", "step-000006.safetensors"))
		if _, err := start(t, t.TempDir(), in, func(line string) { said = append(said, line) }); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(strings.Join(said, ""), "its classes have other names, or another order: the classifier is new"); got != want {
			t.Errorf("said %q", said)
		}
	}
}

func TestAComparisonDoesNotCountARunOfOtherData(t *testing.T) {
	data, out := photos(t), t.TempDir()
	in := photoConfig(data)
	n := compare.Net{Depth: 8, Residual: true, Seed: 1}
	c := &Comparison{CompareOptions: CompareOptions{Kind: ByDepth, Config: in, Out: out, Threads: 1, Parallel: 1}, env: &Environment{}}
	in.Sets = append(in.Sets, n.Sets()...)
	run := filepath.Join(out, n.Name())
	if err := os.MkdirAll(run, 0o755); err != nil {
		t.Fatal(err)
	}
	// Without it, it is not done.
	if err := os.WriteFile(filepath.Join(run, report.ReportFile), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := start(t, run, in, nil); err != nil {
		t.Fatal(err)
	}
	r, err := c.newRun(context.Background(), n, NewDataSets())
	if err != nil || !r.Done {
		t.Fatalf("its own run: %+v (%v)", r, err)
	}
	photo(t, filepath.Join(data, "train", "ant", "7.png"), 7)
	if _, err := c.newRun(context.Background(), n, NewDataSets()); !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), "training images: 18 -> 19") {
		t.Errorf("a finished run of other data: %v", err)
	}
}

// measured is data of which nothing but their mean is known.
type measured struct {
	data
	mean float32
}

func (m measured) unit() string { return "image" }
func (m measured) meta(to *weights.Meta) {
	n := datasets.Normalizer{Kind: datasets.ChannelMeanStd, Mean: []float32{m.mean}, Std: []float32{0.5}}
	to.Preprocessing = datasets.NewPreprocessing(1, 8, 0, n).Encode()
}

// TestOtherContentsOfALargeSetShowInItsMean: such a set is not read for its fingerprint.
func TestOtherContentsOfALargeSetShowInItsMean(t *testing.T) {
	for mean, want := range map[float32]int{0.25: 0, 0.25 + 1e-7: 0, 0.2501: 1} {
		var old weights.Meta
		measured{mean: 0.25}.meta(&old)
		got, err := (&Experiment{data: measured{mean: mean}}).meanChanges(old)
		if err != nil || len(got) != want || want == 1 && (got[0].never || !strings.Contains(got[0].text, "the mean (channel-mean-std) of the training images")) {
			t.Errorf("%v: %+v (%v)", mean, got, err)
		}
	}
}

// TestARunWithoutARowIsCompared: it has not been evaluated yet.
func TestARunWithoutARowIsCompared(t *testing.T) {
	run := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(run, os.DirFS(halfway(t, photoConfig(photos(t), "eval.every=6")))); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(run, train.MetricsFile))
	if err != nil {
		t.Fatal(err)
	}
	header, _, _ := strings.Cut(string(text), "\n")
	if err := os.WriteFile(filepath.Join(run, train.MetricsFile), []byte(header+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := CompareRuns([]string{run}, t.TempDir())
	if err != nil || !c.Runs[0].Net.Unfinished {
		t.Errorf("%+v (%v)", c.Outcomes, err)
	}
}

// TestACheckpointWithoutARecordIsTakenWithANote: it names its classes all the same.
func TestACheckpointWithoutARecordIsTakenWithANote(t *testing.T) {
	run := golden(t)
	var said []string
	l, _, err := Continue(run, config.Input{}, Allow{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := runLoaded(t, run, l, true, Allow{}, func(line string) { said = append(said, line) }); err != nil {
		t.Fatal(err)
	}
	if len(said) != 1 || !strings.Contains(said[0], "the checkpoint of step 6 is of a version that kept no record") {
		t.Errorf("said %q", said)
	}
	if got := classChanges([]string{"a", "b"}, []string{"b", "a"}); len(got) != 2 || !got[0].never {
		t.Errorf("%+v", got)
	}
	if got := classChanges([]string{"0", "1", "2", "3", "4", "5", "6"}, []string{"x0", "x1", "x2", "x3", "x4", "x5", "x6", "7"}); len(got) != 6 || got[0].text != "classes: 7 -> 8" || got[5].text != "and 3 more classes" {
		t.Errorf("%+v", got)
	}
	if got := classChanges(nil, []string{"a"}); got != nil {
		t.Errorf("of a checkpoint that names none: %+v", got)
	}
}

func TestARecordIsTheSameWhereverTheFilesAre(t *testing.T) {
	encode := func(dir, start string) string {
		c := config.Default()
		c.Data.Dir, c.Data.Labels, c.Model.Weights = dir, dir, start
		s, err := trained{Config: train.Recorded(values(&c))}.encode()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if a, b := encode("/a", "/a/w.safetensors"), encode("/b", "/b/w.safetensors"); a != b || strings.Contains(a, "/a") {
		t.Errorf("%s\n%s", a, b)
	}
	// A record of a version that had fewer keys means their defaults.
	old, err := decodeTrained(`{"config":{"train.batch":"64"}}`)
	if err != nil || old.Config["train.batch"] != "64" || old.Config["train.seed"] != "1" {
		t.Errorf("%+v (%v)", old, err)
	}
	if _, err := decodeTrained("{"); !errors.Is(err, checkpoint.ErrCorrupt) {
		t.Errorf("%v", err)
	}
}

// TestTheValidationSplitIsTheOneThatWasHeldOut: what was trained on is not measured as validation.
func TestTheValidationSplitIsTheOneThatWasHeldOut(t *testing.T) {
	data, run := photos(t), t.TempDir()
	sum, err := start(t, run, photoConfig(data, "data.validation=6"), nil)
	if err != nil {
		t.Fatal(err)
	}
	o := MeasureOptions{Split: datasets.Val, Threads: 1, View: eval.ViewOptions{Crops: eval.CropsOne, Combine: eval.CombineSoftmax}}
	for _, old := range []string{"seed: 1", "validation: 6"} {
		edit(t, filepath.Join(run, "config.yaml"), old, strings.Replace(strings.Replace(old, "1", "9", 1), "6", "5", 1))
	}
	var said []string
	m, err := Measure(t.Context(), &Environment{Say: func(line string) { said = append(said, line) }}, []string{run}, o)
	if err != nil {
		t.Fatal(err)
	}
	if r := m.Rows[0].Row; r.N != 6 || r.Loss != sum.Last.Val.Loss {
		t.Errorf("%d images, loss %v; want 6, %v", r.N, r.Loss, sum.Last.Val.Loss)
	}
	if all := strings.Join(said, "\n"); len(said) != 2 || !strings.Contains(all, "data.validation: 5, and the checkpoint was trained with 6") || !strings.Contains(all, "train.seed: 9") {
		t.Errorf("said %q", said)
	}
	photo(t, filepath.Join(data, "train", "ant", "7.png"), 7)
	if _, err := Measure(t.Context(), &Environment{}, []string{run}, o); !errors.Is(err, datasets.ErrData) {
		t.Errorf("another split would be drawn: %v", err)
	}
	o.Split = datasets.Test
	if _, err := Measure(t.Context(), &Environment{}, []string{run}, o); err != nil {
		t.Errorf("the test split is the same: %v", err)
	}
}

func TestABrokenConfigurationBesideACheckpointIsSaid(t *testing.T) {
	data := photos(t)
	run := t.TempDir()
	if _, err := start(t, run, photoConfig(data), nil); err != nil {
		t.Fatal(err)
	}
	o := MeasureOptions{Split: datasets.Test, Threads: 1, View: eval.ViewOptions{Crops: eval.CropsOne, Combine: eval.CombineSoftmax}}
	file := filepath.Join(run, "checkpoints", "step-000006.safetensors")
	edit(t, filepath.Join(run, "config.yaml"), "  validation: 0", "  validation: many")
	for _, path := range []string{run, file} {
		_, err := Measure(t.Context(), &Environment{}, []string{path}, o)
		if !errors.Is(err, datasets.ErrData) || isUsage(err) || !strings.Contains(err.Error(), "config.yaml:") || !strings.Contains(err.Error(), "data.validation") {
			t.Errorf("eval %s: %v", path, err)
		}
		given := o
		given.Data, given.Dir, given.Batch = "folder", data, 5
		if m, err := Measure(t.Context(), &Environment{}, []string{path}, given); err != nil || m.Rows[0].Row.N != 6 {
			t.Errorf("eval %s with everything given: %v", path, err)
		}
		if _, err := OpenModel(&Environment{}, path); err != nil {
			t.Errorf("predict does not need it: %v", err)
		}
	}
	if _, err := CompareRuns([]string{run}, t.TempDir()); !errors.Is(err, datasets.ErrData) || !strings.Contains(err.Error(), "config.yaml:") {
		t.Errorf("compare runs: %v", err)
	}
	// A configuration above weights that are in no run is somebody else's.
	elsewhere := filepath.Join(t.TempDir(), "weights")
	if err := os.CopyFS(elsewhere, os.DirFS(filepath.Join(run, "checkpoints"))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(elsewhere), "config.yaml"), []byte("services: {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	o.Dir = data
	if _, err := Measure(t.Context(), &Environment{}, []string{filepath.Join(elsewhere, "step-000006.safetensors")}, o); err != nil {
		t.Errorf("weights elsewhere: %v", err)
	}
}

func TestAReportHoldsItsLastRowAgainstTheCheckpoint(t *testing.T) {
	whole := t.TempDir()
	if _, err := start(t, whole, photoConfig(photos(t)), nil); err != nil {
		t.Fatal(err)
	}
	path := func(run string) string { return filepath.Join(run, train.MetricsFile) }
	final, notes, err := readRun(whole)
	if err != nil || len(notes) > 0 || len(final.History) != 2 || final.History[1].TestError == nil {
		t.Fatalf("%+v, notes %q (%v)", final, notes, err)
	}
	text, err := os.ReadFile(path(whole))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	for name, c := range map[string]struct {
		text string
		note string
	}{
		"without the last row":       {lines[0] + lines[1], "no row of step 6"},
		"with half of it":            {string(text[:len(text)-5]), "no row of step 6"},
		"with the row of another":    {lines[0] + lines[1] + strings.Replace(lines[1], "3,", "6,", 1), "not what was measured"},
		"without any row":            {lines[0], "no row of step 6"},
		"without the file":           {"", "no row of step 6"},
		"as it was":                  {string(text), ""},
		"of a run that went further": {string(text) + strings.Replace(lines[2], "6,", "9,", 1), ""},
	} {
		t.Run(name, func(t *testing.T) {
			run := filepath.Join(t.TempDir(), "run")
			if err := os.CopyFS(run, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path(run), []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			if c.text == "" {
				if err := os.Remove(path(run)); err != nil {
					t.Fatal(err)
				}
			}
			got, notes, err := readRun(run)
			if err != nil || (len(notes) > 0) != (c.note != "") || c.note != "" && !strings.Contains(notes[0], c.note) {
				t.Fatalf("notes %q (%v)", notes, err)
			}
			i := len(got.History) - 1
			if name == "of a run that went further" {
				i--
			}
			a, b := got.History[i], final.History[1]
			for _, f := range [][2]*float64{{a.TestError, b.TestError}, {a.TestLoss, b.TestLoss}, {a.TrainError, b.TrainError}, {a.TrainLoss, b.TrainLoss}} {
				if f[0] == nil || !written(*f[1], *f[0]) {
					t.Errorf("the last row is %+v, want %+v", a, b)
				}
			}
			comparison, err := CompareRuns([]string{run}, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if said := strings.Contains(strings.Join(comparison.Notes, "\n"), train.MetricsFile+": it"); said != (c.note != "") {
				t.Errorf("notes %q", comparison.Notes)
			}
			if further := name == "of a run that went further"; comparison.Runs[0].Net.Unfinished != further {
				t.Errorf("unfinished: %v", !further)
			}
		})
	}
	// A run that was never measured has nothing to hold.
	if _, _, err := readRun(t.TempDir()); err == nil {
		t.Error("an empty folder has a history")
	}
}

func TestAFinishedRunGetsTheReportThatAKillPrevented(t *testing.T) {
	run := t.TempDir()
	in := photoConfig(photos(t))
	sum, err := start(t, run, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, _, err := Continue(run, config.Input{}, Allow{})
	if err != nil {
		t.Fatal(err)
	}
	x, err := New(t.Context(), &Environment{Version: "test"}, l, 1, NewDataSets())
	if err != nil {
		t.Fatal(err)
	}
	env := &Environment{Version: "test"}
	if err := WriteReport(t.Context(), env, run, 1); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, name := range []string{report.ReportFile, report.CurvesSVG, report.CurvesPNG, report.DiagnosticsFile} {
		b, err := os.ReadFile(filepath.Join(run, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(b)
		if err := os.Remove(filepath.Join(run, name)); err != nil {
			t.Fatal(err)
		}
	}
	again, err := (&Training{Experiment: x, Dir: run, Resume: true, Watcher: quiet{}}).Run(t.Context())
	if err != nil || !again.AlreadyFinished || again.Last == nil || again.Last.Test == nil || *again.Last.Test != *sum.Last.Test {
		t.Fatalf("%+v (%v)", again, err)
	}
	if err := WriteReport(t.Context(), env, run, 1); err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		if b, err := os.ReadFile(filepath.Join(run, name)); err != nil || string(b) != want {
			t.Errorf("%s is not what it would have been (%v)", name, err)
		}
	}
	// A report that cannot be written is an error, also where an earlier one is there.
	if err := errors.Join(os.Remove(filepath.Join(run, report.CurvesPNG)), os.Mkdir(filepath.Join(run, report.CurvesPNG), 0o755)); err != nil {
		t.Fatal(err)
	}
	var io *IOError
	if err := WriteReport(t.Context(), env, run, 1); !errors.As(err, &io) {
		t.Errorf("%v", err)
	}
}
