package weights

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

const foreignFixtures = "../../../testdata/foreign/"

// message is a field with a length.
func message(num protowire.Number, parts ...[]byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), bytes.Join(parts, nil))
}

func number(num protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), v)
}

func floats(values ...float32) []byte {
	var b []byte
	for _, v := range values {
		b = protowire.AppendFixed32(b, math.Float32bits(v))
	}
	return b
}

// blobOf is a BlobProto of a shape.
func blobOf(shape []uint64, values ...float32) []byte {
	var dims []byte
	for _, d := range shape {
		dims = protowire.AppendVarint(dims, d)
	}
	return bytes.Join([][]byte{message(blobShape, message(1, dims)), message(blobData, floats(values...))}, nil)
}

// layerOf is a LayerParameter in its NetParameter.
func layerOf(name, kind string, parts ...[]byte) []byte {
	return message(netLayer, message(1, []byte(name)), message(2, []byte(kind)), bytes.Join(parts, nil))
}

func convOf(name string, blobs ...[]byte) []byte {
	var parts [][]byte
	for _, b := range blobs {
		parts = append(parts, message(7, b))
	}
	return layerOf(name, "Convolution", parts...)
}

func readBytes(b []byte) (Foreign, error) {
	return readForeign(bytes.NewReader(b), int64(len(b)), "x.caffemodel")
}

// TestNormalisationsAreWithTheirConvolutions, by their names, and by their inputs where names say
// nothing: mean/factor less the bias, variance/factor, γ, and 0 for a β that is not there.
func TestNormalisationsAreWithTheirConvolutions(t *testing.T) {
	conv := message(7, blobOf([]uint64{2, 1, 1, 1}, 3, 5))
	bias := message(7, blobOf([]uint64{2}, 10, 20))
	statistics := [][]byte{message(7, blobOf([]uint64{2}, 4, 6)), message(7, blobOf([]uint64{2}, 8, 2)), message(7, blobOf([]uint64{1}, 2))}
	scale := message(7, blobOf([]uint64{2}, 7, 9))
	through := func(bottom, top string) []byte {
		return append(message(3, []byte(bottom)), message(4, []byte(top))...)
	}
	for what, net := range map[string][]byte{
		"by name": slices.Concat(layerOf("res2b_branch2a", "Convolution", conv, bias), layerOf("bn2b_branch2a", "BatchNorm", statistics...),
			layerOf("scale2b_branch2a", "Scale", scale)),
		"by input": slices.Concat(layerOf("res2b_branch2a", "Convolution", conv, bias, through("data", "a")),
			layerOf("n", "BatchNorm", append(statistics, through("a", "b"))...), layerOf("s", "Scale", scale, through("b", "b"))),
	} {
		f, err := readBytes(net)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		want := map[string][]float32{
			"layer1.1.conv1.weight": {3, 5}, "layer1.1.bn1.running_mean": {2 - 10, 3 - 20}, "layer1.1.bn1.running_var": {4, 1},
			"layer1.1.bn1.weight": {7, 9}, "layer1.1.bn1.bias": {0, 0},
		}
		for _, x := range f.Tensors {
			if !slices.Equal(x.Data, want[x.Name]) {
				t.Errorf("%s: %s is %v, want %v", what, x.Name, x.Data, want[x.Name])
			}
			delete(want, x.Name)
		}
		if len(want) > 0 || !f.Input.Bytes || !f.Input.BGR {
			t.Errorf("%s: %v are missing; input %+v", what, want, f.Input)
		}
	}
}

// TestWindowsAreThoseOfTheFile: strides and paddings that no tensor shows, and ε as it was written.
func TestWindowsAreThoseOfTheFile(t *testing.T) {
	f, err := ReadForeign(foreignFixtures + "residual.caffemodel")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Window{
		"conv1": {Kernel: 7, Stride: 2, Pad: 3}, "maxpool": {Kernel: 3, Stride: 2, Ceil: true},
		"layer2.0.conv1": {Kernel: 1, Stride: 2}, "layer2.0.conv2": {Kernel: 3, Stride: 1, Pad: 1}, "layer2.0.downsample.0": {Kernel: 1, Stride: 2},
	} {
		if f.Windows[name] != want {
			t.Errorf("%s: %+v, want %+v", name, f.Windows[name], want)
		}
	}
	eps := message(139, protowire.AppendFixed32(protowire.AppendTag(nil, 3, protowire.Fixed32Type), math.Float32bits(1e-3)))
	norm := layerOf("bn_conv1", "BatchNorm", message(7, blobOf([]uint64{1}, 1)), message(7, blobOf([]uint64{1}, 1)), message(7, blobOf([]uint64{1}, 0)), eps)
	if f, err = readBytes(slices.Concat(convOf("conv1", blobOf([]uint64{1, 1, 1, 1}, 1)), norm)); err != nil || f.Eps != 0.001 {
		t.Errorf("ε %v, %v", f.Eps, err)
	}
}

// TestNamesOfCaffeAreOurs: blocks by letters, and by numbers where there are more of them; VGG's
// layers numbered through; GoogLeNet's columns.
func TestNamesOfCaffeAreOurs(t *testing.T) {
	one := blobOf([]uint64{1, 1, 1, 1}, 1)
	for theirs, ours := range map[string]string{
		"conv1": "conv1", "res2a_branch1": "layer1.0.downsample.0", "res2c_branch2c": "layer1.2.conv3", "res4b22_branch2b": "layer3.22.conv2",
		"res4f_branch2a": "layer3.5.conv1", "conv1/7x7_s2": "conv1", "inception_4d/5x5_reduce": "inception4d.branch3.0",
		"inception_3a/pool_proj": "inception3a.branch4.1", "loss2/conv": "aux2.conv", "conv1_2": "features.2", "another": "another",
	} {
		net := convOf(theirs, one)
		if theirs == "conv1_2" {
			net = slices.Concat(convOf("conv1_1", one), net, convOf("conv2_1", one))
		}
		f, err := readBytes(net)
		if err != nil || !slices.ContainsFunc(f.Tensors, func(x Tensor) bool { return x.Name == ours+".weight" }) {
			t.Errorf("%s: %+v, %v; want %s.weight", theirs, f.Tensors, err, ours)
		}
		if theirs == "conv1_2" && f.Tensors[2].Name != "features.5.weight" {
			t.Errorf("conv2_1 is %s", f.Tensors[2].Name)
		}
	}
}

// lying are networks that contradict themselves, and what is said of them.
var lying = map[string]struct {
	file []byte
	want string
}{
	"shape beyond its values":  {convOf("conv1", blobOf([]uint64{2, 3, 7, 7}, 1, 2)), "shape [2 3 7 7] with 2 values"},
	"shape that overflows":     {convOf("conv1", blobOf([]uint64{1 << 30, 1 << 30, 1 << 30, 16}, 1)), "with 1 values"},
	"a negative dimension":     {convOf("conv1", blobOf([]uint64{math.MaxUint64, 1}, 1)), "no list of numbers"},
	"too many dimensions":      {convOf("conv1", blobOf(slices.Repeat([]uint64{1}, 40), 1)), "no list of numbers"},
	"half a float":             {convOf("conv1", message(blobData, []byte{1, 2, 3})), "holds no F32 values"},
	"floats and doubles":       {convOf("conv1", message(blobData, floats(1)), message(blobDoubles, make([]byte, 8))), ""},
	"a layer cut off":          {convOf("conv1", blobOf([]uint64{1, 1, 1, 1}, 1))[:20], "truncated"},
	"a network without values": {layerOf("conv1", "Convolution"), "hold no values"},
	"grouped":                  {layerOf("conv2", "Convolution", message(7, blobOf([]uint64{2, 1, 1, 1}, 1, 2)), message(106, number(5, 2))), "groups"},
	"a kind that is not known": {layerOf("x", "LSTM", message(7, blobOf([]uint64{1}, 1))), `kind "LSTM"`},
	"a normalisation alone":    {layerOf("bn_conv1", "BatchNorm", message(7, blobOf([]uint64{1}, 1))), "follows no convolution"},
	"two of a name":            {slices.Concat(convOf("conv1", blobOf([]uint64{1, 1, 1, 1}, 1)), convOf("conv1", blobOf([]uint64{1, 1, 1, 1}, 1))), "two layers of this name"},
	"no such kind of blob":     {convOf("conv1", blobOf([]uint64{1, 1}, 1)), "want 4 dimensions"},
	"biases of another layer":  {convOf("conv1", blobOf([]uint64{1, 1, 1, 1}, 1), blobOf([]uint64{2}, 1, 2)), "2 biases of 1 outputs"},
	"statistics of two lengths": {
		slices.Concat(convOf("conv1", blobOf([]uint64{1, 1, 1, 1}, 1)), layerOf("bn_conv1", "BatchNorm", message(7, blobOf([]uint64{1}, 1)), message(7, blobOf([]uint64{2}, 1, 2)), message(7, blobOf([]uint64{1}, 1)))),
		"mean, variance and a factor",
	},
}

func TestNetworksOfCaffeThatLieAreRefused(t *testing.T) {
	for what, c := range lying {
		if _, err := readBytes(c.file); !errors.Is(err, ErrCaffe) && c.want != "" || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
	both := slices.Concat(message(blobData, floats(1)), message(blobDoubles, make([]byte, 8)))
	if _, err := readBytes(convOf("conv1", both)); !errors.Is(err, ErrCaffe) || !strings.Contains(err.Error(), "both float and double") {
		t.Errorf("floats and doubles in one blob: %v", err)
	}
	many := bytes.Repeat([]byte{0xa2, 0x06, 0}, maxCaffeLayers+1)
	if _, err := readBytes(many); !errors.Is(err, ErrCaffe) || !strings.Contains(err.Error(), "layers") {
		t.Errorf("too many layers: %v", err)
	}
}

// TestACutNetworkOfCaffeIsNoNetwork, wherever it is cut.
func TestACutNetworkOfCaffeIsNoNetwork(t *testing.T) {
	for _, name := range []string{"residual.caffemodel", "vgg.caffemodel"} {
		b, err := os.ReadFile(foreignFixtures + name)
		if err != nil {
			t.Fatal(err)
		}
		whole := 0
		for n := 0; n < len(b); n += 7 {
			f, err := readBytes(b[:n])
			if err != nil {
				continue
			}
			// Between two layers it is a shorter network.
			if whole++; len(f.Tensors) == 0 {
				t.Errorf("%s cut after %d of %d bytes is read as nothing", name, n, len(b))
			}
		}
		if whole > 40 {
			t.Errorf("%s: %d cuts give networks", name, whole)
		}
	}
}

// TestMeanImagesAreRead, in the four dimensions of old files and in a shape.
func TestMeanImagesAreRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.binaryproto")
	old := slices.Concat(number(1, 1), number(2, 3), number(3, 1), number(4, 2), message(blobData, floats(1, 2, 3, 4, 5, 6)))
	for what, c := range map[string]struct {
		file []byte
		want [3]int
	}{
		"old": {old, [3]int{3, 1, 2}}, "shaped": {blobOf([]uint64{3, 1, 2}, 1, 2, 3, 4, 5, 6), [3]int{3, 1, 2}},
		"a row": {blobOf([]uint64{6}, 1, 2, 3, 4, 5, 6), [3]int{}}, "several": {blobOf([]uint64{2, 3, 1, 1}, 1, 2, 3, 4, 5, 6), [3]int{}},
		"empty": {nil, [3]int{}},
	} {
		if err := os.WriteFile(path, c.file, 0o600); err != nil {
			t.Fatal(err)
		}
		values, shape, err := ReadCaffeMean(path)
		if c.want == [3]int{} {
			if !errors.Is(err, ErrCaffe) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: %v", what, err)
			}
		} else if err != nil || shape != c.want || !slices.Equal(values, []float32{1, 2, 3, 4, 5, 6}) {
			t.Errorf("%s: %v %v, %v", what, values, shape, err)
		}
	}
	if _, _, err := ReadCaffeMean(dir); err == nil {
		t.Error("a folder is read as a mean image")
	}
}

// FuzzCaffe: no file makes the reader panic, and what it reads has as many values as its shapes.
func FuzzCaffe(f *testing.F) {
	for _, name := range []string{"residual.caffemodel", "vgg.caffemodel", "mean.binaryproto"} {
		b, err := os.ReadFile(foreignFixtures + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, c := range lying {
		f.Add(c.file)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := caffeBlob(b)
		if err == nil {
			checkLengths(t, []Tensor{x}, len(b))
		}
		net, err := readBytes(b)
		if err == nil {
			checkLengths(t, net.Tensors, len(b))
		}
	})
}

func checkLengths(t *testing.T, list []Tensor, size int) {
	t.Helper()
	for _, x := range list {
		n := 1
		for _, d := range x.Shape {
			n *= d
		}
		if x.Data != nil && n != len(x.Data) || n > 8*size {
			t.Fatalf("%s of shape %v has %d values, of a file of %d bytes", x.Name, x.Shape, len(x.Data), size)
		}
	}
}
