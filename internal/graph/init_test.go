package graph

import (
	"math"
	"slices"
	"testing"
)

func TestInitialisersFollowTheirSourcesAndDependOnSeedAndNameAlone(t *testing.T) {
	draw := func(seed uint64, prefix string) *ParamSet {
		params := NewParamSet(seed)
		b := NewBuilder("net", Train, params, Options{})
		x := b.Input(1, 16, 4, 4)
		if prefix != "" { // another parameter first
			x = b.Conv(prefix, x, ConvOpts{Filters: 16, Kernel: 1, Stride: 1})
		}
		x = b.PReLU("act", b.BatchNorm("bn1", b.Conv("conv1", x, ConvOpts{Filters: 64, Kernel: 3, Stride: 1, Pad: 1})))
		b.Linear("fc", b.GlobalAvgPool(x), 100)
		if b.Err() != nil {
			t.Fatal(b.Err())
		}
		return params
	}
	p := draw(1, "")
	for name, want := range map[string]float32{"bn1.weight": 1, "bn1.bias": 0, "bn1.running_mean": 0, "bn1.running_var": 1, "act.weight": 0.25} {
		for _, v := range p.Get(name).Data {
			if v != want {
				t.Errorf("%s holds %g, want %g", name, v, want)
			}
		}
	}
	// 9,216 draws: the standard deviation of their deviation is 0.7 % of it, so 3 % is four of
	// those.
	mean, std := moments(p.Get("conv1.weight").Data)
	if want := math.Sqrt(2.0 / (16 * 9)); !(math.Abs(std/want-1) <= 0.03) || !(math.Abs(mean) <= 0.05*want) {
		t.Errorf("conv1.weight has mean %g and deviation %g, want 0 and %g", mean, std, want)
	}
	for _, name := range []string{"fc.weight", "fc.bias"} {
		bound := float32(1 / math.Sqrt(64))
		data := p.Get(name).Data
		if low, high := slices.Min(data), slices.Max(data); low < -bound || high > bound || high < 0.8*bound || low > -0.8*bound {
			t.Errorf("%s lies in [%g, %g], want to fill ±%g", name, low, high, bound)
		}
	}
	if again := draw(1, "first"); !slices.Equal(again.Get("conv1.weight").Data, p.Get("conv1.weight").Data) {
		t.Error("the values depend on the order of creation")
	}
	if other := draw(2, ""); slices.Equal(other.Get("conv1.weight").Data, p.Get("conv1.weight").Data) {
		t.Error("the values do not depend on the seed")
	}
	if slices.Equal(p.Get("fc.weight").Data[:64], p.Get("fc.bias").Data[:64]) {
		t.Error("the values do not depend on the name")
	}
}

// TestInitialisationKnowsTheSlopeOfTheRectifiers: eq. 15 of He et al. 2015, ½(1+a²)·n·Var = 1, of
// which eq. 10 is the case a = 0. The same draws are scaled.
func TestInitialisationKnowsTheSlopeOfTheRectifiers(t *testing.T) {
	weights := func(a float64) []float32 {
		params := NewParamSet(1)
		b := NewBuilder("net", Train, params, Options{Slope: a})
		b.Conv("conv", b.Input(1, 16, 4, 4), ConvOpts{Filters: 64, Kernel: 3, Stride: 1, Pad: 1})
		return params.Get("conv.weight").Data
	}
	relu, prelu := weights(0), weights(0.25)
	_, std := moments(prelu)
	if got := 0.5 * (1 + 0.25*0.25) * 16 * 9 * std * std; math.Abs(got-1) > 0.06 {
		t.Errorf("½(1+a²)·n·Var = %v, want 1", got)
	}
	for i := range relu {
		if want := float64(relu[i]) / math.Sqrt(1.0625); math.Abs(float64(prelu[i])-want) > 1e-6*math.Abs(want) {
			t.Fatalf("weight %d: %v, want %v", i, prelu[i], want)
		}
	}
}

// TestGlorotsInitialisationHasHisVariance: 2/(fanIn+fanOut), and bounds of sqrt(3) deviations.
func TestGlorotsInitialisationHasHisVariance(t *testing.T) {
	params := NewParamSet(1)
	b := NewBuilder("net", Train, params, Options{Glorot: true})
	b.Conv("conv", b.Input(1, 16, 4, 4), ConvOpts{Filters: 64, Kernel: 3, Stride: 2, Pad: 1})
	data := params.Get("conv.weight").Data
	mean, std := moments(data)
	want := math.Sqrt(2.0 / (16*9 + 64*9)) // 9,216 draws of a uniform law: 0.5 % is one deviation
	if math.Abs(std/want-1) > 0.02 || math.Abs(mean) > 0.05*want || slices.Max(data) > float32(1.7321*want) || slices.Max(data) < float32(1.7*want) {
		t.Errorf("mean %g, deviation %g, largest %g; want 0, %g, %g", mean, std, slices.Max(data), want, math.Sqrt(3)*want)
	}
}

func moments(data []float32) (mean, std float64) {
	for _, v := range data {
		mean += float64(v) / float64(len(data))
	}
	for _, v := range data {
		std += (float64(v) - mean) * (float64(v) - mean) / float64(len(data))
	}
	return mean, math.Sqrt(std)
}
