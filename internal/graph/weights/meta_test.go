package weights

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMetadataComesBackExactly(t *testing.T) {
	for name, m := range map[string]Meta{
		"images": {
			Arch: `{"name":"resnet20"}`, Preprocessing: `{"kind":"none"}`,
			Classes: []string{"air plane", "ü\"\\"}, ShortcutPad: "sides", Step: 64000, Dataset: "cifar10",
		},
		"speech":   {Arch: "x", Frontend: `{"mel":40}`, ClassCounts: []int64{3, 0, 5}, Step: 1},
		"backbone": {Arch: "x", Headless: true},
		"nothing":  {Classes: []string{}},
		"bfloat16": {Arch: "x", Precision: "bfloat16"},
	} {
		strs := m.Encode()
		got, err := DecodeMeta("f", strs)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(m, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAnotherRecordChangesNothingElse(t *testing.T) {
	m := Meta{Arch: "x", Preprocessing: "old", Step: 3}
	file := m.Encode()
	got, err := DecodeMeta("f", WithPreprocessing(file, "new"))
	m.Preprocessing = "new"
	if d := cmp.Diff(m, got); err != nil || d != "" || file[keyPreprocessing] != "old" {
		t.Errorf("%v, %s", err, d)
	}
}

func TestDamagedMetadataIsRefused(t *testing.T) {
	for key, value := range map[string]string{
		keyFormat: "one", keyClassCounts: "[1e99]", keyClasses: `{}`, keyStep: "", keyClassifier: "some",
	} {
		m := Meta{Classes: []string{"a"}}.Encode()
		m[key] = value
		if _, err := DecodeMeta("model.safetensors", m); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: error %v, want ErrFormat that names it", key, err)
		}
	}
	m := Meta{}.Encode()
	m[keyFormat] = "0"
	if _, err := DecodeMeta("f", m); !errors.Is(err, ErrFormat) {
		t.Errorf("format 0: error %v", err)
	}
}

func TestForeignAndNewerMetadataAreDistinguished(t *testing.T) {
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
	m := Meta{Arch: "{}", Preprocessing: "{}", Classes: []string{"a"}, ShortcutPad: "end", Step: 3, ClassCounts: []int64{5}}
	s := m.Encode()
	f.Add(s[keyFormat], s[keyPreprocessing], s[keyClasses], s[keyClassCounts], s[keyStep])
	f.Add("2", "", "", "", "")
	f.Add("1", `{"kind":"x","mean":"x"}`, "null", "[1e99]", "-1")
	f.Fuzz(func(t *testing.T, format, preprocessing, classes, counts, step string) {
		m, err := DecodeMeta("x", map[string]string{keyFormat: format, keyPreprocessing: preprocessing, keyClasses: classes, keyClassCounts: counts, keyStep: step})
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrVersion) {
				t.Fatalf("error %v, want ErrFormat or ErrVersion", err)
			}
			return
		}
		again, err := DecodeMeta("x", m.Encode())
		if err != nil || again.Preprocessing != m.Preprocessing || !slices.Equal(again.Classes, m.Classes) || !slices.Equal(again.ClassCounts, m.ClassCounts) || again.Step != m.Step {
			t.Fatalf("%+v is read again as %+v, %v", m, again, err)
		}
	})
}
