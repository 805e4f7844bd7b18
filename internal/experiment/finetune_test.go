package experiment

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"resnet/internal/atomicfile/atomicfiletest"
	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
)

// checkpointOf writes a network with weights that no initialiser draws: value i of a parameter is
// i+1. It gives the parameters.
func checkpointOf(t *testing.T, path string, spec blocks.Spec) *graph.ParamSet {
	t.Helper()
	params := graph.NewParamSet(9)
	if _, err := blocks.Build(spec, 1, graph.Eval, params); err != nil {
		t.Fatal(err)
	}
	for _, p := range params.All() {
		for i := range p.Data {
			p.Data[i] = float32(i + 1)
		}
	}
	arch, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	meta := weights.Meta{Arch: string(arch), Preprocessing: eval.ImportedView(spec, datasets.Normalizer{Kind: datasets.NoNormalizing}).Encode()}
	var b bytes.Buffer
	if err := weights.Write(&b, weights.FromParams(params), meta.Encode()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return params
}

// behead takes the classifier out of a checkpoint, as an imported backbone has none.
func behead(t *testing.T, path string) {
	t.Helper()
	f, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	meta, err := weights.DecodeMeta(path, f.Meta)
	if err != nil {
		t.Fatal(err)
	}
	meta.Headless = true
	whole, err := weights.ReadForeign(path)
	if err != nil {
		t.Fatal(err)
	}
	list := slices.DeleteFunc(whole.Tensors, func(x weights.Tensor) bool { return headless(x.Name) == "" })
	var b bytes.Buffer
	if err := weights.Write(&b, list, meta.Encode()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// fresh are the parameters that a network begins with.
func fresh(t *testing.T, spec blocks.Spec, mode graph.Mode) *graph.ParamSet {
	t.Helper()
	params := graph.NewParamSet(3)
	if _, err := blocks.Build(spec, 2, mode, params); err != nil {
		t.Fatal(err)
	}
	return params
}

func TestFineTuningLoadsAllButANewClassifier(t *testing.T) {
	path := filepath.Join(t.TempDir(), "base.safetensors")
	for _, c := range []struct {
		arch    string
		classes int
		note    string
		isNew   func(name string) bool // of parameters that stay as they were drawn
	}{
		{"tiny-a", 10, "", func(string) bool { return false }},
		{"tiny-a", 12, "; the classifier is new, for 12 classes instead of 10", func(name string) bool { return strings.HasPrefix(name, "fc.") }},
		{"tiny-a", 10, "; the file has no classifier: it is new, for 10 classes", func(name string) bool { return strings.HasPrefix(name, "fc.") }},
		{"tiny-googlenet", 10, "", func(name string) bool { return strings.HasPrefix(name, "aux") }},
	} {
		spec, err := blocks.Lookup(c.arch)
		if err != nil {
			t.Fatal(err)
		}
		spec.Classes = 10
		saved := checkpointOf(t, path, spec.WithoutAuxiliary())
		backbone := strings.Contains(c.note, "no classifier")
		if backbone {
			behead(t, path)
		}
		l, err := config.Load(config.Input{File: "quickstart", Sets: []string{"model.name=" + c.arch, "model.weights=" + path, "train.optimizer.freeze=conv1"}})
		if err != nil {
			t.Fatal(err)
		}
		spec.Classes = c.classes
		x := &Experiment{Loaded: l, Spec: spec, env: &Environment{}, data: splits{}}
		params, drawn := fresh(t, spec, graph.Train), fresh(t, spec, graph.Train)
		notes, err := x.startFrom(params)
		if err != nil {
			t.Fatalf("%s: %v", c.arch, err)
		}
		want := []string{
			fmt.Sprintf("Weights of %s from %s%s.", c.arch, path, c.note),
			"Not trained: [conv1]. Normalisation there still uses each batch's statistics, and the running ones go on.",
		}
		if !slices.Equal(notes, want) {
			t.Errorf("notes %q, want %q", notes, want)
		}
		news, loaded := 0, 0
		for _, p := range params.All() {
			from := saved
			if c.isNew(p.Name) {
				from = drawn
				news++
			} else {
				loaded++
			}
			if q := from.Get(p.Name); q == nil || !slices.Equal(p.Data, q.Data) {
				t.Errorf("%s, %d classes: %s is not what it should be (new: %v)", c.arch, c.classes, p.Name, c.isNew(p.Name))
			}
		}
		if loaded < 10 || (news > 0) == (c.arch == "tiny-a" && c.classes == 10 && !backbone) {
			t.Errorf("%s, %d classes: %d parameters loaded, %d new", c.arch, c.classes, loaded, news)
		}
	}
}

// TestATrainingStartsFromItsWeights goes the way of a command.
func TestATrainingStartsFromItsWeights(t *testing.T) {
	path := filepath.Join(t.TempDir(), "base.safetensors")
	spec, err := blocks.Resolve(blocks.Config{Family: blocks.FamilyCIFAR, Depth: 8, Residual: true, BatchNorm: true}, blocks.DataInfo{Channels: 1, Size: 7, Classes: 10})
	if err != nil {
		t.Fatal(err)
	}
	saved := checkpointOf(t, path, spec)
	l, err := config.Load(config.Input{File: "quickstart", Sets: []string{
		"model.depth=8", "data.downsample=4", "data.limit=16", "train.batch=4", "train.epochs=1",
		"train.schedule.drop.at_epochs=1", "model.weights=" + path, "eval.batch=5",
	}})
	if err != nil {
		t.Fatal(err)
	}
	x, err := New(context.Background(), &Environment{}, l, 1, NewDataSets())
	if err != nil {
		t.Fatal(err)
	}
	full := atomicfiletest.NewDisk()
	full.FreeKnown = true
	var io *IOError
	if _, err := (&Training{Experiment: x, Dir: "/runs/x", disk: full}).prepare(t.Context(), nil); !errors.As(err, &io) || !strings.Contains(err.Error(), "two checkpoints need ") {
		t.Errorf("on a full disk: %v", err)
	}
	r, err := (&Training{Experiment: x, Dir: t.TempDir()}).prepare(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	for _, p := range r.params.All() {
		if !slices.Equal(p.Data, saved.Get(p.Name).Data) {
			t.Errorf("%s is not the checkpoint's", p.Name)
		}
	}
	// With another activation the same tensors are another network.
	x.Spec.Activation = blocks.ELU
	var usage *config.UsageError
	if _, err := x.startFrom(graph.NewParamSet(1)); !errors.As(err, &usage) || !strings.Contains(err.Error(), "set model.activation") {
		t.Errorf("weights of a network with ReLU for one with ELU: %v", err)
	}
}
