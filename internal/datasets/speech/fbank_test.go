package speech

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"resnet/internal/datasets/fault"
	"resnet/internal/datasets/speech/audio"
	"resnet/internal/datasets/speech/kaldi"
)

// fixtures is made by its generate.py from real recordings.
const fixtures = "../../../testdata/speech/"

// fixture reads an archive of matrices.
func fixture(t *testing.T, name string) map[string]kaldi.Value {
	t.Helper()
	all := map[string]kaldi.Value{}
	err := kaldi.Each(fixtures+name, func(key string, v kaldi.Value) error {
		all[key] = v
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func recording(t *testing.T, name string) Audio {
	t.Helper()
	a, err := audio.ReadFile(fixtures + name + ".wav")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// differ is the largest difference, or infinity between different shapes.
func differ(f Features, want kaldi.Value) float64 {
	w, err := want.Float64()
	if err != nil || f.Frames != want.Rows || f.Dim != want.Cols || len(f.Data) != len(w) {
		return math.Inf(1)
	}
	worst := 0.0
	for i, v := range f.Data {
		d := math.Abs(float64(v) - w[i])
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		worst = max(worst, d)
	}
	return worst
}

// TestAFilterBankHasBounds: at each bound it is one, and a step beyond it names the option.
func TestAFilterBankHasBounds(t *testing.T) {
	for field, c := range map[string]struct{ fine, beyond func(*FbankOptions) }{
		"bins":      {func(o *FbankOptions) { o.Bins, o.Low = 50, 300 }, func(o *FbankOptions) { o.Bins = 257 }},
		"rate":      {func(o *FbankOptions) { o.Rate = 1 << 22 }, func(o *FbankOptions) { o.Rate, o.LengthMS, o.ShiftMS = 1<<22+1, 1, 1 }},
		"dither":    {func(o *FbankOptions) { o.Dither = 1 << 15 }, func(o *FbankOptions) { o.Dither = 1<<15 + 1 }},
		"length_ms": {func(o *FbankOptions) { o.LengthMS = 16000 }, func(o *FbankOptions) { o.LengthMS = 17000 }},
	} {
		o := DefaultFbank(16000, 40)
		c.fine(&o)
		if err := o.Check(); err != nil {
			t.Errorf("%s: %v", field, err)
		}
		o = DefaultFbank(16000, 40)
		c.beyond(&o)
		var option *OptionError
		if err := o.Check(); !errors.As(err, &option) || option.Field != field || !errors.Is(err, fault.ErrConfig) {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, bins := range []int{math.MaxInt, 1_000_000_000, math.MinInt, 0} {
		if err := DefaultFbank(16000, bins).Check(); err == nil {
			t.Errorf("%d bins", bins)
		}
	}
	o := DefaultFbank(16000, 80)
	o.ShiftMS = 0.0625 // every sample
	if _, err := o.Compute(Audio{Rate: 16000, Channels: [][]float32{make([]float32, 1<<28/80+1000)}}); !errors.Is(err, fault.ErrData) {
		t.Errorf("4 million windows: %v", err)
	}
}

func TestFilterBanksAreKaldis(t *testing.T) {
	want := fixture(t, "fbank.ark")
	for _, name := range []string{"6_jackson_7", "3_theo_12"} {
		for rate, file := range map[int]string{8000: name, 16000: name + "-16000"} {
			for bins, key := range map[int]string{40: "-40", 80: "-80"} {
				key = name + map[int]string{8000: "-8000", 16000: "-16000"}[rate] + key
				f, err := DefaultFbank(rate, bins).Compute(recording(t, file))
				if err != nil {
					t.Fatal(err)
				}
				// Where a bin holds little, the order of float32 roundings is seen; 1e-3 is
				// promised.
				if d := differ(f, want[key]); d > 2e-4 {
					t.Errorf("%s: differs by %g from kaldi-native-fbank", key, d)
				}
			}
		}
	}
}

func TestEveryOptionIsKaldis(t *testing.T) {
	base := DefaultFbank(8000, 23)
	with := func(change func(*FbankOptions)) FbankOptions {
		o := base
		change(&o)
		return o
	}
	window := func(name string) FbankOptions { return with(func(o *FbankOptions) { o.Window = name }) }
	cases := map[string]FbankOptions{
		"no-snip": with(func(o *FbankOptions) { o.SnipEdges = false }),
		"hamming": window("hamming"), "hanning": window("hanning"), "sine": window("sine"), "blackman": window("blackman"), "rectangular": window("rectangular"),
		"edges":       with(func(o *FbankOptions) { o.Low, o.High = 100, -400 }),
		"plain":       with(func(o *FbankOptions) { o.Preemph, o.RemoveDC = 0, false }),
		"magnitude":   with(func(o *FbankOptions) { o.Power = false }),
		"energy":      with(func(o *FbankOptions) { o.Energy = true }),
		"late-energy": with(func(o *FbankOptions) { o.Energy, o.RawEnergy, o.EnergyMin = true, false, 100000 }),
		"frames":      with(func(o *FbankOptions) { o.LengthMS, o.ShiftMS = 32, 16 }),
	}
	want, a := fixture(t, "options.ark"), recording(t, "6_jackson_7")
	if len(cases) != len(want) {
		t.Fatalf("%d cases, %d fixtures", len(cases), len(want))
	}
	for name, o := range cases {
		f, err := o.Compute(a)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := differ(f, want[name]); d > 2e-4 {
			t.Errorf("%s: differs by %g", name, d)
		}
	}
}

// banks are the filter banks from which the fixtures of deltas and CMVN are computed.
func banks(t *testing.T) Features {
	t.Helper()
	f, err := FromKaldi(fixture(t, "fbank.ark")["6_jackson_7-8000-40"])
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestDeltasAreKaldis(t *testing.T) {
	want := fixture(t, "deltas.ark")
	f := banks(t)
	head := func(n int) Features { return Features{Frames: n, Dim: f.Dim, Data: f.Data[:n*f.Dim]} }
	for key, c := range map[string]struct{ frames, order, window int }{"deltas": {20, 2, 2}, "deltas-short": {3, 2, 2}, "deltas-wide": {20, 1, 3}} {
		d, err := head(c.frames).Deltas(c.order, c.window)
		if err != nil {
			t.Fatal(err)
		}
		if diff := differ(d, want[key]); diff > 1e-5 {
			t.Errorf("%s: differs by %g", key, diff)
		}
	}
}

func TestCMVNIsKaldis(t *testing.T) {
	want := fixture(t, "deltas.ark")
	for key, variance := range map[string]bool{"mean": false, "variance": true} {
		f := banks(t)
		if err := NormalizeUtterance(f, variance); err != nil {
			t.Fatal(err)
		}
		if d := differ(f, want[key]); d > 1e-5 {
			t.Errorf("%s: differs by %g", key, d)
		}
		stored := want["stats"]
		c, err := CMVNFromMatrix(stored.Rows, stored.Cols, stored.Doubles)
		if err != nil {
			t.Fatal(err)
		}
		g := banks(t)
		if err := c.Apply(g, variance); err != nil {
			t.Fatal(err)
		}
		if d := differ(g, want[key]); d > 1e-5 {
			t.Errorf("%s from statistics in Kaldi's form: differs by %g", key, d)
		}
	}
	c := NewCMVN(40)
	if err := errors.Join(c.Add(banks(t)), c.Add(banks(t))); err != nil {
		t.Fatal(err)
	}
	if rows, cols, data := c.Matrix(); rows != 2 || cols != 41 || data[40] != 2*want["stats"].Doubles[40] || data[81] != 0 {
		t.Errorf("the statistics of two utterances are %d × %d with a count of %g", rows, cols, data[40])
	}
	flat := Features{Frames: 3, Dim: 1, Data: []float32{5, 5, 5}}
	if err := NormalizeUtterance(flat, true); err != nil || !slices.Equal(flat.Data, []float32{0, 0, 0}) {
		t.Errorf("a value that never changes becomes %v, %v", flat.Data, err)
	}
}

func TestDitherIsDrawnFromItsSeed(t *testing.T) {
	a, o := recording(t, "3_theo_12"), DefaultFbank(8000, 23)
	plain, err := o.Compute(a)
	if err != nil {
		t.Fatal(err)
	}
	compute := func(seed uint64) []float32 {
		o := o
		o.Dither, o.DitherSeed = 1, seed
		f, err := o.Compute(a)
		if err != nil {
			t.Fatal(err)
		}
		return f.Data
	}
	if !slices.Equal(compute(1), compute(1)) || slices.Equal(compute(1), compute(2)) || slices.Equal(compute(1), plain.Data) {
		t.Error("dither depends on something else than its seed, or on nothing")
	}
}

func TestFilterBanksThatCannotBeAreRefused(t *testing.T) {
	a := recording(t, "3_theo_12")
	for text, change := range map[string]func(*FbankOptions){
		"bins from":          func(o *FbankOptions) { o.Low = 5000 },
		"lies between":       func(o *FbankOptions) { o.Bins = 120 },
		"at least 3":         func(o *FbankOptions) { o.Bins = 2 },
		"no window":          func(o *FbankOptions) { o.Window = "pov" },
		"pre-emphasis":       func(o *FbankOptions) { o.Preemph = math.NaN() },
		"standard deviation": func(o *FbankOptions) { o.Dither = -1 },
		"windows of":         func(o *FbankOptions) { o.ShiftMS = 0.01 },
		"every":              func(o *FbankOptions) { o.LengthMS = 1e12 },
	} {
		o := DefaultFbank(8000, 23)
		change(&o)
		if _, err := o.Compute(a); !errors.Is(err, fault.ErrConfig) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
	}
	short := Audio{Rate: 8000, Channels: [][]float32{make([]float32, 199)}}
	stereo := Audio{Rate: 8000, Channels: [][]float32{make([]float32, 400), make([]float32, 400)}}
	for text, a := range map[string]Audio{"fewer than a window": short, "2 channels": stereo, "sox": recording(t, "3_theo_12-16000")} {
		if _, err := DefaultFbank(8000, 23).Compute(a); !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestAlignmentsAreTrimmedByTwoFramesAndNoMore(t *testing.T) {
	f := NewFeatures(10, 2)
	for n, want := range map[int]int{8: 2, 9: 1, 10: 0, 11: 1, 12: 2} {
		g, labels, trimmed, err := Align(f, make([]int32, n))
		if err != nil || trimmed != want || g.Frames != len(labels) || g.Frames != min(n, 10) || len(g.Data) != 2*g.Frames {
			t.Errorf("%d labels for 10 frames: %d frames, %d labels, %d trimmed, %v", n, g.Frames, len(labels), trimmed, err)
		}
	}
	for _, n := range []int{0, 7, 13} {
		if _, _, _, err := Align(f, make([]int32, n)); !errors.Is(err, fault.ErrData) {
			t.Errorf("%d labels for 10 frames: %v", n, err)
		}
	}
}

// TestWindowsAreCountedToTheSample: 25 ms at 8 kHz are 200 samples, 10 ms are 80.
func TestWindowsAreCountedToTheSample(t *testing.T) {
	for _, c := range []struct {
		snip bool
		n    map[int]int
	}{
		{true, map[int]int{0: 0, 199: 0, 200: 1, 279: 1, 280: 2, 8000: 98}},
		{false, map[int]int{0: 0, 39: 0, 40: 1, 119: 1, 120: 2, 8000: 100}},
	} {
		o := DefaultFbank(8000, 23)
		o.SnipEdges = c.snip
		for n, want := range c.n {
			if got := o.frames(n); got != want {
				t.Errorf("%d samples, only windows inside %v: %d frames, want %d", n, c.snip, got, want)
			}
		}
	}
}

func TestFeaturesOfOneFrameAreSomeAndOfNoneAreNot(t *testing.T) {
	for _, c := range []struct {
		frames, labels int
		good           bool
	}{{1, 1, true}, {3, 1, true}, {1, 3, true}, {2, 0, false}, {0, 2, false}, {0, 0, false}} {
		if f, _, _, err := Align(NewFeatures(c.frames, 2), make([]int32, c.labels)); (err == nil) != c.good || c.good && f.Frames != 1 {
			t.Errorf("%d frames and %d labels: %d (%v)", c.frames, c.labels, f.Frames, err)
		}
	}
	f, err := FromKaldi(kaldi.Value{Kind: kaldi.FloatMatrix, Rows: 1, Cols: 1, Floats: []float32{7}})
	if err != nil || f.Frames != 1 || f.Dim != 1 || f.Data[0] != 7 {
		t.Errorf("a matrix of one value: %+v (%v)", f, err)
	}
	for want, v := range map[string]kaldi.Value{
		"no frames":               {Kind: kaldi.FloatMatrix},
		"frame 1, value 0 is NaN": {Kind: kaldi.FloatMatrix, Rows: 2, Cols: 2, Floats: []float32{1, 2, float32(math.NaN()), 4}},
		"vector":                  {Kind: kaldi.FloatVector, Rows: 1, Cols: 2, Floats: []float32{1, 2}},
	} {
		if _, err := FromKaldi(v); !errors.Is(err, fault.ErrData) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestTheLimitsOfOptions: on either side of each.
func TestTheLimitsOfOptions(t *testing.T) {
	for _, c := range []struct {
		change func(*FbankOptions)
		good   bool
	}{
		{func(o *FbankOptions) { o.Low = 0 }, true},
		{func(o *FbankOptions) { o.Low = -1 }, false},
		{func(o *FbankOptions) { o.Low = math.NaN() }, false},
		{func(o *FbankOptions) { o.Low, o.High = 3000, 4000 }, true},
		{func(o *FbankOptions) { o.Low, o.High = 3000, 4001 }, false},
		{func(o *FbankOptions) { o.Low, o.High = 3000, 3000 }, false},
		{func(o *FbankOptions) { o.Low, o.High = 20, -1000 }, true},
		{func(o *FbankOptions) { o.Low, o.High = 3500, -1000 }, false},
		{func(o *FbankOptions) { o.Preemph = 0 }, true},
		{func(o *FbankOptions) { o.Preemph = 1 }, true},
		{func(o *FbankOptions) { o.Preemph = 1.1 }, false},
		{func(o *FbankOptions) { o.Preemph = -0.1 }, false},
		{func(o *FbankOptions) { o.Bins = 3 }, true},
		{func(o *FbankOptions) { o.Bins = 2 }, false},
		{func(o *FbankOptions) { o.Dither = math.NaN() }, false},
		{func(o *FbankOptions) { o.LengthMS = 0 }, false},
		{func(o *FbankOptions) { o.LengthMS = 0.125 }, false}, // one sample
		{func(o *FbankOptions) { o.ShiftMS = -10 }, false},
		{func(o *FbankOptions) { o.ShiftMS = 0.125 }, true}, // one sample
		{func(o *FbankOptions) { o.ShiftMS = 0.124 }, false},
		{func(o *FbankOptions) { o.Rate = 0 }, false},
	} {
		o := DefaultFbank(8000, 3)
		c.change(&o)
		if err := o.Check(); (err == nil) != c.good || err != nil && !errors.Is(err, fault.ErrConfig) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	f := NewFeatures(3, 2)
	for _, c := range []struct {
		order, window int
		good          bool
	}{{0, 1, true}, {16, 1, true}, {2, 1000, true}, {-1, 2, false}, {17, 2, false}, {2, 0, false}, {2, 1001, false}} {
		if d, err := f.Deltas(c.order, c.window); (err == nil) != c.good || c.good && d.Dim != 2*(1+c.order) {
			t.Errorf("order %d over %d: %d values (%v)", c.order, c.window, d.Dim, err)
		}
	}
}

func TestStatisticsGoToKaldisFormAndBack(t *testing.T) {
	c := NewCMVN(2)
	if err := c.Add(Features{Frames: 2, Dim: 2, Data: []float32{1, 2, 3, 5}}); err != nil {
		t.Fatal(err)
	}
	rows, cols, data := c.Matrix()
	if want := []float64{4, 7, 2, 10, 29, 0}; rows != 2 || cols != 3 || !slices.Equal(data, want) {
		t.Errorf("%d × %d: %v, want %v", rows, cols, data, want)
	}
	back, err := CMVNFromMatrix(rows, cols, data)
	if err != nil || back.Count != 2 || !slices.Equal(back.Sum, c.Sum) || !slices.Equal(back.Squares, c.Squares) {
		t.Errorf("%+v (%v)", back, err)
	}
	for _, shape := range [][2]int{{2, 1}, {1, 6}, {3, 2}, {2, 4}, {0, 0}} {
		if _, err := CMVNFromMatrix(shape[0], shape[1], data); !errors.Is(err, fault.ErrData) {
			t.Errorf("%v: %v", shape, err)
		}
	}
	for name, bad := range map[string]*CMVN{"no frames": NewCMVN(2), "another dimension": {Count: 1, Sum: []float64{1}, Squares: []float64{1}}, "no numbers": {Count: 1, Sum: []float64{math.NaN(), 0}, Squares: []float64{0, 0}}} {
		if err := bad.Apply(Features{Frames: 1, Dim: 2, Data: []float32{1, 2}}, true); !errors.Is(err, fault.ErrData) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := c.Add(NewFeatures(1, 3)); !errors.Is(err, fault.ErrData) {
		t.Errorf("frames of 3 values: %v", err)
	}
}

// TestTheEnergyHasAFloor: a recording of silence, of which energy and bins are the floor's
// logarithm.
func TestTheEnergyHasAFloor(t *testing.T) {
	silence := Audio{Rate: 8000, Channels: [][]float32{make([]float32, 400)}}
	for floor, want := range map[float64]float64{0: math.Log(float64(epsilon)), 0.5: math.Log(0.5), 4: math.Log(4)} {
		o := DefaultFbank(8000, 23)
		o.Energy, o.EnergyMin = true, floor
		f, err := o.Compute(silence)
		if err != nil {
			t.Fatal(err)
		}
		if got := float64(f.Row(0)[0]); f.Dim != 24 || !(math.Abs(got-want) <= 1e-5) || !(math.Abs(float64(f.Row(0)[5])-math.Log(float64(epsilon))) <= 1e-5) {
			t.Errorf("a floor of %g: %g, want %g; a bin is %g", floor, got, want, f.Row(0)[5])
		}
	}
}
