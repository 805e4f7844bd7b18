package adapt

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"resnet/internal/blocks"
	"resnet/internal/datasets/speech"
	"resnet/internal/graph"
	"resnet/internal/graph/weights"
)

var (
	// ErrFile marks a file that holds no transforms, or damaged ones.
	ErrFile = errors.New("no file of speaker transforms")
	// ErrNetwork marks transforms that were estimated before another network.
	ErrNetwork = errors.New("the transforms are those of another network")
	// ErrDiverged marks an estimation whose loss is no number.
	ErrDiverged = errors.New("the adaptation diverged: lower the rate")
)

const (
	keyFormat    = "resnet.adaptation"
	keyNetwork   = "resnet.network"
	keyStructure = "resnet.structure"
	formatNow    = 1
	// maxDim bounds what a damaged file can ask for: W of 4096 values takes 64 MB.
	maxDim = 4096
)

// Set are the transforms of speakers before one network.
type Set struct {
	Network    string // Digest of the network's parameters
	Structure  string
	Transforms map[string]speech.Transform // by speaker
}

// Digest names a network by the values of its parameters, those of the linear layer excepted.
func Digest(params *graph.ParamSet) string {
	h := sha256.New()
	var b []byte
	for _, p := range params.All() {
		if strings.HasPrefix(p.Name, blocks.Adaptation+".") {
			continue
		}
		fmt.Fprintf(h, "%s %v\n", p.Name, p.Shape)
		b = b[:0]
		for _, v := range p.Data {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Write writes the set as safetensors, speakers in order.
func (s Set) Write(w io.Writer) error {
	var list []weights.Tensor
	for _, speaker := range slices.Sorted(maps.Keys(s.Transforms)) {
		t := s.Transforms[speaker]
		if err := t.Check(); err != nil {
			return fmt.Errorf("speaker %s: %w", speaker, err)
		}
		scope := blocks.Adaptation + "." + speaker
		list = append(list, weights.Tensor{Name: scope + ".weight", Shape: []int{t.Dim, t.Dim}, Data: t.Weight},
			weights.Tensor{Name: scope + ".bias", Shape: []int{t.Dim}, Data: t.Bias})
	}
	return weights.Write(w, list, map[string]string{"format": "pt", keyFormat: strconv.Itoa(formatNow), keyNetwork: s.Network, keyStructure: s.Structure})
}

// Open reads a file of transforms for frames of dim values before the network of the digest. It
// fails with ErrFile or ErrNetwork, naming the file.
func Open(path string, dim int, network string) (Set, error) {
	f, err := weights.Open(path)
	if err != nil {
		return Set{}, err
	}
	defer f.Close()
	return Read(f, dim, network)
}

// Read is Open for a file that is open.
func Read(f *weights.File, dim int, network string) (Set, error) {
	bad := func(format string, args ...any) (Set, error) {
		return Set{}, fmt.Errorf("%s: %w: %w", f.Name(), ErrFile, fmt.Errorf(format, args...))
	}
	s := Set{Network: f.Meta[keyNetwork], Structure: f.Meta[keyStructure], Transforms: map[string]speech.Transform{}}
	switch format, err := strconv.Atoi(f.Meta[keyFormat]); {
	case err != nil:
		return bad("it was not written by speech adapt")
	case format > formatNow:
		return bad("format %d, this resnet reads up to %d: use a newer resnet", format, formatNow)
	case s.Network != network:
		return Set{}, fmt.Errorf("%s: %w: estimate them again with this checkpoint", f.Name(), ErrNetwork)
	case dim < 1 || dim > maxDim:
		return bad("frames of %d values; 1 to %d", dim, maxDim)
	}
	for _, e := range f.Entries() {
		speaker, ok := strings.CutPrefix(e.Name, blocks.Adaptation+".")
		if !ok {
			return bad("tensor %q is no transform", e.Name)
		}
		t := speech.Transform{Dim: dim}
		if speaker, ok = strings.CutSuffix(speaker, ".weight"); !ok {
			continue // checked with its matrix
		}
		bias, ok := f.Entry(blocks.Adaptation + "." + speaker + ".bias")
		if !ok || !slices.Equal(e.Shape, []int{dim, dim}) || !slices.Equal(bias.Shape, []int{dim}) {
			return bad("speaker %q: a matrix %v and a bias %v; the network's frames have %d values", speaker, e.Shape, bias.Shape, dim)
		}
		var err error
		if t.Weight, err = f.Float32(e.Name); err != nil {
			return bad("%w", err)
		}
		if t.Bias, err = f.Float32(bias.Name); err != nil {
			return bad("%w", err)
		}
		if err := t.Check(); err != nil {
			return bad("speaker %q: %w", speaker, err)
		}
		s.Transforms[speaker] = t
	}
	if 2*len(s.Transforms) != len(f.Entries()) || len(s.Transforms) == 0 {
		return bad("%d tensors make %d transforms", len(f.Entries()), len(s.Transforms))
	}
	return s, nil
}
