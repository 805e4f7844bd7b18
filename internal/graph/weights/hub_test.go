package weights

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestDescriptionsOfTheHubAreRead(t *testing.T) {
	for name, c := range map[string]struct {
		config, preprocessor string
		want                 HubConfig
	}{
		"transformers": {
			`{"model_type": "resnet", "downsample_in_bottleneck": false, "hidden_act": "relu", "id2label": {"1": "dog", "0": "cat"}}`,
			`{"image_processor_type": "ConvNextImageProcessor", "crop_pct": 0.875, "size": {"shortest_edge": 224}, "resample": 3, "do_normalize": true,
			  "image_mean": [0.5, 0.25, 0.125], "image_std": [1, 2, 4]}`,
			HubConfig{
				Architecture: "transformers' resnet", StrideIn3x3: true, Labels: []string{"cat", "dog"},
				Mean: []float32{0.5, 0.25, 0.125}, Std: []float32{1, 2, 4}, Size: 224, Resize: 256, Interpolation: "bicubic",
			},
		},
		"as the paper, with classes that have no names": {
			`{"model_type": "resnet", "downsample_in_bottleneck": true, "id2label": {"0": "LABEL_0", "1": "LABEL_1"}}`,
			`{"feature_extractor_type": "ConvNextFeatureExtractor", "size": 384, "resample": 2}`,
			HubConfig{Architecture: "transformers' resnet", StrideInFirst: true, Size: 384, Resize: 384, Warped: true, Interpolation: "bilinear"},
		},
		"a crop": {
			`{"model_type": "resnet"}`,
			`{"image_processor_type": "ViTImageProcessor", "size": {"height": 232, "width": 232}, "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "do_normalize": false, "image_mean": [1, 1, 1]}`,
			HubConfig{Architecture: "transformers' resnet", StrideIn3x3: true, Size: 224, Resize: 232},
		},
		"timm": {
			`{"architecture": "resnet50", "num_classes": 1000, "pretrained_cfg": {"mean": [0.5, 0.5, 0.5], "std": [1, 1, 1], "input_size": [3, 224, 224], "crop_pct": 0.95, "interpolation": "bicubic"}}`, "",
			HubConfig{Architecture: "resnet50", StrideIn3x3: true, Mean: []float32{0.5, 0.5, 0.5}, Std: []float32{1, 1, 1}, Size: 224, Resize: 235, Interpolation: "bicubic"},
		},
		"timm's first form": {
			`{"architecture": "resnetblur18", "mean": [0, 0, 0], "std": [1, 1, 1], "input_size": [3, 64, 64], "crop_pct": 1.0, "label_names": ["a", "b"]}`, "",
			HubConfig{
				Architecture: "resnetblur18", StrideIn3x3: true, Mean: []float32{0, 0, 0}, Std: []float32{1, 1, 1}, Size: 64, Resize: 64, Labels: []string{"a", "b"},
				Unlike: "blurred pooling (resnetblur18 of timm)",
			},
		},
		"what no network here does": {
			`{"model_type": "resnet", "hidden_act": "gelu", "id2label": {"0": "a", "7": "b"}}`, "",
			HubConfig{Architecture: "transformers' resnet", StrideIn3x3: true, Unlike: `the activation "gelu"`},
		},
		"sizes without sense": {
			`{"architecture": "resnet18", "pretrained_cfg": {"input_size": [3, 99999999, 99999999], "crop_pct": 1e-9}}`, `{"size": {"shortest_edge": -5}}`,
			HubConfig{Architecture: "resnet18", StrideIn3x3: true},
		},
	} {
		got, ok, err := ReadHubConfig([]byte(c.config))
		if err == nil && c.preprocessor != "" {
			err = got.ReadPreprocessor([]byte(c.preprocessor))
		}
		if err != nil || !ok || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v, %v; want %+v", name, got, ok, err, c.want)
		}
	}
	for _, text := range []string{`{"model_type": "bert"}`, `{}`} {
		if _, ok, err := ReadHubConfig([]byte(text)); ok || err != nil {
			t.Errorf("%s: %v, %v", text, ok, err)
		}
	}
	if _, _, err := ReadHubConfig([]byte(`{"model_type": 3}`)); !errors.Is(err, ErrFormat) {
		t.Error(err)
	}
	if err := new(HubConfig).ReadPreprocessor([]byte(`[`)); !errors.Is(err, ErrFormat) {
		t.Error(err)
	}
}

// The names are those of transformers' ResNetForImageClassification, modeling_resnet.py.
func TestTheHubsNamesBecomeTorchvisions(t *testing.T) {
	for theirs, ours := range map[string]string{
		"resnet.embedder.embedder.convolution.weight":                   "resnet.conv1.weight",
		"embedder.embedder.normalization.running_var":                   "bn1.running_var",
		"resnet.encoder.stages.0.layers.0.layer.0.convolution.weight":   "resnet.layer1.0.conv1.weight",
		"resnet.encoder.stages.3.layers.12.layer.2.normalization.bias":  "resnet.layer4.12.bn3.bias",
		"encoder.stages.1.layers.0.shortcut.convolution.weight":         "layer2.0.downsample.0.weight",
		"encoder.stages.1.layers.0.shortcut.normalization.running_mean": "layer2.0.downsample.1.running_mean",
		"classifier.1.weight": "classifier.1.weight",
		"module._orig_mod.layer1._checkpoint_wrapped_module.0.conv1.weight":    "layer1.0.conv1.weight",
		"_fsdp_wrapped_module.layer1.0._fsdp_wrapped_module.shortcut.0.weight": "layer1.0.downsample.0.weight",
	} {
		if got := TorchvisionName(theirs); got != ours {
			t.Errorf("%s becomes %s, want %s", theirs, got, ours)
		}
	}
}

// writeFiles makes a folder of files.
func writeFiles(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// stored is a file of safetensors of one value each.
func stored(t *testing.T, values map[string]float32) []byte {
	t.Helper()
	var list []Tensor
	for name, v := range values {
		list = append(list, Tensor{Name: name, Shape: []int{1}, Data: []float32{v}})
	}
	var b bytes.Buffer
	if err := Write(&b, list, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestShardsAreOneSetAndTheirIndexIsHeldToThem(t *testing.T) {
	index := func(weightMap map[string]string) []byte {
		b, _ := json.Marshal(map[string]any{"metadata": map[string]int{"total_size": 12}, "weight_map": weightMap})
		return b
	}
	files := map[string][]byte{
		"m-1.safetensors": stored(t, map[string]float32{"a": 1, "b": 2}), "m-2.safetensors": stored(t, map[string]float32{"c": 3}),
	}
	good := map[string]string{"a": "m-1.safetensors", "b": "m-1.safetensors", "c": "m-2.safetensors"}
	changed := func(name, file string) map[string]string {
		m := map[string]string{name: file}
		for k, v := range good {
			if k != name {
				m[k] = v
			}
		}
		return m
	}
	open := func(weightMap map[string]string) (*ForeignFile, error) {
		files["m.safetensors.index.json"] = index(weightMap)
		return OpenForeign(filepath.Join(writeFiles(t, files), "m.safetensors.index.json"))
	}
	f, err := open(good)
	if err != nil {
		t.Fatal(err)
	}
	list, err := f.Sets[0].Load(func(name string) bool { return name != "b" })
	slices.SortFunc(list, func(x, y Tensor) int { return strings.Compare(x.Name, y.Name) })
	if err != nil || len(f.Sets) != 1 || len(f.Sets[0].Tensors) != 3 || len(list) != 2 || list[0].Data[0] != 1 || list[1].Name != "c" || list[1].Data[0] != 3 {
		t.Errorf("%d sets, %+v, %v", len(f.Sets), list, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	for want, weightMap := range map[string]map[string]string{
		`m-1.safetensors holds tensor "b", and the index puts it into "m-2.safe`: changed("b", "m-2.safetensors"),
		`has no tensor "d", which the index puts into it`:                        changed("d", "m-1.safetensors"),
		`m-1.safetensors has no tensor "c"`:                                      changed("c", "m-1.safetensors"),
		"no such file":                                                           changed("e", "m-3.safetensors"),
		"which is no file beside it":                                             changed("e", "../m-1.safetensors"),
		`into "m.safetensors.index.json", which is no file`:                      changed("e", "m.safetensors.index.json"),
	} {
		if f, err := open(weightMap); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, %v; want %q", f, err, want)
		}
	}
}

func FuzzHub(f *testing.F) {
	f.Add([]byte(`{"model_type": "resnet", "id2label": {"0": "a"}, "size": {"shortest_edge": 224}, "crop_pct": 0.9}`))
	f.Add([]byte(`{"architecture": "resnet50", "pretrained_cfg": {"mean": [1], "input_size": [3, 224, 224], "crop_pct": 0.95}}`))
	f.Add([]byte(`{"weight_map": {"a": "b.safetensors"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, _, err := ReadHubConfig(b)
		if err == nil {
			err = c.ReadPreprocessor(b)
		}
		if err == nil && (c.Size < 0 || c.Size > maxHubSide || c.Resize < c.Size && c.Size > 0) {
			t.Errorf("size %d of %d", c.Size, c.Resize)
		}
		files, _, err := shardIndex(bytes.NewReader(b), int64(len(b)))
		for _, name := range files {
			if err == nil && filepath.Base(name) != name {
				t.Errorf("a shard %q", name)
			}
		}
	})
}
