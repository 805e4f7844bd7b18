package experiment

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/config"
)

// loadText loads a configuration from a file with this text.
func loadText(t *testing.T, text string) *config.Loaded {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := config.Load(config.Input{File: path})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func isUsage(err error) bool {
	var usage *config.UsageError
	var problems *config.Error
	return errors.As(err, &usage) || errors.As(err, &problems)
}

func TestMistakesThatOnlyTheDataShowHavePlaces(t *testing.T) {
	l := loadText(t, "model: {name: resnet20, classes: 4}\ndata: {name: fashion-sample}\n")
	_, err := New(context.Background(), &Environment{}, l, 1, NewDataSets())
	if !isUsage(err) {
		t.Errorf("a %T, want a usage error", err)
	}
	if err == nil || err.Error() != l.Path+":1:34: model.classes: 4, but the data set has 10 (leave it out)" {
		t.Errorf("error %q has no place", err)
	}
}

func TestMemoryThatCannotDoIsRefusedBeforeWork(t *testing.T) {
	l, err := config.Load(config.Input{File: "cifar1202", Sets: []string{"data.name=fashion-sample", "train.batch=128"}})
	if err != nil {
		t.Fatal(err)
	}
	j, err := New(context.Background(), &Environment{}, l, 1, NewDataSets())
	if err != nil {
		t.Fatal(err)
	}
	needs, err := j.data.leastMemory()
	if err != nil {
		t.Fatal(err)
	}
	var need int64
	for _, n := range needs {
		need += int64(n.bytes)
	}
	// 1201 convolutions of 16x28x28, 32x14x14 and 64x7x7 values, a third each, times 128 images, 4
	// bytes.
	if want := int64(4 * 128 * 400 * (16*28*28 + 32*14*14 + 64*7*7)); need < want || need > want+want/10 {
		t.Errorf("least memory %d, want a little over %d", need, want)
	}
	if err := j.CheckLeastMemory(need - 1); !isUsage(err) || !strings.HasPrefix(err.Error(), "train.batch: 128 needs at least ") {
		t.Errorf("one byte less than needed: %v, want a usage error", err)
	}
	if err := j.CheckLeastMemory(need); err != nil {
		t.Errorf("exactly what is needed: %v", err)
	}
}

func TestJobsOfOneCommandShareTheirData(t *testing.T) {
	job := func(open DataSets, sets ...string) *images {
		t.Helper()
		l, err := config.Load(config.Input{File: "quickstart", Sets: sets})
		if err != nil {
			t.Fatal(err)
		}
		j, err := New(context.Background(), &Environment{}, l, 1, open)
		if err != nil {
			t.Fatal(err)
		}
		return j.data.(*images)
	}
	open := NewDataSets()
	first := job(open)
	if other := job(open, "model.depth=20", "train.seed=2"); other.set != first.set {
		t.Error("another depth and seed opened the images again")
	}
	if other := job(open, "data.limit=100"); other.set == first.set {
		t.Error("other images are taken for the same")
	}
	// The seed draws the validation split.
	if a, b := job(open, "data.validation=500"), job(open, "data.validation=500", "train.seed=2"); a.set == b.set {
		t.Error("two seeds share a validation split")
	}
}
