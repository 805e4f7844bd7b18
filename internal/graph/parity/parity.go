// Package parity reads the fixtures of testdata/parity, what PyTorch computed for our operators and
// small networks, and compares with them. Only tests import it. The fixtures are made by
// testdata/parity/generate.py.
package parity

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"resnet/internal/input"
)

// Manifest is manifest.json: how the fixtures were made.
type Manifest struct {
	Torch       string  `json:"torch"`
	Steps       int     `json:"steps"`   // of the trajectory
	Batches     int     `json:"batches"` // taken in turn
	Momentum    float64 `json:"momentum"`
	WeightDecay float64 `json:"weight_decay"`
	Nets        []Net   `json:"nets"`
	Ops         struct {
		File   string `json:"file"`
		SHA256 string `json:"sha256"`
		Cases  []Op   `json:"cases"`
	} `json:"ops"`
}

// Net is one network of the manifest; Name is a row of the table of architectures.
type Net struct {
	Name   string  `json:"name"`
	File   string  `json:"file"`
	Rate   float64 `json:"rate"`
	SHA256 string  `json:"sha256"`
	// Replicas are the micro-batches of an update; 0 in fixtures of single batches.
	Replicas int `json:"replicas"`
}

// Op is one operator with its parameters; its tensors are called Name + "/x" and so on.
type Op struct {
	Name   string `json:"name"`
	Op     string `json:"op"`
	Params struct {
		Stride          int     `json:"stride"`
		Groups          int     `json:"groups"`
		PadH            int     `json:"pad_h"`
		PadW            int     `json:"pad_w"`
		Bias            bool    `json:"bias"`
		Eps             float64 `json:"eps"`
		Mode            string  `json:"mode"`
		Alpha           float64 `json:"alpha"`
		Kernel          int     `json:"kernel"`
		Pad             int     `json:"pad"`
		Ceil            bool    `json:"ceil"`
		CountIncludePad bool    `json:"count_include_pad"`
		Classes         int     `json:"classes"`
		Size            int     `json:"size"`
		Beta            float64 `json:"beta"`
		K               float64 `json:"k"`
	} `json:"params"`
}

// Tensor is a row-major float32 tensor, or int32 labels.
type Tensor struct {
	Shape  []int
	Data   []float32
	Labels []int32
}

// Tensors is the content of one file.
type Tensors map[string]Tensor

// Get returns a tensor, and panics with its name if the fixture lacks it: the generator and the
// test disagree.
func (t Tensors) Get(name string) Tensor {
	v, ok := t[name]
	if !ok {
		panic("parity: no tensor " + name)
	}
	return v
}

// Under returns the tensors whose names start with prefix, without it.
func (t Tensors) Under(prefix string) Tensors {
	sub := Tensors{}
	for name, v := range t {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			sub[rest] = v
		}
	}
	return sub
}

// Names lists the tensors in alphabetical order.
func (t Tensors) Names() []string {
	names := make([]string, 0, len(t))
	for name := range t {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// maxFixture is far above the size of a fixture, in bytes.
const maxFixture = 1 << 28

// ReadManifest reads manifest.json in dir.
func ReadManifest(dir string) (Manifest, error) {
	var m Manifest
	text, err := input.Read(filepath.Join(dir, "manifest.json"), maxFixture)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("manifest.json: %w", err)
	}
	return m, nil
}

// Read reads a fixture (safetensors with F32 and I32 tensors) and checks its digest.
func Read(dir, file, digest string) (Tensors, error) {
	raw, err := input.Read(filepath.Join(dir, file), maxFixture)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != digest {
		return nil, fmt.Errorf("%s: not the file of the manifest; run generate.py", file)
	}
	if len(raw) < 8 || binary.LittleEndian.Uint64(raw) > uint64(len(raw)-8) {
		return nil, fmt.Errorf("%s: no header", file)
	}
	end := 8 + int(binary.LittleEndian.Uint64(raw))
	var header map[string]struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	if err := json.Unmarshal(raw[8:end], &header); err != nil {
		return nil, fmt.Errorf("%s: header: %w", file, err)
	}
	out := Tensors{}
	for name, h := range header {
		t := Tensor{Shape: h.Shape}
		for data := raw[end+h.Offsets[0] : end+h.Offsets[1]]; len(data) > 0; data = data[4:] {
			bits := binary.LittleEndian.Uint32(data)
			if h.DType == "I32" {
				t.Labels = append(t.Labels, int32(bits))
			} else {
				t.Data = append(t.Data, math.Float32frombits(bits))
			}
		}
		out[name] = t
	}
	return out, nil
}

// Difference is ‖got − want‖ / ‖want‖ in the Euclidean norm, +Inf if the lengths differ or got is
// not finite.
func Difference(got, want []float32) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	var diff, norm float64
	for i := range want {
		d := float64(got[i]) - float64(want[i])
		diff += d * d
		norm += float64(want[i]) * float64(want[i])
	}
	if math.IsNaN(diff) || norm == 0 && diff > 0 {
		return math.Inf(1)
	}
	if norm == 0 {
		return 0
	}
	return math.Sqrt(diff / norm)
}
