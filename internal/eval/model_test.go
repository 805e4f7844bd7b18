package eval

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"resnet/internal/blocks"
	"resnet/internal/datasets"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
)

var tape = Factory{Compile: func(g *graph.Graph, p *graph.ParamSet, _ MachineOptions) (graph.Machine, error) {
	return graph.NewTape(g, p)
}}

// testView is how tiny-a looks at pictures.
var testView = datasets.NewPreprocessing(3, 9, 11, datasets.Normalizer{Kind: datasets.ChannelMeanStd, Mean: []float32{0.1, 0.2, 0.3}, Std: []float32{1, 2, 3}})

// saveModel writes tiny-a with random weights; edit may spoil its description.
func saveModel(t *testing.T, edit func(s *blocks.Spec, m *weights.Meta, tensors *[]weights.Tensor)) (path string, params *graph.ParamSet) {
	t.Helper()
	spec, err := blocks.Lookup("tiny-a")
	if err != nil {
		t.Fatal(err)
	}
	params = graph.NewParamSet(7)
	if _, err := blocks.Build(spec, 1, graph.Eval, params); err != nil {
		t.Fatal(err)
	}
	meta := weights.Meta{
		Classes: []string{"a", "b"}, ShortcutPad: "sides", Step: 12, Dataset: "cifar10",
		Preprocessing: testView.Encode(),
	}
	tensors := weights.FromParams(params)
	if edit != nil {
		edit(&spec, &meta, &tensors)
	}
	if meta.Arch == "" {
		arch, err := json.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		meta.Arch = string(arch)
	}
	path = filepath.Join(t.TempDir(), "m.safetensors")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := weights.Write(f, tensors, meta.Encode()); err != nil {
		t.Fatal(err)
	}
	return path, params
}

func TestLoadedModelComputesWhatTheSavedOneDid(t *testing.T) {
	path, params := saveModel(t, nil)
	m, err := LoadModel(path)
	if err != nil {
		t.Fatal(err)
	}
	if m.Spec.Name != "tiny-a" || m.Step != 12 || m.Dataset != "cifar10" || m.Assumed != "" {
		t.Errorf("%+v", m)
	}
	if d := cmp.Diff(testView, m.Preprocessing); d != "" {
		t.Errorf("preprocessing (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"a", "b"}, m.Classes); d != "" {
		t.Errorf("classes (-want +got):\n%s", d)
	}
	x := make([]float32, 2*3*9*9)
	for i := range x {
		x[i] = float32(i%17) - 8
	}
	infer := func(m *Model) []float32 {
		machine, err := m.Machine(2, tape)
		if err != nil {
			t.Fatal(err)
		}
		defer machine.Close()
		logits, err := machine.Infer(x, 2)
		if err != nil {
			t.Fatal(err)
		}
		return append([]float32(nil), logits...)
	}
	want := infer(&Model{Spec: m.Spec, Params: params})
	if d := cmp.Diff(want, infer(m)); d != "" {
		t.Errorf("logits (-saved +loaded):\n%s", d)
	}
}

func TestFilesThatContradictThemselvesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(s *blocks.Spec, m *weights.Meta, tensors *[]weights.Tensor)
		want error
		text string
	}{
		"architecture that is no JSON": {func(_ *blocks.Spec, m *weights.Meta, _ *[]weights.Tensor) { m.Arch = "{" }, ErrModel, "parse"},
		"a field of later versions": {func(s *blocks.Spec, m *weights.Meta, _ *[]weights.Tensor) {
			arch, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			m.Arch = `{"gates":true,` + strings.TrimPrefix(string(arch), "{")
		}, ErrModel, `only a newer resnet knows: json: unknown field "gates"`},
		"a precision of later versions": {func(_ *blocks.Spec, m *weights.Meta, _ *[]weights.Tensor) { m.Precision = "float8" }, ErrModel, `its precision: "float8" is no precision`},
		"impossible architecture":       {func(s *blocks.Spec, _ *weights.Meta, _ *[]weights.Tensor) { s.Widths[0] = -1 }, ErrModel, "widths[0]"},
		"zero channels elsewhere":       {func(s *blocks.Spec, _ *weights.Meta, _ *[]weights.Tensor) { s.PadEnd = true }, ErrModel, "shortcut_pad"},
		"too many class names":          {func(_ *blocks.Spec, m *weights.Meta, _ *[]weights.Tensor) { m.Classes = make([]string, 11) }, ErrModel, "11 classes"},
		"mean of other channels": {func(_ *blocks.Spec, m *weights.Meta, _ *[]weights.Tensor) {
			p := testView
			p.Mean = p.Mean[:1]
			m.Preprocessing = p.Encode()
		}, ErrModel, "preprocessing"},
		"no preprocessing": {func(_ *blocks.Spec, m *weights.Meta, _ *[]weights.Tensor) { m.Preprocessing = "" }, ErrModel, "preprocessing"},
		"another size": {func(_ *blocks.Spec, m *weights.Meta, _ *[]weights.Tensor) {
			m.Preprocessing = datasets.NewPreprocessing(3, 10, 10, testView.Normalizer).Encode()
		}, ErrModel, "it makes 3x10x10, and the network takes 3x9x9"},
		"a shorter side below the size": {func(_ *blocks.Spec, m *weights.Meta, _ *[]weights.Tensor) {
			m.Preprocessing = datasets.NewPreprocessing(3, 9, 8, testView.Normalizer).Encode()
		}, ErrModel, "a shorter side of 8"},
		"a missing tensor":    {func(_ *blocks.Spec, _ *weights.Meta, l *[]weights.Tensor) { *l = (*l)[1:] }, weights.ErrMismatch, "conv1.weight"},
		"another class count": {func(s *blocks.Spec, _ *weights.Meta, _ *[]weights.Tensor) { s.Classes = 9 }, weights.ErrMismatch, "fc.weight"},
		"a network of terabytes": {func(s *blocks.Spec, _ *weights.Meta, _ *[]weights.Tensor) {
			s.Depths, s.Widths = []int{3000, 3000, 3000}, []int{16384, 16384, 16384}
		}, weights.ErrMismatch, "parameters"},
	} {
		path, _ := saveModel(t, c.edit)
		_, err := LoadModel(path)
		if !errors.Is(err, c.want) || err != nil && (!strings.Contains(err.Error(), c.text) || !strings.Contains(err.Error(), path)) {
			t.Errorf("%s: error %v, want %v naming the file and %q", name, err, c.want, c.text)
		}
	}
}

func TestBareStateDictsAndMissingFilesAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bare.safetensors")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := weights.Write(f, []weights.Tensor{{Name: "w", Shape: []int{1}, Data: []float32{1}}}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadModel(path); !errors.Is(err, weights.ErrNoMeta) {
		t.Errorf("bare: %v, want ErrNoMeta", err)
	}
	if _, err := LoadModel(path + "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v, want ErrNotExist", err)
	}
}

func TestModelsFitImagesOfTheirSizeAlone(t *testing.T) {
	path, _ := saveModel(t, nil)
	m, err := LoadModel(path)
	if err != nil {
		t.Fatal(err)
	}
	info := datasets.Info{Name: "cifar10", Channels: 3, Height: 9, Width: 9}
	if err := m.Fits(info); err != nil {
		t.Errorf("its own images: %v", err)
	}
	folder := info
	if folder.Name, folder.Height, folder.Width = "folder", 28, 28; m.Fits(folder) != nil {
		t.Errorf("images that are resized: %v", m.Fits(folder))
	}
	averaged := *m
	averaged.Preprocessing.Size, averaged.Preprocessing.Downsample = 18, 2
	for side, fits := range map[int]bool{9: true, 18: true, 36: false} {
		other := info
		if other.Height, other.Width = side, side; (averaged.Fits(other) == nil) != fits {
			t.Errorf("images of %d pixels, of which blocks of 2x2 are averaged: %v", side, averaged.Fits(other))
		}
	}
	for says, change := range map[string]func(*datasets.Info){
		"3x10x9: it was trained on cifar10": func(i *datasets.Info) { i.Height = 10 },
		"1x9x9":                             func(i *datasets.Info) { i.Channels = 1 },
		"3x9x10":                            func(i *datasets.Info) { i.Width = 10 },
	} {
		other := info
		change(&other)
		if err := m.Fits(other); !errors.Is(err, ErrModel) || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want ErrModel with %q", err, says)
		}
	}
}

// TestAFileThatDoesNotSayHowImagesWereResizedIsCompleted: by the usual sizes of its data set, and
// of a folder by the configuration of its training.
func TestAFileThatDoesNotSayHowImagesWereResizedIsCompleted(t *testing.T) {
	old := datasets.Preprocessing{Normalizer: testView.Normalizer}.Encode()
	for _, c := range []struct {
		arch, dataset string
		config        *datasets.Config
		want          datasets.Preprocessing
		says          string
	}{
		{"tiny-a", "cifar10", nil, datasets.NewPreprocessing(3, 9, 9, testView.Normalizer), "a shorter side of 9 pixels, of which the central 9x9"},
		{"tiny-a", "", nil, datasets.NewPreprocessing(3, 9, 9, testView.Normalizer), "a shorter side of 9"},
		{"tiny-imagenet-stem", "imagenet", nil, datasets.NewPreprocessing(3, 21, 24, testView.Normalizer), "a shorter side of 24"},
		{"tiny-imagenet-stem", "", nil, datasets.NewPreprocessing(3, 21, 24, testView.Normalizer), "a shorter side of 24"},
		{"tiny-imagenet-stem", "folder", nil, datasets.NewPreprocessing(3, 21, 21, testView.Normalizer), "a shorter side of 21"},
		{"tiny-imagenet-stem", "folder", &datasets.Config{Name: "folder", Resize: 64}, datasets.NewPreprocessing(3, 21, 64, testView.Normalizer), "a shorter side of 64"},
		{"tiny-imagenet-stem", "folder", &datasets.Config{Name: "folder", Size: 32, Resize: 64}, datasets.NewPreprocessing(3, 21, 21, testView.Normalizer), "a shorter side of 21"},
		{"tiny-a", "folder", &datasets.Config{Name: "folder", Downsample: 2}, datasets.Preprocessing{Size: 18, Resize: 18, Interpolation: datasets.Bilinear, Downsample: 2, Channels: 3, Normalizer: testView.Normalizer}, "the central 18x18 are cut out and blocks of 2x2 averaged"},
	} {
		path, _ := saveModel(t, func(s *blocks.Spec, m *weights.Meta, l *[]weights.Tensor) {
			spec, err := blocks.Lookup(c.arch)
			if err != nil {
				t.Fatal(err)
			}
			params := graph.NewParamSet(1)
			if _, err := blocks.Build(spec, 1, graph.Eval, params); err != nil {
				t.Fatal(err)
			}
			if c.arch == "tiny-imagenet-stem" {
				spec.Family = blocks.FamilyImageNet
			}
			*s, *l, m.Dataset, m.Preprocessing, m.ShortcutPad = spec, weights.FromParams(params), c.dataset, old, ""
		})
		m, err := LoadModel(path)
		if err != nil {
			t.Fatal(err)
		}
		if c.config != nil {
			m.AssumeConfig(*c.config)
		}
		if d := cmp.Diff(c.want, m.Preprocessing); d != "" || !strings.Contains(m.Assumed, c.says) {
			t.Errorf("%s of %s: %q (-want +got):\n%s", c.arch, c.dataset, m.Assumed, d)
		}
	}
	path, _ := saveModel(t, nil)
	m, err := LoadModel(path)
	if err != nil {
		t.Fatal(err)
	}
	m.AssumeConfig(datasets.Config{Name: "folder", Resize: 64})
	if d := cmp.Diff(testView, m.Preprocessing); d != "" {
		t.Errorf("a file that says all was changed:\n%s", d)
	}
}

func TestOnlyThePapersNetworkGetsThePapersValue(t *testing.T) {
	spec, err := blocks.Lookup("resnet20")
	if err != nil {
		t.Fatal(err)
	}
	m := &Model{Spec: spec, Params: graph.NewParamSet(0)}
	if r := m.Row("c", "cifar10", protocolCIFAR, Metrics{N: 10_000}); r.Paper == nil || *r.Paper != 8.75 {
		t.Errorf("resnet20: paper %v, want 8.75", r.Paper)
	}
	for what, change := range map[string]func(*blocks.Spec){
		"an activation":       func(s *blocks.Spec) { s.Activation = blocks.ELU },
		"no normalisation":    func(s *blocks.Spec) { s.NoBatchNorm = true },
		"another first layer": func(s *blocks.Spec) { s.StemKernel = 5 },
		"a part less": func(s *blocks.Spec) {
			var err error
			if *s, err = s.Without(blocks.PartBranch, s.Blocks()[1]); err != nil {
				t.Fatal(err)
			}
		},
	} {
		other := *m
		change(&other.Spec)
		if r := other.Row("c", "cifar10", protocolCIFAR, Metrics{N: 10_000}); r.Paper != nil || (r.Without != "") != (what == "a part less") {
			t.Errorf("a net of that name with %s: paper %v, without %q", what, r.Paper, r.Without)
		}
	}
	m.Spec.InputSize = 28
	if r := m.Row("c", "cifar10", protocolCIFAR, Metrics{N: 10_000}); r.Paper != nil {
		t.Errorf("a net of that name for other images: paper %v", *r.Paper)
	}
	m.Spec.InputSize = 32
	m.Spec.Widths = []int{32, 64, 128}
	if r := m.Row("c", "cifar10", protocolCIFAR, Metrics{N: 10_000}); r.Paper != nil || r.Citation != "" {
		t.Errorf("a wider net of that name: paper %v", *r.Paper)
	}
}

func TestPaperValuesAgreeWithTheTableOfArchitectures(t *testing.T) {
	for _, table := range paperTables {
		for _, l := range table.Lines {
			if l.Arch == "" {
				continue
			}
			if _, err := blocks.Lookup(l.Arch); err != nil && l.Quoted == "" {
				t.Errorf("%s: %v", table.Name(), err)
			}
		}
	}
	for _, name := range blocks.Names() {
		s, err := blocks.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		p, n := protocolCIFAR, 10_000
		if s.Family == blocks.FamilyImageNet {
			p, n = protocol10Crop, 50_000
		}
		dataset := map[string]string{blocks.FamilyImageNet: "imagenet"}[s.Family]
		if dataset == "" {
			dataset = "cifar10"
		}
		v := Paper(name, dataset, p, n)
		if (v == nil) != (s.PaperError == nil) || v != nil && (v.Top1 != s.PaperError.Top1 || v.Mean != s.PaperError.Mean) {
			t.Errorf("%s: %v here, %v in the table of architectures", name, v, s.PaperError)
		}
	}
}

// FuzzModel: whatever a checkpoint says of its architecture and its input, a network of the
// file's size comes out of it, or an error with a class; nothing is allocated for a network that
// the file cannot hold.
func FuzzModel(f *testing.F) {
	spec, err := blocks.Lookup("tiny-a")
	if err != nil {
		f.Fatal(err)
	}
	params := graph.NewParamSet(7)
	if _, err := blocks.Build(spec, 1, graph.Eval, params); err != nil {
		f.Fatal(err)
	}
	arch, err := json.Marshal(spec)
	if err != nil {
		f.Fatal(err)
	}
	tensors := weights.FromParams(params)
	const plain = `{"kind":"none"}`
	f.Add(string(arch), plain, "sides", `["a"]`)
	f.Add(string(arch), `{"kind":"pixel-mean","mean":"AAAA"}`, "end", "null")
	for _, change := range [][2]string{{`"depths":[`, `"depths":[9999,`}, {`"widths":[`, `"widths":[1000000000,`}, {`"classes":10`, `"classes":-1`}, {`"input_size":`, `"input_size":100000`}, {`"block":"basic"`, `"block":"bottleneck"`}} {
		f.Add(strings.Replace(string(arch), change[0], change[1], 1), plain, "sides", "null")
	}
	f.Add(`{"family":"speech","speech":{}}`, plain, "", "null")
	f.Add("[]", "", "", "")
	f.Fuzz(func(t *testing.T, arch, preprocessing, pad, classes string) {
		var b bytes.Buffer
		err := weights.Write(&b, tensors, map[string]string{
			"resnet.format": "1", "resnet.arch": arch, "resnet.preprocessing": preprocessing, "resnet.shortcut_pad": pad,
			"resnet.classes": classes, "resnet.step": "1",
		})
		if err != nil {
			return // text that is no UTF-8
		}
		file, err := weights.New(bytes.NewReader(b.Bytes()), int64(b.Len()), "fuzz")
		if err != nil {
			t.Fatal(err)
		}
		m, err := ReadModel(file)
		if err != nil {
			if !errors.Is(err, ErrModel) && !errors.Is(err, weights.ErrMismatch) && !errors.Is(err, weights.ErrFormat) {
				t.Fatalf("error %v has no class", err)
			}
			return
		}
		values := 0
		for _, p := range m.Params.All() {
			values += len(p.Data)
		}
		if values > b.Len()/4 {
			t.Fatalf("%d values from %d bytes", values, b.Len())
		}
	})
}
