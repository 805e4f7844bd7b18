package adapt

import (
	"bytes"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"resnet/internal/atomicfile"
	"resnet/internal/atomicfile/atomicfiletest"
	"resnet/internal/datasets/speech"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
)

func sample() Set {
	return Set{Network: "abc", Structure: Full, Transforms: map[string]speech.Transform{
		"ann":     {Dim: 2, Weight: []float32{1, 2, 3, 4}, Bias: []float32{5, 6}},
		"bob.w x": {Dim: 2, Weight: []float32{-1, 0, 0.5, 1e-30}, Bias: []float32{0, -6}},
	}}
}

func written(t *testing.T, s Set) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(b []byte, dim int, network string) (Set, error) {
	f, err := weights.New(bytes.NewReader(b), int64(len(b)), "x.safetensors")
	if err != nil {
		return Set{}, err
	}
	return Read(f, dim, network)
}

func TestTransformsComeBackAsTheyWere(t *testing.T) {
	want := sample()
	got, err := read(written(t, want), 2, "abc")
	if err != nil {
		t.Fatal(err)
	}
	if got.Structure != Full || len(got.Transforms) != 2 {
		t.Errorf("%+v", got)
	}
	for name, w := range want.Transforms {
		g := got.Transforms[name]
		if !slices.Equal(g.Weight, w.Weight) || !slices.Equal(g.Bias, w.Bias) {
			t.Errorf("%s: %+v", name, g)
		}
	}
	if !bytes.Equal(written(t, want), written(t, got)) {
		t.Error("other bytes the second time")
	}
}

func TestASetIsWrittenWholeOrNotAtAll(t *testing.T) {
	atomicfiletest.Run(t, atomicfiletest.Writer{Files: []string{"x.safetensors"}, Write: func(fsys atomicfile.FS, dir string, version int) error {
		s := sample()
		s.Transforms["ann"].Bias[0] = float32(version)
		return atomicfile.Write(fsys, filepath.Join(dir, "x.safetensors"), "weights", s.Write)
	}})
}

func TestFilesThatAreNoTransformsAreRefused(t *testing.T) {
	good := written(t, sample())
	if _, err := read(good, 2, "another"); !errors.Is(err, ErrNetwork) || !strings.Contains(err.Error(), "x.safetensors") {
		t.Errorf("another network: %v", err)
	}
	if _, err := read(good, 3, "abc"); !errors.Is(err, ErrFile) {
		t.Errorf("another size: %v", err)
	}
	for n := range good {
		if _, err := read(good[:n], 2, "abc"); err == nil {
			t.Fatalf("%d of %d bytes were read", n, len(good))
		}
	}
	meta := func(format string) map[string]string { return map[string]string{keyFormat: format, keyNetwork: "abc"} }
	square := weights.Tensor{Name: "adaptation.a.weight", Shape: []int{2, 2}, Data: make([]float32, 4)}
	bias := weights.Tensor{Name: "adaptation.a.bias", Shape: []int{2}, Data: make([]float32, 2)}
	nan := weights.Tensor{Name: "adaptation.a.weight", Shape: []int{2, 2}, Data: []float32{1, 0, 0, float32(math.NaN())}}
	for name, c := range map[string]struct {
		meta map[string]string
		list []weights.Tensor
	}{
		"no metadata":     {nil, []weights.Tensor{square, bias}},
		"newer":           {meta("2"), []weights.Tensor{square, bias}},
		"empty":           {meta("1"), nil},
		"no bias":         {meta("1"), []weights.Tensor{square}},
		"no matrix":       {meta("1"), []weights.Tensor{bias}},
		"another tensor":  {meta("1"), []weights.Tensor{square, bias, {Name: "conv1.weight", Shape: []int{1}, Data: []float32{1}}}},
		"a bias too many": {meta("1"), []weights.Tensor{square, bias, {Name: "adaptation.b.bias", Shape: []int{2}, Data: []float32{1, 1}}}},
		"not finite":      {meta("1"), []weights.Tensor{nan, bias}},
	} {
		var b bytes.Buffer
		if err := weights.Write(&b, c.list, c.meta); err != nil {
			t.Fatal(err)
		}
		if _, err := read(b.Bytes(), 2, "abc"); !errors.Is(err, ErrFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestADigestIsOfTheNetworkAlone(t *testing.T) {
	p := graph.NewParamSet(1)
	p.Add(&graph.Param{Name: "conv1.weight", Shape: []int{2}, Data: []float32{1, 2}})
	before := Digest(p)
	p.Add(&graph.Param{Name: "adaptation.bias", Shape: []int{1}, Data: []float32{1}})
	if Digest(p) != before {
		t.Error("the layer is part of it")
	}
	p.Get("conv1.weight").Data[1] = 3
	if Digest(p) == before {
		t.Error("a weight is no part of it")
	}
}

func FuzzTransforms(f *testing.F) {
	var b bytes.Buffer
	if err := sample().Write(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := read(b, 2, "abc")
		if err != nil {
			return
		}
		for name, v := range s.Transforms {
			if v.Check() != nil || v.Dim != 2 {
				t.Errorf("%s: %+v", name, v)
			}
		}
	})
}
