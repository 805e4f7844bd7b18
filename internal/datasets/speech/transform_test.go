package speech

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"resnet/internal/datasets/fault"
)

func identity(dim int) Transform {
	t := Transform{dim, make([]float32, dim*dim), make([]float32, dim)}
	for i := range dim {
		t.Weight[i*dim+i] = 1
	}
	return t
}

func TestTheIdentityChangesNoBit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	f := Features{Frames: 40, Dim: 5, Data: make([]float32, 200)}
	for i := range f.Data {
		f.Data[i] = float32(math.Ldexp(r.NormFloat64(), r.IntN(60)-30))
	}
	before := slices.Clone(f.Data)
	if err := identity(5).Apply(f); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(before, f.Data) {
		t.Error("the identity changes values")
	}
}

func TestATransformIsAMatrixAndABias(t *testing.T) {
	f := Features{Frames: 2, Dim: 2, Data: []float32{1, 2, -3, 4}}
	if err := (Transform{2, []float32{1, 10, 100, 1000}, []float32{0.5, -0.5}}).Apply(f); err != nil {
		t.Fatal(err)
	}
	if want := []float32{21.5, 2099.5, 37.5, 3699.5}; !slices.Equal(f.Data, want) {
		t.Errorf("got %v, want %v", f.Data, want)
	}
	if err := identity(3).Apply(f); err == nil {
		t.Error("frames of another size were taken")
	}
}

func TestDamagedTransformsAreRefused(t *testing.T) {
	nan := identity(2)
	nan.Weight[1] = float32(math.NaN())
	inf := identity(2)
	inf.Bias[0] = float32(math.Inf(1))
	for name, bad := range map[string]Transform{"empty": {}, "matrix": {2, make([]float32, 3), make([]float32, 2)}, "bias": {2, make([]float32, 4), nil}, "NaN": nan, "infinity": inf} {
		if err := bad.Check(); !errors.Is(err, fault.ErrData) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := identity(2).Check(); err != nil {
		t.Error(err)
	}
}
