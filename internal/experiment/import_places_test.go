package experiment

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"resnet/internal/blocks"
	"resnet/internal/config"
	"resnet/internal/eval"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
)

const torchFixtures = "../../testdata/torch/"

// initialised are tensors of a network of so many classes, as it is initialised by the seed.
func initialised(t *testing.T, arch string, classes int, seed uint64) map[string]weights.Tensor {
	t.Helper()
	spec, err := blocks.Lookup(arch)
	if err != nil {
		t.Fatal(err)
	}
	spec.Classes = classes
	params := graph.NewParamSet(seed)
	if _, err := blocks.Build(spec, 1, graph.Eval, params); err != nil {
		t.Fatal(err)
	}
	list := map[string]weights.Tensor{}
	for _, x := range weights.FromParams(params) {
		list[x.Name] = x
	}
	return list
}

// under are tensors with other names; those that rename makes "" are left out.
func under(list map[string]weights.Tensor, rename func(string) string) map[string]weights.Tensor {
	out := map[string]weights.Tensor{}
	for name, x := range list {
		if x.Name = rename(name); x.Name != "" {
			out[x.Name] = x
		}
	}
	return out
}

func prefixed(prefix string) func(string) string {
	return func(name string) string { return prefix + name }
}

// byNumber gives the names of a Sequential of a network's children to its layers, within another
// Sequential where the classifier, whose names begin with head, is not called fc.
func byNumber(head string) func(string) string {
	return func(name string) string {
		for i, part := range []string{"conv1.", "bn1.", "relu.", "layer1.", "layer2.", "layer3."} {
			if rest, ok := strings.CutPrefix(name, part); ok {
				name = strconv.Itoa(i) + "." + rest
				if head != "fc." {
					name = "0." + name
				}
				return name
			}
		}
		return head + strings.TrimPrefix(name, "fc.")
	}
}

func headless(name string) string {
	if strings.HasPrefix(name, "fc.") {
		return ""
	}
	return name
}

// stored writes tensors, sorted by name, and gives the path.
func stored(t *testing.T, path string, sets ...map[string]weights.Tensor) string {
	t.Helper()
	all := map[string]weights.Tensor{}
	for _, s := range sets {
		maps.Copy(all, s)
	}
	var list []weights.Tensor
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, all[name])
	}
	var b bytes.Buffer
	if err := weights.Write(&b, list, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// wantTensors requires that a checkpoint's network has these tensors, to the bit, besides those of
// a classifier that it has not.
func wantTensors(t *testing.T, what, checkpoint string, want map[string]weights.Tensor) *eval.Model {
	t.Helper()
	m, err := eval.LoadModel(checkpoint)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return nil
	}
	if len(m.Trained()) != len(want) {
		t.Errorf("%s: %d tensors, want %d", what, len(m.Trained()), len(want))
	}
	for _, p := range m.Trained() {
		if w := want[p.Name]; !slices.Equal(p.Shape, w.Shape) || !slices.Equal(p.Data, w.Data) {
			t.Errorf("%s: %s differs", what, p.Name)
		}
	}
	return m
}

func TestTheNetworkIsFoundWhereverItIsInTheFile(t *testing.T) {
	dir := t.TempDir()
	net, other := initialised(t, "resnet20b", 7, 1), initialised(t, "resnet20b", 7, 2)
	bare := under(net, headless)
	vector := func(name string, n int) map[string]weights.Tensor {
		return map[string]weights.Tensor{name: {Name: name, Shape: []int{n}, Data: make([]float32, n)}}
	}
	out := filepath.Join(dir, "out.safetensors")
	for name, c := range map[string]struct {
		sets     []map[string]weights.Tensor
		o        ImportOptions
		want     map[string]weights.Tensor
		prefix   string
		same     []string
		left     []string
		backbone bool
	}{
		"a deep prefix":   {sets: []map[string]weights.Tensor{under(net, prefixed("module.student.net.0."))}, want: net, prefix: "module.student.net.0."},
		"beside a module": {sets: []map[string]weights.Tensor{under(net, prefixed("encoder.")), vector("decoder.queue", 3)}, want: net, prefix: "encoder.", left: []string{"decoder.queue"}},
		"a normaliser":    {sets: []map[string]weights.Tensor{under(net, prefixed("1.")), vector("0.mean", 3)}, want: net, prefix: "1.", left: []string{"0.mean"}},
		"counted":         {sets: []map[string]weights.Tensor{net, vector("total_ops", 1), vector("layer1.0.conv1.total_params", 1)}, want: net, left: []string{"layer1.0.conv1.total_params", "total_ops"}},
		"a Sequential": {
			sets: []map[string]weights.Tensor{under(net, func(n string) string { return strings.Replace(n, "fc.", "fc.1.", 1) })}, want: net,
		},
		"layers by number": {sets: []map[string]weights.Tensor{under(net, byNumber("fc."))}, want: net},
		"layers by number, and the next layer": {
			sets: []map[string]weights.Tensor{under(net, byNumber("2."))}, want: net, prefix: "0.",
		},
		"layers by number, and a head of two": {
			sets: []map[string]weights.Tensor{under(bare, byNumber("")), vector("1.1.bias", 3), vector("1.3.bias", 3)}, want: bare, prefix: "0.", backbone: true, left: []string{"1.1.bias", "1.3.bias"},
		},
		"without a classifier":       {sets: []map[string]weights.Tensor{bare}, want: bare, backbone: true},
		"twice the same":             {sets: []map[string]weights.Tensor{under(net, prefixed("a.")), under(net, prefixed("b."))}, want: net, prefix: "a.", same: []string{"b."}},
		"with a classifier and less": {sets: []map[string]weights.Tensor{under(under(other, headless), prefixed("a.")), under(net, prefixed("b."))}, want: net, prefix: "b.", left: []string{}},
		"chosen":                     {sets: []map[string]weights.Tensor{under(other, prefixed("a.")), under(net, prefixed("b."))}, o: ImportOptions{Prefix: "b"}, want: net, prefix: "b.", left: []string{}},
		"the beginning chosen":       {sets: []map[string]weights.Tensor{net, under(other, prefixed("momentum."))}, o: ImportOptions{Prefix: "."}, want: net, left: []string{}},
	} {
		c.o.Out = out
		r, err := Import(stored(t, filepath.Join(dir, "in.safetensors"), c.sets...), c.o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		classes := 7
		if c.backbone {
			classes = 0
		}
		if r.Model != "resnet20b" || r.Classes != classes || r.Backbone != c.backbone || r.Prefix != c.prefix || !slices.Equal(r.SamePrefixes, c.same) {
			t.Errorf("%s: %+v", name, r)
		}
		if slices.Sort(r.LeftOut); (c.left == nil || len(c.left) > 0) && !slices.Equal(r.LeftOut, c.left) {
			t.Errorf("%s: left out %q, want %q", name, r.LeftOut, c.left)
		}
		wantTensors(t, name, out, c.want)
	}
	unbiased := maps.Clone(net)
	delete(unbiased, "fc.bias")
	zeros := maps.Clone(net)
	zeros["fc.bias"] = weights.Tensor{Name: "fc.bias", Shape: []int{7}, Data: make([]float32, 7)}
	if r, err := Import(stored(t, filepath.Join(dir, "in.safetensors"), unbiased), ImportOptions{Out: out}); err != nil || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "no biases") {
		t.Errorf("a classifier without biases: %+v, %v", r, err)
	}
	wantTensors(t, "a classifier without biases", out, zeros)
	two := stored(t, filepath.Join(dir, "in.safetensors"), under(net, prefixed("q.")), under(other, prefixed("k.")))
	var usage *config.UsageError
	if _, err := Import(two, ImportOptions{Out: out}); !errors.As(err, &usage) || !strings.Contains(err.Error(), "--prefix k. ") || !strings.Contains(err.Error(), "--prefix q. ") {
		t.Errorf("two networks: %v", err)
	}
	for prefix, want := range map[string]string{"x": "no tensor's name begins with", "k.layer1": "no architecture has"} {
		if _, err := Import(two, ImportOptions{Out: out, Prefix: prefix}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("prefix %s: %v", prefix, err)
		}
	}
	attention := under(net, headless)
	attention["layer1.0.se.fc1.weight"] = weights.Tensor{Name: "layer1.0.se.fc1.weight", Shape: []int{1, 16, 1, 1}, Data: make([]float32, 16)}
	if _, err := Import(stored(t, filepath.Join(dir, "in.safetensors"), attention), ImportOptions{Out: out}); !errors.Is(err, weights.ErrMismatch) || !strings.Contains(err.Error(), "squeeze-and-excitation in 1 of 9 blocks") {
		t.Errorf("attention: %v", err)
	}
	// Of a network that nobody named a few differences are listed, of one that was named all.
	masked := under(net, func(name string) string { return strings.Replace(name, "conv1.weight", "conv1.weight_mask", 1) })
	path := stored(t, filepath.Join(dir, "in.safetensors"), masked)
	for arch, want := range map[string][]string{
		"":          {"pruned weights beside their masks", "the nearest is resnet20b", "10 missing from the file:", "    and 4 more (--arch NAME lists all)"},
		"resnet20b": {"    layer3.2.conv1.weight"},
	} {
		_, err := Import(path, ImportOptions{Out: out, Arch: arch})
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("pruned, as %q: %v; want %q", arch, err, w)
			}
		}
	}
	transformer := stored(t, filepath.Join(dir, "in.safetensors"), vector("cls_token", 8), vector("blocks.0.norm1.weight", 8))
	if _, err := Import(transformer, ImportOptions{Out: out}); err == nil || !strings.Contains(err.Error(), "it is a vision transformer") {
		t.Errorf("%v", err)
	}
}

// Files of torch.save by testdata/torch/wrapped.py: the values are those of tiny.safetensors, times
// 1.5 in the average and 2 in the second encoder.
func TestSetsOfWeightsAreChosenByTheirKeys(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.safetensors")
	f, err := weights.ReadForeign(torchFixtures + "tiny.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	times := func(factor float32, head bool) map[string]weights.Tensor {
		list := map[string]weights.Tensor{}
		for _, x := range f.Tensors {
			x.Data = slices.Clone(x.Data)
			for i := range x.Data {
				x.Data[i] *= factor
			}
			if head || headless(x.Name) != "" {
				list[x.Name] = x
			}
		}
		return list
	}
	for _, c := range []struct {
		file   string
		o      ImportOptions
		factor float32
		head   bool
		key    string
		others []string
	}{
		{"averages.pth", ImportOptions{}, 1, true, "model", []string{"model_ema"}},
		{"averages.pth", ImportOptions{WeightsKey: "model_ema"}, 1.5, true, "model_ema", nil},
		{"beside.pth", ImportOptions{}, 1, true, "model", nil},
		{"beside-legacy.pth", ImportOptions{}, 1, true, "model", nil},
		{"module.pth", ImportOptions{}, 1, true, "model", nil},
		{"script.pt", ImportOptions{}, 1, true, "", nil},
		{"siamese.pth.tar", ImportOptions{Prefix: "module.encoder_q."}, 1, false, "state_dict", nil},
		{"siamese.pth.tar", ImportOptions{Prefix: "encoder_k"}, 2, false, "state_dict", nil},
	} {
		c.o.Arch, c.o.Out = "tiny-a", out
		r, err := Import(torchFixtures+c.file, c.o)
		if err != nil || r.WeightsKey != c.key || !slices.Equal(r.OtherKeys, c.others) || r.Backbone == c.head {
			t.Errorf("%s: %+v, %v", c.file, r, err)
			continue
		}
		wantTensors(t, c.file, out, times(c.factor, c.head))
	}
	for _, c := range []struct {
		file string
		o    ImportOptions
		want string
	}{
		{"averages.pth", ImportOptions{WeightsKey: "ema"}, `no set of weights "ema"; it has model, model_ema`},
		{"siamese.pth.tar", ImportOptions{}, "--prefix module.encoder_q."},
		{"object-for-tensor.pth", ImportOptions{}, `layer1.0.conv1.weight: it holds "argparse.Namespace"`},
	} {
		c.o.Arch, c.o.Out = "tiny-a", out
		if _, err := Import(torchFixtures+c.file, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.file, err, c.want)
		}
	}
}

// A set that lacks its classifier is a backbone, but not where an object stands in its place. What
// a script has put beside the tensors is left out.
func TestAnObjectInThePlaceOfTheClassifierIsNoBackbone(t *testing.T) {
	bare := under(initialised(t, "resnet20b", 7, 1), headless)
	set := weights.Set{Opaque: map[string]string{"args": "argparse.Namespace", "fc.weight": "a.B"}}
	for _, name := range slices.Sorted(maps.Keys(bare)) {
		set.Tensors = append(set.Tensors, weights.Tensor{Name: name, Shape: bare[name].Shape})
	}
	n, err := nameSet("x.pth", set)
	if err != nil {
		t.Fatal(err)
	}
	found := blocks.Within(n.shapes, "", nil)
	if len(found) != 1 || found[0].Head != "" || !slices.Equal(found[0].Left, []string{"args", "fc.weight"}) {
		t.Fatalf("%+v", found)
	}
	var class *weights.ClassError
	if _, err := (place{n, "", found}).read("x.pth", nil); !errors.As(err, &class) || class.Class != "a.B" {
		t.Errorf("%v", err)
	}
}

// hubName is a tensor's name in transformers' ResNets.
func hubName(name string) string {
	part := map[string]string{"conv": "convolution", "bn": "normalization"}
	number := func(s string) string { n, _ := strconv.Atoi(s); return strconv.Itoa(n - 1) }
	if m := regexp.MustCompile(`^(conv|bn)1\.(.*)$`).FindStringSubmatch(name); m != nil {
		return "resnet.embedder.embedder." + part[m[1]] + "." + m[2]
	}
	if m := regexp.MustCompile(`^layer(\d)\.(\d+)\.(conv|bn)(\d)\.(.*)$`).FindStringSubmatch(name); m != nil {
		return "resnet.encoder.stages." + number(m[1]) + ".layers." + m[2] + ".layer." + number(m[4]) + "." + part[m[3]] + "." + m[5]
	}
	if m := regexp.MustCompile(`^layer(\d)\.(\d+)\.downsample\.(\d)\.(.*)$`).FindStringSubmatch(name); m != nil {
		return "resnet.encoder.stages." + number(m[1]) + ".layers." + m[2] + ".shortcut." + map[string]string{"0": "convolution", "1": "normalization"}[m[3]] + "." + m[4]
	}
	return strings.Replace(name, "fc.", "classifier.1.", 1)
}

func TestAFolderOfTheHubIsTakenAsItIs(t *testing.T) {
	net := initialised(t, "resnet20b", 3, 1)
	theirs := under(net, hubName)
	out := filepath.Join(t.TempDir(), "out.safetensors")
	const description = `{"model_type": "resnet", "id2label": {"0": "cat", "1": "dog", "2": "owl"}, "downsample_in_bottleneck": false}`
	const preprocessor = `{"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 32}, "crop_pct": 0.8, "resample": 2,
		"image_mean": [0.5, 0.25, 0.125], "image_std": [1, 2, 4]}`
	folder := func(files map[string]string) string {
		dir := t.TempDir()
		for name, text := range files {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	whole := folder(map[string]string{"config.json": description, "preprocessor_config.json": preprocessor})
	stored(t, filepath.Join(whole, "model.safetensors"), theirs)
	sharded := folder(map[string]string{"snapshots/0123abcd/config.json": description, "snapshots/0123abcd/preprocessor_config.json": preprocessor})
	index := map[string]string{}
	isFirst := func(name string) bool { return strings.Contains(name, "stages.0") }
	for name := range theirs {
		index[name] = map[bool]string{true: "model-00001-of-00002.safetensors", false: "model-00002-of-00002.safetensors"}[isFirst(name)]
	}
	snapshot := filepath.Join(sharded, "snapshots", "0123abcd")
	for first, file := range map[bool]string{true: "model-00001-of-00002.safetensors", false: "model-00002-of-00002.safetensors"} {
		stored(t, filepath.Join(snapshot, file), under(theirs, func(name string) string { return map[bool]string{true: name}[isFirst(name) == first] }))
	}
	text, err := json.Marshal(map[string]any{"weight_map": index})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(snapshot, "model.safetensors.index.json"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	var files [][]byte
	for _, path := range []string{whole, filepath.Join(whole, "model.safetensors"), filepath.Join(whole, "config.json"), sharded, filepath.Join(snapshot, "model.safetensors.index.json")} {
		r, err := Import(path, ImportOptions{Out: out})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		m := wantTensors(t, path, out, net)
		if m == nil || !slices.Equal(m.Classes, []string{"cat", "dog", "owl"}) || r.Classes != 3 {
			t.Errorf("%s: %+v", path, r)
			continue
		}
		v := m.Preprocessing
		if !slices.Equal(v.Mean, []float32{0.5, 0.25, 0.125}) || !slices.Equal(v.Std, []float32{1, 2, 4}) || v.Size != 32 || v.Resize != 40 || v.Interpolation != "bilinear" {
			t.Errorf("%s: %+v", path, v)
		}
		b, err := os.ReadFile(out)
		if files = append(files, b); err != nil || !bytes.Equal(b, files[0]) {
			t.Errorf("%s: another checkpoint (%v)", path, err)
		}
	}
	// Flags go before what the files say.
	if _, err := Import(whole, ImportOptions{Out: out, Mean: "0,0,0", Std: "1,1,1"}); err != nil {
		t.Error(err)
	} else if m := wantTensors(t, "with flags", out, net); m.Preprocessing.Mean[0] != 0 {
		t.Errorf("%+v", m.Preprocessing)
	}
	for want, files := range map[string]map[string]string{
		"a folder without weights":              {"config.json": "{}"},
		"a SavedModel of TensorFlow":            {"saved_model.pb": ""},
		"name the file net.pth in it":           {"net.pth": ""},
		"one of its files: a.pt, b.pt":          {"a.pt": "", "b.pt": ""},
		"weights of TensorFlow or Flax":         {"config.json": "{}", "tf_model.h5": ""},
		"its checkpoints are used as they are":  {"checkpoints/x": ""},
		"name step9/mp_rank_00_model_states.pt": {"latest": "step9\n", "step9/mp_rank_00_model_states.pt": ""},
		"format_utils dcp_to_torch":             {".metadata": "", "__0_0.distcp": ""},
		"a checkpoint of Flax (Orbax)":          {"_METADATA": "{}"},
	} {
		if _, err := Import(folder(files), ImportOptions{Out: out}); !errors.Is(err, weights.ErrNotWeights) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
	blur := folder(map[string]string{"config.json": `{"architecture": "resnetblur20"}`})
	stored(t, filepath.Join(blur, "model.safetensors"), net)
	if _, err := Import(blur, ImportOptions{Out: out}); !errors.Is(err, weights.ErrMismatch) || !strings.Contains(err.Error(), "blurred pooling") {
		t.Errorf("%v", err)
	}
}

// Of networks that differ in what has no tensors, the description says which it is.
func TestADescriptionTellsTheStridesOfABottleneck(t *testing.T) {
	var fits []blocks.Spec
	for _, name := range []string{"resnet50", "resnet50-caffe", "resnet50v1.5"} {
		s, err := blocks.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		fits = append(fits, s)
	}
	for text, want := range map[string]string{
		`{"model_type": "resnet", "downsample_in_bottleneck": true}`: "resnet50", `{"model_type": "resnet"}`: "resnet50v1.5", `{"architecture": "resnet50"}`: "resnet50v1.5",
	} {
		hub, _, err := weights.ReadHubConfig([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if s, err := (ImportOptions{}).choose(source{hub: &hub}, fits, weights.Foreign{}); err != nil || s.Name != want {
			t.Errorf("%s: %s, %v; want %s", text, s.Name, err, want)
		}
	}
	var usage *config.UsageError
	if _, err := (ImportOptions{}).choose(source{}, fits, weights.Foreign{}); !errors.As(err, &usage) {
		t.Errorf("without a description: %v", err)
	}
}
