package datasets

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// twoChannels has 3 training images of 2×2×2 pixels, both rows alike; of the second channel all are
// 40.
func twoChannels(t testing.TB) *Dataset {
	t.Helper()
	a := &array{names: []string{"a"}, c: 2, h: 2, w: 2}
	a.train = records{pixels: []byte{0, 255, 0, 255, 40, 40, 40, 40, 51, 102, 51, 102, 40, 40, 40, 40, 153, 204, 153, 204, 40, 40, 40, 40}, labels: []uint8{0, 0, 0}}
	d, err := newDataset(Config{Name: "two"}, "", a, 0)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestFitMatchesTheDefinition(t *testing.T) {
	d := twoChannels(t)
	n, err := FitNormalizer(t.Context(), d, PixelMean)
	if err != nil {
		t.Fatal(err)
	}
	want := []float32{204. / 765, 561. / 765, 204. / 765, 561. / 765, 40. / 255, 40. / 255, 40. / 255, 40. / 255}
	if !slices.Equal(n.Mean, want) || n.Std != nil {
		t.Errorf("pixel mean %v, want %v", n.Mean, want)
	}
	n, err = FitNormalizer(t.Context(), d, ChannelMeanStd)
	if err != nil {
		t.Fatal(err)
	}
	var sum, square float64
	values := []float64{0, 255, 51, 102, 153, 204}
	for _, v := range values {
		sum += v / 255
	}
	for _, v := range values {
		square += (v/255 - sum/6) * (v/255 - sum/6)
	}
	if math.Abs(float64(n.Mean[0])-sum/6) > 1e-7 || math.Abs(float64(n.Std[0])-math.Sqrt(square/6)) > 1e-7 {
		t.Errorf("channel 0: %v, %v, want %v, %v", n.Mean[0], n.Std[0], sum/6, math.Sqrt(square/6))
	}
	if n.Std[1] != 1 {
		t.Errorf("a channel without variation has deviation %v, want 1", n.Std[1])
	}
}

func TestFitReadsTheTrainingImagesAlone(t *testing.T) {
	a := &array{names: []string{"a"}, c: 1, h: 1, w: 1}
	for i := range 100 {
		a.train.pixels = append(a.train.pixels, byte(i))
		a.train.labels = append(a.train.labels, 0)
	}
	a.test = records{pixels: []byte{255}, labels: []uint8{0}}
	d, err := newDataset(Config{Name: "x", Validation: 30}, "", a, 3)
	if err != nil {
		t.Fatal(err)
	}
	sum, buf := 0, make([]byte, 1)
	for i := range d.Len(Train) {
		d.Image(Train, i, buf)
		sum += int(buf[0])
	}
	n, err := FitNormalizer(t.Context(), d, PixelMean)
	if want := float32(float64(sum) / (255 * 70)); err != nil || n.Mean[0] != want {
		t.Errorf("mean %v, want %v (%v)", n.Mean, want, err)
	}
}

func TestFitDoesNotDependOnTheThreads(t *testing.T) {
	d, err := Open(t.Context(), Config{Name: "fashion-sample", Downsample: 2, Validation: 7}, 1)
	if err != nil {
		t.Fatal(err)
	}
	var first []Normalizer
	for _, procs := range []int{1, 2, 3, 7} {
		before := runtime.GOMAXPROCS(procs)
		for i, kind := range []string{PixelMean, ChannelMeanStd} {
			n, err := FitNormalizer(t.Context(), d, kind)
			if err != nil {
				t.Fatal(err)
			}
			if procs == 1 {
				first = append(first, n)
			} else if !slices.Equal(n.Mean, first[i].Mean) || !slices.Equal(n.Std, first[i].Std) {
				t.Errorf("%s differs with %d threads", kind, procs)
			}
		}
		runtime.GOMAXPROCS(before)
	}
}

func TestApplyIsTheFormula(t *testing.T) {
	src := []byte{0, 255, 40, 200}
	for _, c := range []struct {
		n    Normalizer
		want []float64
	}{
		{Normalizer{Kind: PixelMean, Mean: []float32{.5, .25, 0, 1}}, []float64{-.5, .75, 40. / 255, 200./255 - 1}},
		{Normalizer{Kind: PixelMean, Mean: []float32{.5, .25, 0, 1}, Std: []float32{.5, 2}}, []float64{-1, 1.5, 20. / 255, 100./255 - .5}},
		{Normalizer{Kind: ChannelMeanStd, Mean: []float32{.5, .25}, Std: []float32{.5, 2}}, []float64{-1, 1, (40./255 - .25) / 2, (200./255 - .25) / 2}},
		{Normalizer{Kind: NoNormalizing}, []float64{0, 1, 40. / 255, 200. / 255}},
		{Normalizer{}, []float64{0, 1, 40. / 255, 200. / 255}},
	} {
		got := make([]float32, 4)
		c.n.Apply(got, src)
		for i := range got {
			// One rounding of a value, one of a table entry: 2 eps of the largest operand.
			if math.Abs(float64(got[i])-c.want[i]) > 2.4e-7 {
				t.Errorf("%s: value %d is %v, want %v", c.n.Kind, i, got[i], c.want[i])
			}
		}
	}
}

func TestEncodedNormalizersComeBackToTheBit(t *testing.T) {
	for _, kind := range []string{PixelMean, ChannelMeanStd, NoNormalizing} {
		n, err := FitNormalizer(t.Context(), twoChannels(t), kind)
		if err != nil {
			t.Fatal(err)
		}
		text, err := n.Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := DecodeNormalizer(text)
		if err != nil || back.Kind != n.Kind || !slices.Equal(back.Mean, n.Mean) || !slices.Equal(back.Std, n.Std) {
			t.Errorf("%s became %+v (%v)", text, back, err)
		}
		if err := back.Check(2, 2, 2); err != nil {
			t.Error(err)
		}
	}
	for _, text := range []string{"", "{}", "[]", `{"kind":"pixel-mean","mean":["x"]}`, `{"kind":"pixel-mean","mean":[1e99]}`} {
		if n, err := DecodeNormalizer(text); !errors.Is(err, ErrData) {
			t.Errorf("%q became %+v (%v), want ErrData", text, n, err)
		}
	}
}

func TestCheckRefusesWhatDoesNotFit(t *testing.T) {
	nan := float32(math.NaN())
	for says, n := range map[string]Normalizer{
		"1 means":     {Kind: PixelMean, Mean: []float32{1}},
		"1 deviation": {Kind: PixelMean, Mean: []float32{1, 1, 1, 1}, Std: []float32{1}},
		"2 deviation": {Kind: ChannelMeanStd, Mean: []float32{1, 1}},
		"deviation 1": {Kind: ChannelMeanStd, Mean: []float32{1, 1}, Std: []float32{1, 0}},
		"mean 1":      {Kind: ChannelMeanStd, Mean: []float32{1, nan}, Std: []float32{1, 1}},
		"unknown":     {Kind: "zca"},
	} {
		err := n.Check(2, 1, 2)
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), strings.Fields(says)[0]) {
			t.Errorf("%+v: error %v", n, err)
		}
	}
}

func TestFitWithoutTrainingImagesIsAnError(t *testing.T) {
	if _, err := FitNormalizer(t.Context(), tiny(t, 0), PixelMean); !errors.Is(err, ErrConfig) {
		t.Errorf("error %v, want ErrConfig", err)
	}
	if _, err := FitNormalizer(t.Context(), tiny(t, 2), "zca"); !errors.Is(err, ErrConfig) {
		t.Errorf("error %v, want ErrConfig", err)
	}
}

func TestDescribeCountsAndMeasures(t *testing.T) {
	d, err := Open(t.Context(), Config{Name: "fashion-sample", Validation: 500}, 1)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Describe(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	for split, want := range map[Split]int{Train: 4500, Val: 500, Test: 1000} {
		sum := 0
		for _, k := range s.PerClass[split] {
			sum += k
		}
		if sum != want || len(s.PerClass[split]) != 10 {
			t.Errorf("%s: %v, want %d in all", split, s.PerClass[split], want)
		}
	}
	if s.Measured != 4500 {
		t.Errorf("measured on %d images, want 4500", s.Measured)
	}
	if s.PerClass[Test][3] != 100 {
		t.Errorf("test images a class: %v, want 100 each", s.PerClass[Test])
	}
	// The whole of Fashion-MNIST has 0.2860 and 0.3530.
	if math.Abs(s.ChannelMean[0]-.286) > .005 || math.Abs(s.ChannelStd[0]-.353) > .005 {
		t.Errorf("mean %v, deviation %v", s.ChannelMean, s.ChannelStd)
	}
}
