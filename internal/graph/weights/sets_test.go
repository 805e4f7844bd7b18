package weights

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"resnet/internal/pickle"
)

// readTensors reads all tensors of the plain set of size bytes in r.
func readTensors(r io.ReaderAt, size int64, name string) ([]Tensor, error) {
	f, err := openTensors(r, size, name)
	if err != nil {
		return nil, err
	}
	return f.plain(name)
}

// stateDict are the tensors of the plain set of a pickle's value.
func stateDict(v any) ([]namedTensor, error) {
	sets := torchSets(v)
	keys := make([]string, len(sets))
	for i, s := range sets {
		keys[i] = s.key
	}
	i := PlainSet(keys)
	if i < 0 {
		return nil, noTensors(v)
	}
	return sets[i].tensors, nil
}

// opened is a file of torchFixtures.
func opened(t *testing.T, name string) *ForeignFile {
	t.Helper()
	f, err := OpenForeign(torchFixtures + name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// keysOf are the keys of a file's sets.
func keysOf(f *ForeignFile) []string {
	keys := []string{}
	for _, s := range f.Sets {
		keys = append(keys, s.Key)
	}
	return keys
}

// byName are tensors by torchvision's names, without a prefix.
func byName(list []Tensor, prefix string) map[string]Tensor {
	named := map[string]Tensor{}
	for _, x := range list {
		if name := TorchvisionName(x.Name); !IsCounter(name) {
			named[strings.TrimPrefix(name, prefix)] = x
		}
	}
	return named
}

// TestWhateverLiesBesideTheWeightsDoesNoHarm: testdata/torch/wrapped.py puts objects of some thirty
// classes beside the weights; the tensors are those of tiny.safetensors, to the bit.
func TestWhateverLiesBesideTheWeightsDoesNoHarm(t *testing.T) {
	want := byName(tensorsOf(t, torchFixtures+"tiny.safetensors"), "")
	for name, c := range map[string]struct {
		key, prefix string
		factor      float32
	}{
		"beside.pth": {"model", "", 1}, "beside-protocol5.pth": {"model", "", 1}, "beside-legacy.pth": {"model", "", 1},
		"averages.pth": {"model_ema", "", 1.5}, "siamese.pth.tar": {"state_dict", "encoder_k.", 2},
		// Modules that were saved whole: their attributes are data.
		"module.pth": {"model", "", 1}, "module-legacy.pth": {"", "", 1}, "script.pt": {"", "", 1},
	} {
		f := opened(t, name)
		i := slices.Index(keysOf(f), c.key)
		if i < 0 {
			t.Errorf("%s: sets %q, want %q among them", name, keysOf(f), c.key)
			continue
		}
		list, err := f.Sets[i].Load(nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := byName(list, c.prefix)
		for n, w := range want {
			if c.prefix != "" && strings.HasPrefix(n, "fc.") {
				continue
			}
			scaled := slices.Clone(w.Data)
			for j := range scaled {
				scaled[j] *= c.factor
			}
			if g := got[n]; !slices.Equal(g.Shape, w.Shape) || !slices.Equal(g.Data, scaled) {
				t.Errorf("%s: %s differs: %v", name, n, g.Shape)
			}
		}
	}
}

// An object in the place of a tensor is named, by the set that has it.
func TestAnObjectInTheStateDictIsNamed(t *testing.T) {
	f := opened(t, "object-for-tensor.pth")
	if got := f.Sets[0].Opaque; len(got) != 1 || got["layer1.0.conv1.weight"] != "argparse.Namespace" {
		t.Errorf("opaque %v", got)
	}
	var class *ClassError
	if _, err := ReadForeign(torchFixtures + "object-for-tensor.pth"); !errors.As(err, &class) || class.Class != "argparse.Namespace" {
		t.Errorf("%v", err)
	}
	if got := opened(t, "beside.pth").Sets; slices.ContainsFunc(got, func(s Set) bool { return s.Key == "model" && len(s.Opaque) > 0 }) {
		t.Errorf("%q", keysOf(opened(t, "beside.pth")))
	}
}

func TestThePlainSetIsTheModelAndNotItsAverage(t *testing.T) {
	for _, c := range []struct {
		keys []string
		want int
	}{
		{[]string{"model_ema", "model"}, 1},
		{[]string{"state_dict_ema", "state_dict"}, 1},
		{[]string{"", "state_dict"}, 1},
		{[]string{"", "args"}, 0},
		{[]string{"teacher", "student"}, 1},
		{[]string{"swa_model", "my_network"}, 1},
		{[]string{"ema"}, -1},
		{[]string{"generator", "discriminator"}, -1},
		{[]string{"alone"}, 0},
		{nil, -1},
	} {
		if got := PlainSet(c.keys); got != c.want {
			t.Errorf("%q: %d, want %d", c.keys, got, c.want)
		}
	}
}

// Objects may hold themselves and each other; the search ends all the same.
func TestSetsOfValuesWithoutEndAreFoundInTime(t *testing.T) {
	tensor := torchTensor{storage: storageRef{"0", F32, 1}, shape: []int{1}, stride: []int{1}}
	d := &pickle.Dict{}
	_ = d.Set("self", d)
	_ = d.Set("w", tensor)
	if sets := torchSets(d); len(sets) != 1 || sets[0].key != "" || len(sets[0].tensors) != 1 {
		t.Errorf("%+v", sets)
	}
	// A module whose two children are itself: 2^24 ways down.
	modules, state := &pickle.Dict{}, &pickle.Dict{}
	loop := &pickle.Opaque{Class: "a.Module", State: state}
	_ = modules.Set("left", loop)
	_ = modules.Set("right", loop)
	for i := range 20 {
		_ = modules.Set(fmt.Sprint("w", i), tensor)
	}
	_ = state.Set("_modules", modules)
	start := time.Now()
	if sets := torchSets(loop); len(sets) != 1 || len(sets[0].tensors) > maxSetVisits || time.Since(start) > 10*time.Second {
		t.Errorf("%d sets in %v", len(sets), time.Since(start))
	}
}

func FuzzForeign(f *testing.F) {
	for _, name := range []string{"averages.pth", "siamese.pth.tar", "script.pt", "object-for-tensor.pth"} {
		b, err := os.ReadFile(torchFixtures + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, c := range others {
		f.Add([]byte(c.content))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := openForeign(bytes.NewReader(b), int64(len(b)), "fuzz")
		if err != nil {
			return
		}
		for _, s := range file.Sets {
			list, err := s.Load(nil)
			if err != nil {
				continue
			}
			total := 0
			for _, x := range list {
				total += len(x.Data)
			}
			if total > len(b) {
				t.Errorf("%d values from %d bytes", total, len(b))
			}
		}
	})
}
