package weights

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"resnet/internal/graph"
)

func smallSet(fill float32) *graph.ParamSet {
	set := graph.NewParamSet(1)
	for _, p := range []graph.Param{
		{Name: "conv1.weight", Shape: []int{2, 1, 1, 1}, Kind: graph.KindWeight, Data: []float32{fill, fill + 1}},
		{Name: "bn1.weight", Shape: []int{2}, Kind: graph.KindScale, Data: []float32{fill + 2, fill + 3}},
		{Name: "bn1.running_mean", Shape: []int{2}, Kind: graph.KindRunningMean, Data: []float32{fill + 4, fill + 5}},
		{Name: "bn1.running_var", Shape: []int{2}, Kind: graph.KindRunningVar, Data: []float32{fill + 6, fill + 7}},
	} {
		set.Add(&p)
	}
	return set
}

func encode(t *testing.T, tensors []Tensor) *File {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, tensors, nil); err != nil {
		t.Fatal(err)
	}
	f, err := New(bytes.NewReader(out.Bytes()), int64(out.Len()), "model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func values(set *graph.ParamSet) map[string][]float32 {
	m := map[string][]float32{}
	for _, p := range set.All() {
		m[p.Name] = p.Data
	}
	return m
}

func TestParametersAndRunningStatisticsComeBack(t *testing.T) {
	from, to := smallSet(10), smallSet(0)
	if err := LoadParams(encode(t, FromParams(from)), to); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(values(from), values(to)); diff != "" {
		t.Error(diff)
	}
}

func TestWrappersPrefixesAndBatchCountsAreUnderstood(t *testing.T) {
	from, to := smallSet(10), smallSet(0)
	tensors := FromParams(from)
	for i, prefix := range []string{"module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."} {
		tensors[i].Name = prefix + tensors[i].Name
	}
	tensors = append(tensors, Tensor{Name: "module.bn1.num_batches_tracked", DType: I64, Ints: []int64{5}})
	if err := LoadParams(encode(t, tensors), to); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(values(from), values(to)); diff != "" {
		t.Error(diff)
	}
}

func TestEveryMismatchIsListedAndNothingChanges(t *testing.T) {
	tensors := FromParams(smallSet(10))
	// The same size and another shape; one missing and one unexpected.
	tensors[0] = Tensor{Name: "conv1.weight", Shape: []int{1, 2, 1, 1}, Data: []float32{1, 2}}
	tensors[1].Name = "bn9.weight"
	tensors[2] = Tensor{Name: "bn1.running_mean", DType: I64, Shape: []int{2}, Ints: []int64{1, 2}}
	to := smallSet(0)
	err := LoadParams(encode(t, tensors), to)
	var wrong *MismatchError
	if !errors.As(err, &wrong) || !errors.Is(err, ErrMismatch) {
		t.Fatalf("error %v, want a MismatchError", err)
	}
	want := &MismatchError{
		File: "model.safetensors", Missing: []string{"bn1.weight"}, Unexpected: []string{"bn9.weight"},
		Different: []string{"conv1.weight [1 2 1 1], want [2 1 1 1]", "bn1.running_mean I64, want floating point"},
	}
	if diff := cmp.Diff(want, wrong); diff != "" {
		t.Error(diff)
	}
	for _, part := range []string{"model.safetensors", "1 missing: bn1.weight", "1 unexpected: bn9.weight", "2 different: conv1.weight [1 2 1 1], want [2 1 1 1]"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q lacks %q", err, part)
		}
	}
	if diff := cmp.Diff(values(smallSet(0)), values(to)); diff != "" {
		t.Errorf("the parameters changed: %s", diff)
	}
}

func TestTwoNamesForOneParameterAreRefused(t *testing.T) {
	tensors := FromParams(smallSet(10))
	tensors = append(tensors, Tensor{Name: "module.bn1.weight", Shape: []int{2}, Data: []float32{0, 0}})
	if err := LoadParams(encode(t, tensors), smallSet(0)); !errors.Is(err, ErrMismatch) {
		t.Errorf("error %v, want ErrMismatch", err)
	}
}

func TestALongListOfMismatchesIsCut(t *testing.T) {
	e := &MismatchError{File: "f"}
	for range 900 {
		e.Missing = append(e.Missing, "name")
	}
	if text := e.Error(); len(text) > 300 || !strings.Contains(text, "900 missing") || !strings.Contains(text, "890 more") {
		t.Errorf("%q", text)
	}
}
