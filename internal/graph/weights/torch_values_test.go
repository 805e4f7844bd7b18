package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"resnet/internal/pickle"
)

// Element (i, j, k) of a view is storage[offset + i·s0 + j·s1 + k·s2].
func TestGatherReadsViewsRowMajor(t *testing.T) {
	values := make([]float32, 100)
	for i := range values {
		values[i] = float32(i)
	}
	for _, v := range []torchTensor{
		{shape: []int{2, 3, 4}, stride: []int{12, 4, 1}},
		{offset: 5, shape: []int{4, 3, 2}, stride: []int{1, 4, 12}},
		{offset: 7, shape: []int{3, 1, 2}, stride: []int{20, 99, 3}},
		{offset: 9, shape: []int{}, stride: []int{}},
		{shape: []int{2, 0, 3}, stride: []int{1, 1, 1}},
	} {
		shape, stride := append(slices.Clone(v.shape), 1, 1, 1)[:3], append(slices.Clone(v.stride), 0, 0, 0)[:3]
		want := []float32{}
		for i := range shape[0] {
			for j := range shape[1] {
				for k := range shape[2] {
					want = append(want, values[int(v.offset)+i*stride[0]+j*stride[1]+k*stride[2]])
				}
			}
		}
		if got := v.gather(values); !slices.Equal(got, want) {
			t.Errorf("%+v: %v, want %v", v, got, want)
		}
	}
}

func TestViewsBeyondTheirStorageAreRefused(t *testing.T) {
	view := func(n, offset int64, shape, stride []int) error {
		return torchTensor{storage: storageRef{len: n}, offset: offset, shape: shape, stride: stride}.check()
	}
	for _, c := range []struct {
		n, offset     int64
		shape, stride []int
		ok            bool
	}{
		{6, 0, []int{2, 3}, []int{3, 1}, true},
		{6, 1, []int{2, 3}, []int{3, 1}, false},
		{5, 0, []int{2, 3}, []int{3, 1}, false},
		{6, 0, []int{3, 2}, []int{1, 3}, true},
		{6, 0, []int{3, 2}, []int{1, 4}, false},
		{6, 5, []int{}, []int{}, true},
		{6, 6, []int{}, []int{}, false},
		{3, 0, []int{2, 2}, []int{1, 1}, false}, // four elements of three
		{0, 9, []int{0, 7}, []int{7, 1}, true},  // empty, wherever it stands
		{6, 0, []int{1 << 40, 1 << 40}, []int{0, 0}, false},
		{6, 0, []int{1 << 31, 2}, []int{1 << 31, 1}, false},
	} {
		if err := view(c.n, c.offset, c.shape, c.stride); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestWhatAllowedFunctionsMake(t *testing.T) {
	storage := storageRef{"0", F32, 6}
	tensor := torchTensor{storage, 1, []int{2}, []int{2}}
	size := []any{int64(2)}
	pairs := &pickle.List{Items: []any{[]any{"a", int64(1)}, &pickle.List{Items: []any{"b", nil}}}}
	want := &pickle.Dict{Keys: []any{"a", "b"}, Values: map[any]any{"a": int64(1), "b": nil}}
	for _, c := range []struct {
		f    pickle.Global
		args []any
		want any
	}{
		{globalDict, nil, &pickle.Dict{}},
		{globalDict, []any{pairs}, want},
		{globalSize, []any{size}, size},
		{globalTensorV1, []any{storage, int64(1), size, size}, tensor},
		{globalTensorV2, []any{storage, int64(1), size, size, false, nil}, tensor},
		{globalParameter, []any{tensor, true, nil}, tensor},
		{globalWithState, []any{tensor, true, nil, &pickle.Dict{}}, tensor},
		{globalFromType, []any{globalTensorV1, pickle.Global("my.Tensor"), []any{storage, int64(1), size, size}, nil}, tensor},
		{globalDefault, []any{pickle.Global("builtins.list")}, &pickle.Dict{}},
		{"builtins.dict", nil, &pickle.Dict{}},
		// All else is its name.
		{globalSize, nil, &pickle.Opaque{Class: "torch.Size"}},
		{globalSize, []any{size, size}, &pickle.Opaque{Class: "torch.Size"}},
		{"torch.FloatStorage", nil, &pickle.Opaque{Class: "torch.FloatStorage"}},
		{"argparse.Namespace", nil, &pickle.Opaque{Class: "argparse.Namespace"}},
		{"copyreg._reconstructor", []any{pickle.Global("a.B"), pickle.Global("builtins.object"), nil}, &pickle.Opaque{Class: "a.B"}},
		{globalTensorV2, []any{&pickle.Opaque{Class: "torch.ComplexFloatStorage"}, int64(0), size, size}, &pickle.Opaque{Class: "torch.ComplexFloatStorage"}},
	} {
		if got, err := rebuild(c.f, c.args); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s%v is %#v, %v; want %#v", c.f, c.args, got, err, c.want)
		}
	}
	for _, c := range []struct {
		f    pickle.Global
		args []any
		want string
	}{
		{globalDict, []any{int64(1)}, "something else than a list"},
		{globalDict, []any{pairs, pairs}, "something else than a list"},
		{globalDict, []any{&pickle.List{Items: []any{[]any{"a"}}}}, "something else than pairs"},
		{globalDict, []any{&pickle.List{Items: []any{"ab"}}}, "something else than pairs"},
		{globalDict, []any{&pickle.List{Items: []any{[]any{"a", nil}, []any{"a", nil}}}}, "duplicate key"},
		{globalParameter, nil, "a parameter without a tensor"},
		{globalParameter, []any{nil}, "a parameter without a tensor"},
		{globalTensorV2, []any{storage, int64(1), size}, "without storage"},
		{globalTensorV2, []any{nil, int64(1), size, size}, "without storage"},
		{globalTensorV2, []any{storage, int64(-1), size, size}, "without storage"},
		{globalTensorV2, []any{storage, int64(0), size, []any{}}, "without storage"},
		{globalTensorV2, []any{storage, int64(0), []any{int64(-1)}, size}, "without storage"},
		{globalTensorV2, []any{storage, int64(0), []any{"2"}, size}, "without storage"},
		{globalTensorV2, []any{storage, int64(0), slices.Repeat(size, 9), slices.Repeat(size, 9)}, "without storage"},
	} {
		if got, err := rebuild(c.f, c.args); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s%v is %#v, %v; want %q", c.f, c.args, got, err, c.want)
		}
	}
}

func TestStoragesAreNamedByTypeKeyAndSize(t *testing.T) {
	id := []any{"storage", pickle.Global("torch.HalfStorage"), "7", "cuda:0", int64(5)}
	for _, extra := range [][]any{nil, {nil}} {
		if got, err := persistentStorage(append(slices.Clone(id), extra...)); err != nil || got != any(storageRef{"7", F16, 5}) {
			t.Errorf("%v, %v", got, err)
		}
	}
	id[4] = int64(0) // an empty tensor's
	if got, err := persistentStorage(id); err != nil || got != any(storageRef{"7", F16, 0}) {
		t.Errorf("%v, %v", got, err)
	}
	for want, spoil := range map[string]func([]any) any{
		"is no storage": func(id []any) any { id[0] = "modul"; return id }, "persistent id": func(id []any) any { return id[:4] }, "that is no": func([]any) any { return "storage" },
		"without type": func(id []any) any { id[1] = pickle.Global("torch.Size"); return id }, "type, key": func(id []any) any { id[2] = int64(7); return id },
		"and size": func(id []any) any { id[4] = "5"; return id }, "key and size": func(id []any) any { id[4] = int64(-1); return id },
		"a view of another": func(id []any) any { return append(id, []any{"1", int64(0), int64(2)}) },
	} {
		if got, err := persistentStorage(spoil(slices.Clone(id))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, %v; want %q", got, err, want)
		}
	}
}

// A state dict is the dictionary, or what a training script put it in; of it what is no tensor is
// left out.
func TestStateDictsAreFoundInWhatWrapsThem(t *testing.T) {
	tensor := torchTensor{storage: storageRef{"0", F32, 1}, shape: []int{1}, stride: []int{1}}
	dict := func(pairs ...any) *pickle.Dict {
		d := &pickle.Dict{}
		for i := 0; i < len(pairs); i += 2 {
			_ = d.Set(pairs[i], pairs[i+1])
		}
		return d
	}
	inner := dict("b", tensor, "a", tensor, "epoch", int64(3), int64(4), tensor)
	for _, top := range []*pickle.Dict{
		inner, dict("epoch", int64(1), "state_dict", inner), dict("model", inner), dict("net", inner), dict("model_state_dict", inner),
		dict("model", dict("x", tensor), "state_dict", inner),
	} {
		list, err := stateDict(top)
		if err != nil || len(list) != 2 || list[0].name != "b" || list[1].name != "a" {
			t.Errorf("%v: %v, %v", top.Keys, list, err)
		}
	}
	if _, err := stateDict(dict("epoch", int64(1), int64(2), tensor)); err == nil || err.Error() != `it holds no tensors by name, but "epoch", 2` {
		t.Errorf("no tensors: %v", err)
	}
	if list, err := stateDict([]any{inner, dict("epoch", int64(1))}); err != nil || len(list) != 2 {
		t.Errorf("in a tuple: %v, %v", list, err)
	}
	if _, err := stateDict([]any{}); err == nil || !strings.Contains(err.Error(), "no dictionary") {
		t.Errorf("a tuple: %v", err)
	}
}

// Storages are read once for tensors that follow each other, integers are not read, and what is
// read is bounded by the file's size.
func TestMaterializeReadsEachStorageOnce(t *testing.T) {
	floats := func(values ...float32) (b []byte) {
		for _, v := range values {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		return b
	}
	part := func(key string, dtype DType, n, offset int64, shape int) torchTensor {
		return torchTensor{storageRef{key, dtype, n}, offset, []int{shape}, []int{1}}
	}
	dict := &pickle.Dict{}
	for _, x := range []struct {
		name string
		t    torchTensor
	}{{"a", part("0", F32, 3, 0, 2)}, {"b", part("0", F32, 3, 1, 2)}, {"count", part("1", I64, 1, 0, 1)}, {"half", part("2", F16, 2, 0, 2)}, {"c", part("0", F32, 3, 2, 1)}} {
		if err := dict.Set(x.name, x.t); err != nil {
			t.Fatal(err)
		}
	}
	reads := map[string]int{}
	read := func(s storageRef) ([]byte, error) {
		reads[s.key]++
		switch s.key {
		case "0":
			return floats(1, 2, 3), nil
		case "2":
			return []byte{0x00, 0x3c, 0x00, 0xc2}, nil // 1 and -3
		}
		return nil, errors.New("read needlessly")
	}
	list, err := materialize(setOf("", dict).tensors, 100, read)
	want := []Tensor{
		{Name: "a", DType: F32, Shape: []int{2}, Data: []float32{1, 2}},
		{Name: "b", DType: F32, Shape: []int{2}, Data: []float32{2, 3}},
		{Name: "count", DType: I64, Shape: []int{1}},
		{Name: "half", DType: F32, Shape: []int{2}, Data: []float32{1, -3}},
		{Name: "c", DType: F32, Shape: []int{1}, Data: []float32{3}},
	}
	if err != nil || !reflect.DeepEqual(list, want) {
		t.Errorf("%+v, %v; want %+v", list, err, want)
	}
	if !reflect.DeepEqual(reads, map[string]int{"0": 2, "2": 1}) {
		t.Errorf("reads %v", reads)
	}
	// Seven values need a file of seven bytes at least.
	if _, err := materialize(setOf("", dict).tensors, 7, read); err != nil {
		t.Error(err)
	}
	if _, err := materialize(setOf("", dict).tensors, 6, read); err == nil || !strings.Contains(err.Error(), "more values than the file has bytes") {
		t.Errorf("%v", err)
	}
	short := func(storageRef) ([]byte, error) { return floats(1, 2), nil }
	if _, err := materialize(setOf("", dict).tensors, 100, short); err == nil || !strings.Contains(err.Error(), `tensor "a": storage "0" has 8 bytes, and 3 elements of F32 are announced`) {
		t.Errorf("%v", err)
	}
	wide := &pickle.Dict{}
	for i, name := range []string{"a", "b", "c"} { // tensors of one value of storages of 60
		_ = wide.Set(name, part(string(rune('0'+i%2)), F32, 60, 0, 1))
	}
	all := func(storageRef) ([]byte, error) { return make([]byte, 240), nil }
	// 180 values read, at most 192.
	if _, err := materialize(setOf("", wide).tensors, 12, all); err != nil {
		t.Error(err)
	}
	if _, err := materialize(setOf("", wide).tensors, 11, all); err == nil || !strings.Contains(err.Error(), "many times over") {
		t.Errorf("%v", err)
	}
}

// Of safetensors, floating-point types become float32; others have a shape and no values.
func TestTensorsOfSafetensorsBecomeFloat32(t *testing.T) {
	header := `{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},"n":{"dtype":"I32","shape":[],"data_offsets":[4,8]}}`
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(append(b, header...), 0x80, 0x3f, 0x40, 0xc0, 7, 0, 0, 0) // 1, -3 and the number 7
	list, err := readTensors(bytes.NewReader(b), int64(len(b)), "x.safetensors")
	if err != nil || len(list) != 2 {
		t.Fatalf("%v, %v", list, err)
	}
	if a := list[0]; a.DType != F32 || !slices.Equal(a.Data, []float32{1, -3}) || !slices.Equal(a.Shape, []int{2}) {
		t.Errorf("%+v", a)
	}
	if n := list[1]; n.DType != I32 || n.Data != nil || len(n.Shape) != 0 {
		t.Errorf("%+v", n)
	}
	for text, want := range map[string]string{
		"\x80\x02}.": "a pickle that torch.save did not write", "PK\x05\x06": "", "": "",
	} {
		if _, err := readTensors(strings.NewReader(text), int64(len(text)), "x"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
	if _, err := ReadForeign(t.TempDir()); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: %v", err)
	}
}
