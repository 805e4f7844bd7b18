package weights

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"resnet/internal/pickle"
)

// ErrTorch marks a file that torch.save did not write, or that holds no tensors by name.
var ErrTorch = errors.New("not a PyTorch file that can be read")

// ErrTorchFile marks a file of torch.save, or another zip, where safetensors are wanted.
// ReadForeign reads it.
var ErrTorchFile = errors.New("it is a file of PyTorch (torch.save)")

// ErrOtherProgram marks a file of Caffe or in HDF5 where safetensors are wanted. ReadForeign reads
// those of known networks.
var ErrOtherProgram = errors.New("it is a file of Caffe or in HDF5")

// ClassError is a state dict in which an object of another class stands for a tensor. Nothing of it
// was run.
type ClassError struct{ Class string }

// Error names the class and the way out.
func (e *ClassError) Error() string {
	if c := otherTensorOf(e.Class); c != nil {
		return fmt.Sprintf("it holds %s (%s), which is not read: %s", c.what, e.Class, c.remedy)
	}
	return fmt.Sprintf("it holds %q, which is no tensor, and nothing of it was run: save the weights alone, with torch.save(model.state_dict(), FILE) or safetensors", e.Class)
}

type otherTensor struct{ function, what, remedy string }

// otherTensorOf is the one that a class is, or nil.
func otherTensorOf(class string) *otherTensor {
	for i, c := range otherTensors {
		if strings.HasSuffix(class, c.function) {
			return &otherTensors[i]
		}
	}
	return nil
}

// otherTensors are functions whose tensors are not read, with what to do.
var otherTensors = []otherTensor{
	{"multiarray._reconstruct", "an array of NumPy", "make tensors of its arrays in Python, with torch.from_numpy, and save them by name with torch.save or safetensors"},
	{"._rebuild_qtensor", "a quantised tensor", "import the network as it was before its quantisation"},
	{"._rebuild_sparse_tensor", "a sparse tensor", "save it dense (Tensor.to_dense)"},
	{"._rebuild_sparse_csr_tensor", "a sparse tensor", "save it dense (Tensor.to_dense)"},
	{"._rebuild_meta_tensor_no_storage", "a tensor without values (of the device meta)", "load the network's values before it is saved"},
	{"._rebuild_dtensor", "a tensor in parts of several processes", "gather it before it is saved (DTensor.full_tensor)"},
}

// storageTypes are PyTorch's typed storages. What is not floating point is read only to be passed
// over.
var storageTypes = map[pickle.Global]DType{
	"torch.FloatStorage": F32, "torch.DoubleStorage": F64, "torch.HalfStorage": F16, "torch.BFloat16Storage": BF16,
	"torch.LongStorage": I64, "torch.IntStorage": I32, "torch.ByteStorage": U8, "torch.CharStorage": U8, "torch.BoolStorage": U8,
}

// The functions that a state dict's pickle names. They are read here as descriptions; none exists
// to be called. All others are opaque.
const (
	globalDict      = pickle.Global("collections.OrderedDict")
	globalDefault   = pickle.Global("collections.defaultdict")
	globalTensorV1  = pickle.Global("torch._utils._rebuild_tensor")
	globalTensorV2  = pickle.Global("torch._utils._rebuild_tensor_v2")
	globalParameter = pickle.Global("torch._utils._rebuild_parameter")
	globalWithState = pickle.Global("torch._utils._rebuild_parameter_with_state")
	globalFromType  = pickle.Global("torch._tensor._rebuild_from_type_v2")
	globalSize      = pickle.Global("torch.Size")
)

// otherStorages are the bytes of an element of storages whose tensors no network here has.
var otherStorages = map[pickle.Global]int{
	"torch.ShortStorage": 2, "torch.ComplexFloatStorage": 8, "torch.ComplexDoubleStorage": 16,
	"torch.QInt8Storage": 1, "torch.QUInt8Storage": 1, "torch.QInt32Storage": 4, "torch.storage.UntypedStorage": 1,
}

// dictionaries are functions that make one of a list of pairs, or of nothing.
var dictionaries = []pickle.Global{globalDict, "builtins.dict", "__builtin__.dict"}

// storageRef names the elements that tensors share.
type storageRef struct {
	key   string
	dtype DType
	len   int64 // elements
}

// torchTensor is a view of a storage: element i of dimension d stands offset + Σ i·stride[d]
// elements from its beginning.
type torchTensor struct {
	storage       storageRef
	offset        int64
	shape, stride []int
}

// Kind names it in messages.
func (torchTensor) Kind() string { return "a tensor" }

// Build passes over attributes, which say nothing of the values.
func (torchTensor) Build(any) error { return nil }

// persistentStorage reads ('storage', type, key, location, elements), with a view of it behind in
// the legacy format, which also names classes of modules so: ('module', class, ...).
func persistentStorage(id any) (any, error) {
	t, ok := id.([]any)
	if ok && len(t) > 1 && t[0] == "module" {
		return t[1], nil
	}
	if !ok || len(t) < 5 || t[0] != "storage" {
		return nil, errors.New("a persistent id that is no storage")
	}
	class, ok1 := t[1].(pickle.Global)
	if _, known := storageTypes[class]; ok1 && !known && class != globalSize {
		return &pickle.Opaque{Class: string(class)}, nil
	}
	dtype, ok2 := storageTypes[class]
	key, ok3 := t[2].(string)
	n, ok4 := t[4].(int64)
	if !ok1 || !ok2 || !ok3 || !ok4 || n < 0 {
		return nil, errors.New("a storage without type, key and size")
	}
	if len(t) > 5 && t[5] != nil {
		return nil, errors.New("a storage that is a view of another: save the file anew with a PyTorch of 1.6 or later")
	}
	return storageRef{key, dtype, n}, nil
}

// rebuild makes what a function describes: a tensor, a dictionary, or an opaque value where the
// function is not known here.
func rebuild(f pickle.Global, args []any) (any, error) {
	switch {
	case slices.Contains(dictionaries, f):
		d := &pickle.Dict{}
		if len(args) == 0 {
			return d, nil
		}
		list, ok := args[0].(*pickle.List)
		if !ok || len(args) != 1 {
			return nil, errors.New("an OrderedDict of something else than a list")
		}
		for _, item := range list.Items {
			pair, ok := item.([]any)
			if l, isList := item.(*pickle.List); isList {
				pair, ok = l.Items, true
			}
			if !ok || len(pair) != 2 {
				return nil, errors.New("an OrderedDict of something else than pairs")
			}
			if err := d.Set(pair[0], pair[1]); err != nil {
				return nil, err
			}
		}
		return d, nil
	case f == globalDefault:
		return &pickle.Dict{}, nil
	case f == globalTensorV1 || f == globalTensorV2:
		return rebuildTensor(args)
	case f == globalParameter || f == globalWithState:
		if len(args) > 0 {
			switch t := args[0].(type) {
			case torchTensor, *pickle.Opaque:
				return t, nil
			}
		}
		return nil, errors.New("a parameter without a tensor")
	case f == globalFromType && len(args) > 2: // (function, type, its arguments, attributes)
		g, isGlobal := args[0].(pickle.Global)
		inner, isTuple := args[2].([]any)
		if isGlobal && isTuple && g != globalFromType {
			return rebuild(g, inner)
		}
	case f == globalSize && len(args) == 1:
		return args[0], nil
	case isReconstructor(f) && len(args) > 0:
		if class, ok := args[0].(pickle.Global); ok {
			return &pickle.Opaque{Class: string(class)}, nil
		}
	}
	return &pickle.Opaque{Class: string(f)}, nil
}

// isReconstructor reports whether a function makes an object of the class that it is given.
func isReconstructor(f pickle.Global) bool {
	return slices.Contains([]pickle.Global{"copyreg._reconstructor", "copy_reg._reconstructor", "copyreg.__newobj__"}, f)
}

// rebuildTensor reads (storage, offset, size, stride, ...).
func rebuildTensor(args []any) (any, error) {
	if len(args) < 4 {
		return nil, errors.New("a tensor without storage, offset, size and stride")
	}
	if o, ok := args[0].(*pickle.Opaque); ok {
		return o, nil
	}
	s, ok1 := args[0].(storageRef)
	offset, ok2 := args[1].(int64)
	shape, ok3 := ints(args[2])
	stride, ok4 := ints(args[3])
	if !ok1 || !ok2 || !ok3 || !ok4 || len(shape) != len(stride) || offset < 0 {
		return nil, errors.New("a tensor without storage, offset, size and stride")
	}
	t := torchTensor{s, offset, shape, stride}
	return t, t.check()
}

// ints reads a tuple of numbers from 0.
func ints(v any) ([]int, bool) {
	t, ok := v.([]any)
	if !ok || len(t) > 8 {
		return nil, false
	}
	list := make([]int, len(t))
	for i, x := range t {
		n, ok := x.(int64)
		if !ok || n < 0 || n > 1<<40 {
			return nil, false
		}
		list[i] = int(n)
	}
	return list, true
}

// check requires that every element lies in the storage, and that there are no more of them than
// the storage has (as a view that repeats elements would have).
func (t torchTensor) check() error {
	n, last := uint64(1), uint64(t.offset)
	for i, d := range t.shape {
		hi, lo := bits.Mul64(n, uint64(d))
		hi2, reach := bits.Mul64(uint64(max(d-1, 0)), uint64(t.stride[i]))
		if hi != 0 || hi2 != 0 || lo > 1<<60 || reach > 1<<60 {
			return fmt.Errorf("a tensor of shape %v overflows", t.shape)
		}
		n, last = lo, last+reach
	}
	if n > 0 && (last >= uint64(t.storage.len) || n > uint64(t.storage.len)) {
		return fmt.Errorf("a tensor of shape %v reaches beyond its storage of %d elements", t.shape, t.storage.len)
	}
	return nil
}

func (t torchTensor) len() int {
	n := 1
	for _, d := range t.shape {
		n *= d
	}
	return n
}

// gather copies the view out of its storage's values, row-major.
func (t torchTensor) gather(values []float32) []float32 {
	out := make([]float32, 0, t.len())
	if t.len() == 0 {
		return out
	}
	index := make([]int, len(t.shape))
	at := int(t.offset)
	for {
		out = append(out, values[at])
		d := len(index) - 1
		for ; d >= 0; d-- {
			index[d]++
			at += t.stride[d]
			if index[d] < t.shape[d] {
				break
			}
			at -= index[d] * t.stride[d]
			index[d] = 0
		}
		if d < 0 {
			return out
		}
	}
}
