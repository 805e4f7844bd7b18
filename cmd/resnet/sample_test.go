package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/eval"
	"resnet/internal/experiment"
	"resnet/internal/graph"
	"resnet/internal/graph/schedule"
	"resnet/internal/graph/weights"
)

// imagenetSample unpacks a few photographs of ImageNet in their own sizes: RESNET_IMAGENET_SAMPLE
// names a tar of val/WNID/*.JPEG; without it one beside the repository is looked for. Where there
// is none the test is skipped, and says so.
func imagenetSample(t *testing.T, images int) (dir string) {
	t.Helper()
	path := os.Getenv("RESNET_IMAGENET_SAMPLE")
	if path == "" {
		path = filepath.Join("..", "..", "..", "shared", "data", "imagenet-sample", "val.tar")
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("no photographs of ImageNet at %s: RESNET_IMAGENET_SAMPLE names a tar of val/WNID/*.JPEG", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dir = t.TempDir()
	for r := tar.NewReader(f); images > 0; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg || !strings.EqualFold(filepath.Ext(h.Name), ".jpeg") || !filepath.IsLocal(h.Name) {
			continue
		}
		name := filepath.Join(dir, filepath.FromSlash(h.Name))
		data, err := io.ReadAll(r)
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, data, 0o644)); err != nil {
			t.Fatal(err)
		}
		images--
	}
	if images > 0 {
		t.Skipf("%s holds %d photographs too few", path, images)
	}
	return dir
}

// sampleNet writes a checkpoint of a network of the table with random weights and torchvision's
// normalisation, and gives its parameters.
func sampleNet(t *testing.T, path, arch string, seed uint64) (blocks.Spec, *graph.ParamSet) {
	t.Helper()
	spec, err := blocks.Lookup(arch)
	if err != nil {
		t.Fatal(err)
	}
	params := graph.NewParamSet(seed)
	if _, err := blocks.Build(spec, 1, graph.Eval, params); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 1))
	for _, p := range params.All() { // statistics that matter, and activations that stay small
		for i := range p.Data {
			switch {
			case strings.HasSuffix(p.Name, "running_mean"):
				p.Data[i] = 0.2*r.Float32() - 0.1
			case strings.HasSuffix(p.Name, "running_var"):
				p.Data[i] = 1.5 + r.Float32()
			}
		}
	}
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	meta := weights.Meta{
		Arch: string(text), Dataset: "imagenet",
		Preprocessing: eval.ImportedView(spec, datasets.Normalizer{
			Kind: datasets.ChannelMeanStd,
			Mean: []float32{0.485, 0.456, 0.406}, Std: []float32{0.229, 0.224, 0.225},
		}).Encode(),
	}
	var b bytes.Buffer
	if err := errors.Join(weights.Write(&b, weights.FromParams(params), meta.Encode()), os.WriteFile(path, b.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
	return spec, params
}

// single computes one view at a time, with a graph for each network, size and form.
type single struct {
	t        *testing.T
	machines map[string]graph.Machine
}

// pass is a rectangle of a picture through a network: the logits of one forward pass.
func (s *single) pass(spec blocks.Spec, params *graph.ParamSet, p datasets.Picture, x0, y0, w, h int, flip, dense bool) []float64 {
	s.t.Helper()
	mean, std := []float64{0.485, 0.456, 0.406}, []float64{0.229, 0.224, 0.225}
	x := make([]float32, 3*w*h)
	for i := range x {
		c, row, column := i/(w*h), i/w%h, i%w
		if flip {
			column = w - 1 - column
		}
		x[i] = float32((float64(p.Pix[3*((y0+row)*p.Width+x0+column)+c])/255 - mean[c]) / std[c])
	}
	key := fmt.Sprint(spec.Name, h, w, dense)
	m := s.machines[key]
	if m == nil {
		g, err := blocks.Build(spec, 1, graph.Eval, params)
		if dense {
			g, err = blocks.BuildDense(spec, 1, h, w, params)
		}
		if err != nil {
			s.t.Fatal(err)
		}
		if m, err = (&experiment.Environment{}).Compile(g, params, schedule.Options{Threads: 2}); err != nil {
			s.t.Fatal(err)
		}
		s.machines[key] = m
		s.t.Cleanup(m.Close)
	}
	logits, err := m.Infer(x, 1)
	if err != nil {
		s.t.Fatal(err)
	}
	out := make([]float64, len(logits))
	for i, z := range logits {
		out[i] = float64(z)
	}
	return out
}

// meanProbability is the logarithm of the mean of the views' softmax, written out.
func meanProbability(views [][]float64) []float64 {
	out := make([]float64, len(views[0]))
	for _, z := range views {
		sum := 0.0
		for _, v := range z {
			sum += math.Exp(v)
		}
		for c, v := range z {
			out[c] += math.Exp(v) / sum / float64(len(views))
		}
	}
	for c := range out {
		out[c] = math.Log(out[c])
	}
	return out
}

// evaluated runs `resnet eval` and reads the scores that it wrote.
func evaluated(t *testing.T, args ...string) [][]float64 {
	t.Helper()
	file := filepath.Join(t.TempDir(), "scores.jsonl")
	var out, errw bytes.Buffer
	if status := run(append([]string{"eval", "--predictions", file, "--json"}, args...), strings.NewReader(""), &out, &errw); status != 0 {
		t.Fatalf("eval %v: status %d: %s", args, status, errw.String())
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all [][]float64
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Logits []float64 `json:"logits"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		all = append(all, line.Logits)
	}
	return all
}

// TestProtocolsOnPhotographsAreMeansOfSinglePasses compares `resnet eval` on photographs with
// forward passes, one view at a time, each cut here by the definition of the protocol: ten crops,
// several scales with mirror images, and an ensemble of two networks.
func TestProtocolsOnPhotographsAreMeansOfSinglePasses(t *testing.T) {
	images := 4
	if testing.Short() {
		images = 1
	}
	dir := imagenetSample(t, images)
	paths := []string{filepath.Join(t.TempDir(), "a.safetensors"), filepath.Join(t.TempDir(), "b.safetensors")}
	specA, a := sampleNet(t, paths[0], "resnet18", 1)
	specB, b := sampleNet(t, paths[1], "resnet18a", 2)
	ds, err := datasets.Open(t.Context(), datasets.Config{
		Name: "imagenet", Dir: dir, TrainOn: datasets.TrainOnTrain, OnCorrupt: datasets.CorruptError,
		Normalize: datasets.ChannelMeanStd, Augment: datasets.Augment{Crop: datasets.CropPad},
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n := ds.Len(datasets.Test); n != images {
		t.Fatalf("%d photographs, want %d", n, images)
	}
	one := &single{t, map[string]graph.Machine{}}
	tenCrops := func(spec blocks.Spec, params *graph.ParamSet, p datasets.Picture) []float64 {
		p = p.ResizeShorter(256)
		right, bottom := p.Width-224, p.Height-224
		var views [][]float64
		for _, at := range [][2]int{{0, 0}, {right, 0}, {0, bottom}, {right, bottom}, {int(math.RoundToEven(float64(right) / 2)), int(math.RoundToEven(float64(bottom) / 2))}} {
			for _, flip := range []bool{false, true} {
				views = append(views, one.pass(spec, params, p, at[0], at[1], 224, 224, flip, false))
			}
		}
		return meanProbability(views)
	}
	common := []string{"--data", "imagenet", "--data-dir", dir}
	ten := evaluated(t, append([]string{paths[0], "--crops", "10"}, common...)...)
	scales := evaluated(t, append([]string{paths[0], "--crops", "full", "--scales", "224,288"}, common...)...)
	both := evaluated(t, append([]string{paths[0], paths[1], "--crops", "10"}, common...)...)
	for i := range images {
		p, err := ds.Picture(datasets.Test, i)
		if err != nil {
			t.Fatal(err)
		}
		cropsA := tenCrops(specA, a, p)
		var views [][]float64
		for _, s := range []int{224, 288} {
			r := p.ResizeShorter(s)
			for _, flip := range []bool{false, true} {
				views = append(views, one.pass(specA, a, r, 0, 0, r.Width, r.Height, flip, true))
			}
		}
		closeTo(t, fmt.Sprintf("image %d, ten crops", i), ten[i], cropsA)
		closeTo(t, fmt.Sprintf("image %d, two scales", i), scales[i], meanProbability(views))
		closeTo(t, fmt.Sprintf("image %d, ensemble", i), both[i], meanProbability([][]float64{cropsA, tenCrops(specB, b, p)}))
	}
}

// closeTo allows the difference of batches and of single passes in float32: 2e-5 of the greatest
// score.
func closeTo(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d scores, want %d", what, len(got), len(want))
	}
	most, scale, low, high := 0.0, 0.0, math.Inf(1), math.Inf(-1)
	for c := range want {
		most = max(most, math.Abs(got[c]-want[c]))
		scale = max(scale, math.Abs(want[c]))
		low, high = min(low, want[c]), max(high, want[c])
	}
	if !(most <= 2e-5*scale) {
		t.Errorf("%s: scores differ by up to %.2g of %.3g", what, most, scale)
	}
	if high-low < 0.1 {
		t.Errorf("%s: scores between %v and %v tell nothing apart", what, low, high)
	}
}
