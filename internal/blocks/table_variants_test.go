package blocks

import (
	"os"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"
)

// variantRows are the rows that testdata/variants.yaml counts.
func variantRows() []Spec {
	return slices.Concat(fourStageRows, wideRows, preActivationRows, aggregatedRows, deepStemRows, excitedRows)
}

func TestVariantsCountsArePyTorchs(t *testing.T) {
	text, err := os.ReadFile("testdata/variants.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var published map[string]struct {
		Params int64 `yaml:"params"`
		MACs   int64 `yaml:"macs"`
	}
	if err := yaml.Unmarshal(text, &published); err != nil {
		t.Fatal(err)
	}
	for _, s := range variantRows() {
		want := published[s.Name]
		if s.Params != want.Params || s.MACs != want.MACs {
			t.Errorf("%s: %d params and %d multiply-adds, in PyTorch %+v", s.Name, s.Params, s.MACs, want)
		}
	}
	if n := len(variantRows()); n != len(published) {
		t.Errorf("%d rows, %d counted in PyTorch", n, len(published))
	}
	// What the papers and the repositories themselves say, rounded as there.
	for name, millions := range map[string]float64{
		// Zagoruyko and Komodakis 2016, Table 4
		"wrn-28-10": 36.5, "wrn-16-8": 11.0, "wrn-40-4": 8.9,
		// He et al. 2016b, whose 1001 layers have 10.2M; this is with the biases of normalisation
		"preresnet110": 1.7, "preresnet164": 1.7, "preresnet1001": 10.3,
		// Xie et al. 2017, Table 1
		"resnext50_32x4d": 25.0,
		// kuangliu/pytorch-cifar
		"resnet18-3x3": 11.2,
	} {
		s, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := float64(s.Params) / 1e6; got < millions-0.06 || got > millions+0.06 {
			t.Errorf("%s has %.2f million parameters, published are %.1f", name, got, millions)
		}
	}
}
