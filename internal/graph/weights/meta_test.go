package weights

import (
	"errors"
	"slices"
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

// FuzzMeta: whatever the strings, metadata that are accepted are written and read again without a
// change.
func FuzzMeta(f *testing.F) {
	m := Meta{Arch: "{}", Preprocessing: Preprocessing{Kind: "channel-mean-std", Mean: []float32{1}, Std: []float32{2}}, Classes: []string{"a"}, ShortcutPad: "end", Step: 3, ClassCounts: []int64{5}}
	s := m.Encode()
	f.Add(s[keyFormat], s[keyPreprocessing], s[keyClasses], s[keyClassCounts], s[keyStep])
	f.Add("2", "", "", "", "")
	f.Add("1", `{"kind":"x","mean":"AAA="}`, "null", "[1e99]", "-1")
	f.Fuzz(func(t *testing.T, format, preprocessing, classes, counts, step string) {
		m, err := DecodeMeta("x", map[string]string{keyFormat: format, keyPreprocessing: preprocessing, keyClasses: classes, keyClassCounts: counts, keyStep: step})
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrVersion) {
				t.Fatalf("error %v, want ErrFormat or ErrVersion", err)
			}
			return
		}
		again, err := DecodeMeta("x", m.Encode())
		if err != nil || len(again.Preprocessing.Mean) != len(m.Preprocessing.Mean) || !slices.Equal(again.Classes, m.Classes) || !slices.Equal(again.ClassCounts, m.ClassCounts) || again.Step != m.Step {
			t.Fatalf("%+v is read again as %+v, %v", m, again, err)
		}
	})
}
