package weights

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMetadataComesBackExactly(t *testing.T) {
	pixels := make([]float32, 3072)
	for i := range pixels {
		pixels[i] = float32(i) / 3072 / 3
	}
	for name, m := range map[string]Meta{
		"per pixel": {
			Arch: `{"name":"resnet20"}`, Preprocessing: Preprocessing{"pixel-mean", pixels, nil},
			Classes: []string{"air plane", "ü\"\\"}, ShortcutPad: "sides", Step: 64000, Dataset: "cifar10",
		},
		"per channel": {Arch: "x", Preprocessing: Preprocessing{"channel-mean-std", []float32{0.485, 0.456, 0.406}, []float32{0.229, 0.224, 0.225}}},
		"nothing":     {Preprocessing: Preprocessing{Kind: "none"}, Classes: []string{}},
	} {
		strs := m.Encode()
		got, err := DecodeMeta("f", strs)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(m, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if size := len(strs[keyPreprocessing]); size > 17_000 {
			t.Errorf("%s: preprocessing takes %d bytes", name, size)
		}
	}
}

func TestDamagedMetadataIsRefused(t *testing.T) {
	for key, value := range map[string]string{
		keyFormat: "one", keyPreprocessing: `{"mean":"!"}`, keyClasses: `{}`, keyStep: "",
	} {
		m := Meta{Classes: []string{"a"}}.Encode()
		m[key] = value
		if _, err := DecodeMeta("model.safetensors", m); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: error %v, want ErrFormat that names it", key, err)
		}
	}
	m := Meta{}.Encode()
	m[keyPreprocessing] = `{"mean":"AAAA"}` // three bytes
	if _, err := DecodeMeta("f", m); !errors.Is(err, ErrFormat) {
		t.Errorf("three bytes of a float32: error %v", err)
	}
	m[keyFormat] = "0"
	if _, err := DecodeMeta("f", m); !errors.Is(err, ErrFormat) {
		t.Errorf("format 0: error %v", err)
	}
}

func TestForeignAndNewerMetadataAreToldApart(t *testing.T) {
	if _, err := DecodeMeta("f", map[string]string{"format": "pt"}); !errors.Is(err, ErrNoMeta) {
		t.Errorf("a bare state dict: %v", err)
	}
	m := Meta{}.Encode()
	m[keyFormat] = "2"
	if _, err := DecodeMeta("f", m); !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "newer resnet") {
		t.Errorf("a later format: %v", err)
	}
}
