package weights

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadsTheReferenceLibrarysFile reads what testdata/safetensors/generate.py wrote: every type,
// to the bit.
func TestReadsTheReferenceLibrarysFile(t *testing.T) {
	f, err := Open("../../../testdata/safetensors/reference.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	inf := float32(math.Inf(1))
	conv := make([]float32, 54)
	for i := range conv {
		conv[i] = float32(i) / 7
	}
	for name, want := range map[string]struct {
		dtype  DType
		shape  []int
		values []float32
	}{
		"layer1.0.conv1.weight":   {F32, []int{2, 3, 3, 3}, conv},
		"f64":                     {F64, []int{2, 2}, []float32{float32(1.0 / 3), -inf, 0x1p-140, 5}},
		"f16":                     {F16, []int{10}, []float32{0, float32(math.Copysign(0, -1)), 1, -2.5, 65504, 0x1p-24, 0x1.ff8p-15, inf, -inf, float32(math.NaN())}},
		"bf16":                    {BF16, []int{6}, []float32{0, 1, -2.5, inf, 0x1p-133, 3.140625}},
		"bn1.num_batches_tracked": {I64, nil, []float32{64000}},
		"i64":                     {I64, []int{3}, []float32{-0x1p63, 0x1p63, 0}},
		"i32":                     {I32, []int{3}, []float32{-0x1p31, 0x1p31, 7}},
		"u8":                      {U8, []int{2, 2}, []float32{0, 255, 1, 128}},
		"empty":                   {F32, []int{0, 4}, nil},
	} {
		e, ok := f.Entry(name)
		if !ok || e.DType != want.dtype || !equalShapes(e.Shape, want.shape) {
			t.Errorf("%s: %v %v, want %v %v", name, e.DType, e.Shape, want.dtype, want.shape)
			continue
		}
		got, err := f.Float32(name)
		if err != nil || !equalBits(got, want.values) {
			t.Errorf("%s: %v (%v), want %v", name, got, err, want.values)
		}
	}
	ints, err := f.Int64("i64")
	if diff := cmp.Diff([]int64{math.MinInt64, math.MaxInt64, 0}, ints); diff != "" || err != nil {
		t.Errorf("i64: %v %s", err, diff)
	}
	ints, err = f.Int64("i32")
	if diff := cmp.Diff([]int64{math.MinInt32, math.MaxInt32, 7}, ints); diff != "" || err != nil {
		t.Errorf("i32: %v %s", err, diff)
	}
	if diff := cmp.Diff(map[string]string{"note": "quote \" and ü"}, f.Meta); diff != "" {
		t.Error(diff)
	}
	if _, err := f.Int64("f64"); err == nil {
		t.Error("a floating-point tensor was read as integers")
	}
}

// TestHalfPrecisionAgreesWithItsDefinition checks all 65,536 patterns against sign · 2^(exp-25) ·
// (1024+frac).
func TestHalfPrecisionAgreesWithItsDefinition(t *testing.T) {
	for h := range 1 << 16 {
		exp, frac := h>>10&31, h&1023
		want := math.Ldexp(float64(1024+frac), exp-25)
		switch exp {
		case 0:
			want = math.Ldexp(float64(frac), -24)
		case 31:
			want = math.Inf(1)
			if frac != 0 {
				want = math.NaN()
			}
		}
		if h>>15 == 1 {
			want = math.Copysign(want, -1)
		}
		got := float64(halfToFloat32(uint16(h)))
		if math.IsNaN(want) != math.IsNaN(got) || !math.IsNaN(want) && (got != want || math.Signbit(got) != math.Signbit(want)) {
			t.Fatalf("%#04x: %v, want %v", h, got, want)
		}
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	nan := math.Float32frombits(payload)
	tensors := []Tensor{
		{Name: "conv1.weight", Shape: []int{2, 1, 1, 3}, Data: []float32{1, float32(math.Copysign(0, -1)), nan, float32(math.Inf(-1)), 1e-45, 3}},
		{Name: `quote " backslash \ <tag> ü`, Shape: []int{1}, Data: []float32{7}},
		{Name: "empty", Shape: []int{3, 0}},
		{Name: "steps", DType: I64, Ints: []int64{-1 << 63}},
	}
	meta := map[string]string{"b": "2", "a": "1\n\x01", "": ""}
	var out bytes.Buffer
	if err := Write(&out, tensors, meta); err != nil {
		t.Fatal(err)
	}
	size, err := EncodedSize(tensors, meta)
	if err != nil || size != int64(out.Len()) {
		t.Errorf("EncodedSize %d (%v), %d written", size, err, out.Len())
	}
	if n := binary.LittleEndian.Uint64(out.Bytes()); n%8 != 0 {
		t.Errorf("header of %d bytes does not align the data", n)
	}
	f, err := New(bytes.NewReader(out.Bytes()), int64(out.Len()), "x")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(meta, f.Meta); diff != "" {
		t.Error(diff)
	}
	for _, want := range tensors {
		e, ok := f.Entry(want.Name)
		if !ok || e.DType != want.DType || !equalShapes(e.Shape, want.Shape) {
			t.Errorf("%s: came back as %v %v", want.Name, e.DType, e.Shape)
		}
		if (f.data+e.begin)%int64(e.DType.Size()) != 0 {
			t.Errorf("%s: not aligned to its element", want.Name)
		}
		if want.DType == I64 {
			if got, err := f.Int64(want.Name); err != nil || !cmp.Equal(got, want.Ints) {
				t.Errorf("%s: %v (%v)", want.Name, got, err)
			}
		} else if got, err := f.Float32(want.Name); err != nil || !equalBits(got, want.Data) {
			t.Errorf("%s: %v (%v)", want.Name, got, err)
		}
	}
}

// TestTheBytesOfAFileAreFixed pins the encoding: a change of it changes every checkpoint's bytes.
func TestTheBytesOfAFileAreFixed(t *testing.T) {
	var out bytes.Buffer
	err := Write(&out, []Tensor{{Name: "b", Shape: []int{1}, Data: []float32{1}}, {Name: "a", DType: I64, Ints: []int64{2}}}, map[string]string{"z": "1", "y": "2"})
	header := `{"__metadata__":{"y":"2","z":"1"},"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}`
	header += strings.Repeat(" ", -len(header)&7)
	want := string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header + "\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x3f"
	if err != nil || out.String() != want {
		t.Errorf("%q (%v), want %q", out.String(), err, want)
	}
}

func TestTensorsLargerThanABufferAreReadWhole(t *testing.T) {
	values := make([]float32, 100_003)
	for i := range values {
		values[i] = float32(i)
	}
	var out bytes.Buffer
	if err := Write(&out, []Tensor{{Name: "x", Shape: []int{len(values)}, Data: values}}, nil); err != nil {
		t.Fatal(err)
	}
	f, err := New(bytes.NewReader(out.Bytes()), int64(out.Len()), "x")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := f.Float32("x"); err != nil || !equalBits(got, values) {
		t.Errorf("values differ (%v)", err)
	}
	if err := f.Float32Into("x", make([]float32, 5)); err == nil {
		t.Error("read into a slice of another length")
	}
}

func TestWriteRefusesWhatCouldNotBeRead(t *testing.T) {
	ok := Tensor{Name: "a", Shape: []int{1}, Data: []float32{1}}
	for name, c := range map[string]struct {
		tensors []Tensor
		meta    map[string]string
	}{
		"the same name twice":        {[]Tensor{ok, ok}, nil},
		"the name of the metadata":   {[]Tensor{{Name: "__metadata__", Shape: []int{1}, Data: []float32{1}}}, nil},
		"a name that is not UTF-8":   {[]Tensor{{Name: "\xff", Shape: []int{1}, Data: []float32{1}}}, nil},
		"a shape of another size":    {[]Tensor{{Name: "a", Shape: []int{2}, Data: []float32{1}}}, nil},
		"a negative dimension":       {[]Tensor{{Name: "a", Shape: []int{-1, -1}, Data: []float32{1}}}, nil},
		"values of another type":     {[]Tensor{{Name: "a", DType: I64, Shape: []int{1}, Ints: []int64{1}, Data: []float32{1}}}, nil},
		"a type that is only read":   {[]Tensor{{Name: "a", DType: F16, Shape: []int{1}, Data: []float32{1}}}, nil},
		"metadata that is not UTF-8": {[]Tensor{ok}, map[string]string{"k": "\xff"}},
	} {
		var out bytes.Buffer
		if err := Write(&out, c.tensors, c.meta); err == nil || out.Len() > 0 {
			t.Errorf("%s: error %v, %d bytes written", name, err, out.Len())
		}
	}
}

// payload is a NaN whose bits must survive writing and reading.
const payload = 0x7fc00123

func equalShapes(a, b []int) bool { return len(a) == 0 && len(b) == 0 || cmp.Equal(a, b) }

// equalBits compares values to the bit. NaNs made by a conversion differ between processors: nan,
// which is not Go's own, has to come back as it was, any other as some NaN.
func equalBits(a, b []float32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		bothNaN := a[i] != a[i] && b[i] != b[i] && math.Float32bits(b[i]) != payload
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) && !bothNaN {
			return false
		}
	}
	return true
}
