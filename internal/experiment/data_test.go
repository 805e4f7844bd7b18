package experiment

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/train"
)

func TestAModelIsMeasuredOnItsOwnDataUnlessOthersAreNamed(t *testing.T) {
	own := &config.Loaded{Config: config.Default()}
	own.Data = datasets.Config{Name: "folder", Dir: "/photos", Size: 16, Resize: 20, Downsample: 1, Validation: 6, Augment: datasets.Augment{Flip: true}}
	own.Train.Seed = 5
	view := datasets.Preprocessing{Size: 24, Resize: 30, Downsample: 2}
	for name, c := range map[string]struct {
		m         Model
		data, dir string
		want      datasets.Config
		seed      uint64
	}{
		"its run's": {
			Model{Model: &eval.Model{Dataset: "other", Preprocessing: view}, run: own},
			"", "",
			datasets.Config{Name: "folder", Dir: "/photos", Validation: 6, Size: 24, Resize: 30, Downsample: 2},
			5,
		},
		"the same, moved": {
			Model{Model: &eval.Model{Preprocessing: view}, run: own},
			"folder", "/moved",
			datasets.Config{Name: "folder", Dir: "/moved", Validation: 6, Size: 24, Resize: 30, Downsample: 2},
			5,
		},
		"another": {
			Model{Model: &eval.Model{Preprocessing: view}, run: own},
			"cifar10", "",
			datasets.Config{Name: "cifar10", Downsample: 2},
			5,
		},
		"a file's": {
			Model{Model: &eval.Model{Dataset: "imagenet", Preprocessing: view}},
			"", "/data",
			datasets.Config{Name: "imagenet", Dir: "/data", Size: 24, Resize: 30, Downsample: 2},
			0,
		},
		"a file without a record": {Model{Model: &eval.Model{Dataset: "cifar10"}}, "", "", datasets.Config{Name: "cifar10", Downsample: 1}, 0},
	} {
		if got, seed := c.m.dataConfig(c.data, c.dir); got != c.want || seed != c.seed {
			t.Errorf("%s: %+v, seed %d; want %+v, %d", name, got, seed, c.want, c.seed)
		}
	}
}

func TestADataSetIsEmbeddedPresentAbsentOrDamaged(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	for name, want := range map[string]string{"fashion-sample": "embedded", "folder": "", "packed": "", "cifar10": "absent"} {
		if s := StateOf(context.Background(), name); s.State != want || s.Name != name || s.Title != datasets.Title(name) || s.Title == "" {
			t.Errorf("%+v, want %q", s, want)
		}
	}
	s := StateOf(context.Background(), "cifar10")
	if s.Dir == "" {
		t.Fatal("cifar10 has no folder")
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"} {
		if err := os.WriteFile(filepath.Join(s.Dir, file), []byte("short"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if s := StateOf(context.Background(), "cifar10"); s.State != "damaged" {
		t.Errorf("files that are too short: %+v", s)
	}
	image := make([]byte, 3073*10_000)
	for _, file := range []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"} {
		if err := os.WriteFile(filepath.Join(s.Dir, file), image, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if s := StateOf(context.Background(), "cifar10"); s.State != "present" {
		t.Errorf("files of the right size: %+v", s)
	}

	// They are not the published ones: nothing of the paper's stands beside errors on them.
	x, err := New(context.Background(), &Environment{}, loadText(t, "model: {name: resnet20}\ndata: {name: cifar10, normalize: none}\n"), 1, NewDataSets())
	if err != nil {
		t.Fatal(err)
	}
	sum := train.Summary{Last: &train.Row{Test: &train.Metrics{Error: 9}}}
	table := x.Table("here", sum)
	if len(table.Rows) != 1 || table.Rows[0].Paper != nil || table.Rows[0].N != 10_000 {
		t.Errorf("a copy: %+v", table.Rows)
	}
	if notes := x.Notes(); len(notes) != 1 || !strings.Contains(notes[0], "the paper's do not stand beside them") {
		t.Errorf("a copy: notes %q", notes)
	}
	x.data.(*images).name = "cifar10"
	if table := x.Table("here", sum); table.Rows[0].Paper == nil || *table.Rows[0].Paper != 8.75 {
		t.Errorf("the published files: %+v", table.Rows)
	}
}

func TestSplitsThatAreThereAreMeasuredAndTheTrainingSetWhenAsked(t *testing.T) {
	sizes := map[datasets.Split]int{datasets.Train: 5, datasets.Val: 2, datasets.Test: 3}
	loss := map[datasets.Split]float64{datasets.Train: 1, datasets.Val: 2, datasets.Test: 3}
	measure := func(s datasets.Split) (*train.Metrics, error) { return &train.Metrics{Loss: loss[s]}, nil }
	size := func(s datasets.Split) int { return sizes[s] }
	var all train.Evaluation
	if err := eachSplit(size, true, &all, measure); err != nil || all.Val.Loss != 2 || all.Test.Loss != 3 || all.Train.Loss != 1 {
		t.Errorf("all: %+v (%v)", all, err)
	}
	sizes[datasets.Val] = 0
	var some train.Evaluation
	if err := eachSplit(size, false, &some, measure); err != nil || some.Val != nil || some.Test.Loss != 3 || some.Train != nil {
		t.Errorf("test alone: %+v (%v)", some, err)
	}
	bad := errors.New("bad")
	if err := eachSplit(size, false, &some, func(datasets.Split) (*train.Metrics, error) { return nil, bad }); !errors.Is(err, bad) {
		t.Errorf("%v", err)
	}
}

func TestNetworksOfAFamilyAreMostlyTrainedOnItsDataSet(t *testing.T) {
	for _, c := range []struct {
		family  string
		classes int
		want    string
	}{
		{blocks.FamilyImageNet, 1000, "imagenet"},
		{blocks.FamilyImageNet, 10, ""},
		{blocks.FamilyCIFAR, 10, "cifar10"},
		{blocks.FamilyCIFAR, 100, "cifar100"},
		{blocks.FamilyCIFAR, 1000, ""},
	} {
		if got := trainedOn(c.family, c.classes); got != c.want {
			t.Errorf("%s of %d classes: %q, want %q", c.family, c.classes, got, c.want)
		}
	}
}

func TestChannelValuesAreFiniteAndDeviationsAboveZero(t *testing.T) {
	if got, err := channelValues("mean", "-1, 0,2.5", 3, false); err != nil || got[0] != -1 || got[1] != 0 || got[2] != 2.5 {
		t.Errorf("%v (%v)", got, err)
	}
	for _, c := range []struct {
		list  string
		above bool
	}{{"1,2", false}, {"1,2,3,4", false}, {"1,2,x", false}, {"1,2,NaN", false}, {"1,2,Inf", false}, {"1,0,1", true}, {"1,-1,1", true}} {
		if got, err := channelValues("std", c.list, 3, c.above); !isUsage(err) {
			t.Errorf("%s: %v (%v)", c.list, got, err)
		}
	}
}

func TestThereIsANameForEachClass(t *testing.T) {
	path := filepath.Join(t.TempDir(), "classes.txt")
	if err := os.WriteFile(path, []byte("ant\n bee \ncat"), 0o644); err != nil {
		t.Fatal(err)
	}
	names, err := readClassNames(path, 3)
	if err != nil || len(names) != 3 || names[1] != "bee" || names[2] != "cat" {
		t.Errorf("%q (%v)", names, err)
	}
	for _, n := range []int{2, 4} {
		if _, err := readClassNames(path, n); !isUsage(err) {
			t.Errorf("%d classes: %v", n, err)
		}
	}
	var missing *MissingError
	if _, err := readClassNames(path+"x", 3); !errors.As(err, &missing) {
		t.Errorf("%v", err)
	}
}

func TestSeedsThatDrawNothingShareData(t *testing.T) {
	one, two := datasets.Config{Name: "a"}, datasets.Config{Name: "a", Validation: 1}
	c := config.Default().Speech
	if newKey(one, c, 1) != newKey(one, c, 2) || newKey(two, c, 1) == newKey(two, c, 2) {
		t.Error("the seed draws the validation split and nothing else")
	}
}

func TestMasksOfDropoutFollowFromTheBatchesBefore(t *testing.T) {
	g := &graph.Graph{Dropout: &graph.DropoutState{Step: 3}}
	if numberBatch(g, 7); g.Dropout.Step != 7 {
		t.Errorf("batch %d, want 7", g.Dropout.Step)
	}
	numberBatch(&graph.Graph{}, 7) // a network without dropout
}
