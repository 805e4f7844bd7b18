package experiment

import (
	"math"
	"path/filepath"
	"slices"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
	"resnet/internal/graph/weights"
)

const foreign = "../../testdata/foreign/"

// inferred are the logits of an imported network for images of 0 to 255 [N, 3, H, W], red, green
// and blue, as eval would show them.
func inferred(t *testing.T, checkpoint string, images []float32) []float32 {
	t.Helper()
	m, err := eval.LoadModel(checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	size := 3 * m.Spec.InputSize * m.Spec.InputSize
	n := len(images) / size
	x, src := make([]float32, len(images)), make([]byte, size)
	for i := range n {
		for j, v := range images[i*size : (i+1)*size] {
			src[j] = byte(v)
		}
		m.Preprocessing.Apply(x[i*size:(i+1)*size], src)
	}
	g, err := blocks.Build(m.Spec, n, graph.Eval, m.Params)
	if err != nil {
		t.Fatal(err)
	}
	machine, err := schedule.Compile(g, schedule.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer machine.Close()
	logits, err := machine.Infer(x, n)
	if err != nil {
		t.Fatal(err)
	}
	return logits
}

// TestTheWRBNsOwnFileGivesTheLogitsOfItsPort compares with the authors' TensorFlow port, written
// out in testdata/foreign/generate.py. Its normalisation divides by σ + ε, where the network here
// has sqrt(σ² + ε²): with the small σ of a network of random weights that makes the difference.
func TestTheWRBNsOwnFileGivesTheLogitsOfItsPort(t *testing.T) {
	out := filepath.Join(t.TempDir(), "wrbn.safetensors")
	r, err := Import(foreign+"best.nnet", ImportOptions{Out: out})
	if err != nil {
		t.Fatal(err)
	}
	m, err := eval.LoadModel(out)
	if err != nil {
		t.Fatal(err)
	}
	if r.Model != "wrbn" || r.Classes != 6 || r.Features != 48 || !slices.Equal(m.ClassCounts, []int64{5, 4, 3, 2, 1, 7}) {
		t.Errorf("%+v, counts %v", r, m.ClassCounts)
	}
	f, err := weights.Open(foreign + "reference.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x, err1 := f.Float32("wrbn.features")
	want, err2 := f.Float32("wrbn.logits")
	root, err3 := f.Float32("wrbn-root.logits")
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	frames := len(x) / r.Features
	g, err := blocks.BuildSequence(m.Spec, 1, frames, graph.Eval, m.Params)
	if err != nil {
		t.Fatal(err)
	}
	g.Sequences.Lengths[0] = int32(frames)
	machine, err := schedule.Compile(g, schedule.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer machine.Close()
	got, err := machine.Infer(x, 1)
	if err != nil {
		t.Fatal(err)
	}
	compareLogits(t, "best.nnet with our normalisation", got, root, 1e-5)
	compareLogits(t, "best.nnet", got, want, 1e-4)
}

// TestImportedNetworksGiveTheLogitsOfTheirPrograms compares with forward passes that
// testdata/foreign/generate.py writes out in float64: 1e-5 of the largest logit, where 1e-6 is
// usual.
func TestImportedNetworksGiveTheLogitsOfTheirPrograms(t *testing.T) {
	f, err := weights.Open(foreign + "reference.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, c := range []struct {
		file, name string
		o          ImportOptions
	}{
		{"residual.caffemodel", "residual", ImportOptions{Arch: "tiny-caffe", Mean: foreign + "mean.binaryproto"}},
		{"vgg.caffemodel", "vgg", ImportOptions{Arch: "tiny-vgg", Mean: "123.68,116.779,103.939"}},
		{"vgg.caffemodel", "vgg", ImportOptions{
			Arch: "tiny-vgg", Mean: "0.48501961,0.45795686,0.40760392", Std: "0.0039215686,0.0039215686,0.0039215686",
		}},
		{"pretrained-models.safetensors", "pretrained-models", ImportOptions{Arch: "tiny-bn-inception"}},
		{"slim.safetensors", "slim", ImportOptions{Arch: "tiny-slim"}},
		{"slim-normalised.safetensors", "slim-normalised", ImportOptions{Arch: "tiny-slim"}},
	} {
		c.o.Out = filepath.Join(t.TempDir(), "net.safetensors")
		if _, err := Import(foreign+c.file, c.o); err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		images, err1 := f.Float32(c.name + ".images")
		want, err2 := f.Float32(c.name + ".logits")
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		compareLogits(t, c.file, inferred(t, c.o.Out, images), want, 1e-5)
	}
}

func compareLogits(t *testing.T, what string, got, want []float32, most float64) {
	t.Helper()
	if len(got) < len(want) {
		t.Fatalf("%s: %d logits, want %d", what, len(got), len(want))
	}
	var largest, difference float64
	for i, w := range want {
		largest = max(largest, math.Abs(float64(w)))
		if d := math.Abs(float64(got[i] - w)); !(d <= difference) {
			difference = d
		}
	}
	t.Logf("%s: largest difference %.1e of the largest logit, %.2f", what, difference/largest, largest)
	if !(difference <= most*largest) {
		t.Errorf("%s: largest difference %v of the largest logit", what, difference/largest)
	}
}
