package experiment

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
	"resnet/internal/graph/weights"
)

// TestTheLeastMemoryOfVariantsIsBelowWhatTheyTake compares the bound that refuses a batch with what
// the machine asks for.
func TestTheLeastMemoryOfVariantsIsBelowWhatTheyTake(t *testing.T) {
	const n = 16
	for _, name := range []string{"tiny-groups", "tiny-widened", "tiny-d", "tiny-se", "tiny-preact", "tiny-preact-bottleneck", "tiny-wrn", "resnet18-3x3", "preresnet164"} {
		s, err := blocks.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		sum, err := blocks.Summarize(s)
		if err != nil {
			t.Fatal(err)
		}
		g, err := blocks.Build(s, n, graph.Train, graph.NewParamSet(1))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []graph.Precision{graph.Float32, graph.BFloat16} {
			var large *schedule.TooLargeError
			if _, err := schedule.Compile(g, schedule.Options{Threads: 1, Limit: 1, Precision: p}); !errors.As(err, &large) {
				t.Fatalf("%s: %v", name, err)
			}
			if least := leastTraining(sum, n, p); least < float64(large.Need)/40 || least > float64(large.Need) {
				t.Errorf("%s in %v: at least %.0f bytes are said, and %d taken", name, p, least, large.Need)
			}
		}
	}
}

// A network is written under the names of another program, and read again from them to the bit.
func TestExportWritesTheNamesOfAnotherProgram(t *testing.T) {
	dir := t.TempDir()
	s, err := blocks.Lookup("tiny-wrn")
	if err != nil {
		t.Fatal(err)
	}
	from, to := filepath.Join(dir, "ours.safetensors"), filepath.Join(dir, "theirs.safetensors")
	params := checkpointOf(t, from, s)
	r, err := Export(&Environment{}, from, ExportOptions{Format: "safetensors", Names: "xternalz", Out: to})
	if err != nil || r.Tensors != len(params.All()) {
		t.Fatalf("%+v, %v", r, err)
	}
	f, err := weights.ReadForeign(to)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, x := range f.Tensors {
		if p := params.Get(x.Name); p != nil && slices.Equal(p.Data, x.Data) {
			found++
		}
	}
	if found != r.Tensors || len(f.Tensors) != r.Tensors {
		t.Errorf("%d tensors of %d come back, of %d", found, r.Tensors, len(f.Tensors))
	}
	file, err := weights.Open(to)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := weights.DecodeMeta(to, file.Meta); !errors.Is(err, weights.ErrNoMeta) {
		t.Errorf("the file says that it is ours: %v", err)
	}
	if _, err := file.Float32("block2.layer.0.convShortcut.weight"); err != nil {
		t.Error(err)
	}
	var usage *config.UsageError
	for _, o := range []ExportOptions{{Format: "safetensors", Names: "nobody"}, {Format: "onnx", Names: "kuangliu"}} {
		if o.Out = to; !errors.As(second(Export(&Environment{}, from, o)), &usage) {
			t.Errorf("%+v is taken", o)
		}
	}
}

func second[T any](_ T, err error) error { return err }
