package onnx

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"resnet/internal/atomicfile"
	"resnet/internal/atomicfile/atomicfiletest"
	"resnet/internal/blocks"
	"resnet/internal/graph"
)

// fields decodes a protobuf message: the values of each field, numbers as 8 bytes.
func fields(t *testing.T, m []byte) map[int][][]byte {
	t.Helper()
	out := map[int][][]byte{}
	for len(m) > 0 {
		key, n := binary.Uvarint(m)
		m = m[n:]
		size := uint64(4)
		if key&7 != wireFixed4 {
			v, n := binary.Uvarint(m)
			if n <= 0 {
				t.Fatal("a number that does not end")
			}
			m, size = m[n:], v
			if key&7 == wireVarint {
				out[int(key>>3)] = append(out[int(key>>3)], binary.LittleEndian.AppendUint64(nil, v))
				continue
			}
		}
		if size > uint64(len(m)) {
			t.Fatalf("field %d reaches beyond its message", key>>3)
		}
		out[int(key>>3)] = append(out[int(key>>3)], m[:size])
		m = m[size:]
	}
	return out
}

// TestModelsAreGraphsOfDefinedNamesWithEveryTensor decodes what is written: every input of a node
// is defined before it, every parameter is there to the bit, and there is a node for each layer.
func TestModelsAreGraphsOfDefinedNamesWithEveryTensor(t *testing.T) {
	for _, name := range []string{
		"tiny-plain", "tiny-a", "tiny-a-end", "tiny-b", "tiny-c", "tiny-bottleneck", "tiny-bottleneck-v1.5", "tiny-imagenet-stem", "resnet20",
		"tiny-bottleneck-a", "tiny-caffe", "tiny-vgg", "tiny-vggbn", "tiny-googlenet", "tiny-googlenet-bn", "tiny-bn-inception", "tiny-slim", "tiny-prelu-net",
		"tiny-a-sigmoid-stem5", "tiny-b-elu", "tiny-c-nobn-stem7", "tiny-bottleneck-elu-nobn",
		"tiny-groups", "tiny-groups-odd", "tiny-widened", "tiny-d", "tiny-d-basic", "tiny-se", "tiny-preact", "tiny-preact-bottleneck", "tiny-wrn",
	} {
		s, err := blocks.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		params := graph.NewParamSet(3)
		if _, err := blocks.Build(s, 1, graph.Eval, params); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := Write(&b, s, params, map[string]string{"key": "value"}, Options{}); err != nil {
			t.Fatal(err)
		}
		model := fields(t, b.Bytes())
		g := fields(t, model[7][0])
		defined := map[string]bool{"input": true}
		for _, tensor := range g[5] {
			f := fields(t, tensor)
			key := string(f[8][0])
			defined[key] = true
			p := params.Get(key)
			if p == nil {
				continue
			}
			for i, v := range p.Data {
				if binary.LittleEndian.Uint32(f[9][0][4*i:]) != math.Float32bits(v) {
					t.Fatalf("%s: value %d of %s differs", name, i, key)
				}
			}
		}
		for _, p := range params.All() {
			if !defined[p.Name] && !strings.HasPrefix(p.Name, "aux") { // auxiliary
				t.Errorf("%s: %s is missing", name, p.Name)
			}
		}
		ops := map[string]int{}
		for _, node := range g[1] {
			f := fields(t, node)
			for _, in := range f[1] {
				if !defined[string(in)] {
					t.Errorf("%s: %s reads %q, which nothing before it makes", name, f[3][0], in)
				}
			}
			defined[string(f[2][0])] = true
			ops[string(f[4][0])]++
		}
		sum, err := blocks.Summarize(s)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]int{}
		for _, l := range sum.Layers {
			want["MaxPool"] += len(l.Levels) // of a pyramid
			if l.Training || l.Type == "pyramid" || l.Type == "dropout" || l.Type == "flatten" || l.Type == "concat" {
				continue
			}
			want[map[string]string{
				"conv": "Conv", "bn": "BatchNormalization", "relu": "Relu", "add": "Add", "maxpool": "MaxPool", "gap": "GlobalAveragePool", "linear": "Gemm", "shortcut-pad": "Pad",
				"excite": "Mul", "prelu": "PRelu", "sigmoid": "Sigmoid", "elu": "Elu", "lrn": "LRN", "avgpool": "AveragePool",
			}[l.Type]]++
		}
		for op, n := range want {
			if ops[op] != n {
				t.Errorf("%s: %d nodes %s, want %d", name, ops[op], op, n)
			}
		}
		if !defined["logits"] || len(g[11]) != 1 || len(g[12]) != 1 || len(model[14]) != 1 {
			t.Errorf("%s: input, logits or metadata are missing", name)
		}
	}
}

func TestAModelIsWrittenWholeOrNotAtAll(t *testing.T) {
	s, err := blocks.Lookup("tiny-b")
	if err != nil {
		t.Fatal(err)
	}
	params := graph.NewParamSet(3)
	if _, err := blocks.Build(s, 1, graph.Eval, params); err != nil {
		t.Fatal(err)
	}
	atomicfiletest.Run(t, atomicfiletest.Writer{Files: []string{"x.onnx"}, Write: func(fsys atomicfile.FS, dir string, version int) error {
		params.All()[0].Data[0] = float32(version)
		return atomicfile.Write(fsys, filepath.Join(dir, "x.onnx"), "weights", func(w io.Writer) error { return Write(w, s, params, nil, Options{}) })
	}})
}

// TestWindowsKeepTheirBiasesAndTheirRounding reads attributes back: a wrong one gives other logits
// and no error.
func TestWindowsKeepTheirBiasesAndTheirRounding(t *testing.T) {
	s, err := blocks.Lookup("tiny-googlenet")
	if err != nil {
		t.Fatal(err)
	}
	params := graph.NewParamSet(3)
	if _, err := blocks.Build(s, 1, graph.Eval, params); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Write(&b, s, params, nil, Options{}); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, node := range fields(t, fields(t, b.Bytes())[7][0])[1] {
		f := fields(t, node)
		op := string(f[4][0])
		if op == "Conv" && len(f[1]) != 3 {
			t.Errorf("%s has %d inputs, want its weights and its bias", f[3][0], len(f[1]))
		}
		for _, a := range f[5] {
			f := fields(t, a)
			name := op + " " + string(f[1][0])
			seen[name] = true
			if name == "MaxPool ceil_mode" && binary.LittleEndian.Uint64(f[3][0]) != 1 {
				t.Errorf("%s does not round up", name)
			}
			if name == "LRN beta" && math.Float32frombits(binary.LittleEndian.Uint32(f[2][0])) != 0.75 {
				t.Errorf("%s is not 0.75", name)
			}
		}
	}
	for _, want := range []string{"MaxPool ceil_mode", "LRN alpha", "LRN beta", "LRN bias", "LRN size"} {
		if !seen[want] {
			t.Errorf("no node has %s", want)
		}
	}
}
