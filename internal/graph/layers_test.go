package graph

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// evalNet draws a network of Eval mode on [2, c, h, w] and runs it on random images.
func evalNet(t *testing.T, params *ParamSet, c, h, w int, draw func(b *Builder, x *Node) *Node) (logits, x []float32) {
	t.Helper()
	b := NewBuilder("net", Eval, params, Options{})
	g, err := b.Finish(draw(b, b.Input(2, c, h, w)))
	if err != nil {
		t.Fatal(err)
	}
	tape, err := NewTape(g, params)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tape.Close)
	r := rand.New(rand.NewPCG(5, 6))
	x = make([]float32, 2*c*h*w)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	logits, err = tape.Infer(x, 2)
	if err != nil {
		t.Fatal(err)
	}
	return logits, x
}

func closeTo(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Abs(float64(x-y)) <= 1e-5*(1+math.Abs(float64(y))) })
}

// On a map of the window's size a LinearConv is the fully connected layer with the same parameters.
func TestLinearConvIsLinearOnAFlattenedMap(t *testing.T) {
	params := NewParamSet(1)
	want, _ := evalNet(t, params, 3, 4, 4, func(b *Builder, x *Node) *Node { return b.Linear("fc", b.Flatten(x), 5) })
	got, _ := evalNet(t, params, 3, 4, 4, func(b *Builder, x *Node) *Node { return b.GlobalAvgPool(b.LinearConv("fc", x, 5, 4)) })
	if !closeTo(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestPReLUOnRowsAndOnMapsHasASlopeForEachChannel(t *testing.T) {
	params := NewParamSet(1)
	rows, x := evalNet(t, params, 3, 1, 1, func(b *Builder, x *Node) *Node { return b.PReLU("act", b.Flatten(x)) })
	copy(params.Get("act.weight").Data, []float32{0.5, -1, 2})
	maps, _ := evalNet(t, params, 3, 1, 1, func(b *Builder, x *Node) *Node { return b.GlobalAvgPool(b.PReLU("act", x)) })
	for i, v := range x {
		first, second := v, v
		if v < 0 {
			first, second = 0.25*v, params.Get("act.weight").Data[i%3]*v
		}
		if rows[i] != first || maps[i] != second {
			t.Errorf("%g becomes %g and %g, want %g and %g", v, rows[i], maps[i], first, second)
		}
	}
}

// PyramidWindows at its one position is Pyramid; both are the maxima of ceil(side/n)-pixel windows,
// floor(side/n) apart.
func TestPyramidTakesTheLargestValueOfEachBin(t *testing.T) {
	params := NewParamSet(1)
	got, x := evalNet(t, params, 2, 5, 5, func(b *Builder, x *Node) *Node { return b.Pyramid(x, []int{2, 1}) })
	windows, _ := evalNet(t, params, 2, 5, 5, func(b *Builder, x *Node) *Node { return b.GlobalAvgPool(b.PyramidWindows(x, 5, []int{2, 1})) })
	var want []float32
	for n := range 2 {
		for _, level := range []struct{ bins, size, step int }{{2, 3, 2}, {1, 5, 5}} {
			for c := range 2 {
				for bin := range level.bins * level.bins {
					top, left := bin/level.bins*level.step, bin%level.bins*level.step
					most := float32(math.Inf(-1))
					for i := range level.size * level.size {
						most = max(most, x[((n*2+c)*5+top+i/level.size)*5+left+i%level.size])
					}
					want = append(want, most)
				}
			}
		}
	}
	if !slices.Equal(got, want) || !slices.Equal(windows, want) {
		t.Errorf("got %v and %v, want %v", got, windows, want)
	}
}

// The bounds of the initial values, and their mean and variance, which for a uniform distribution
// in ±b are 0 and b²/3.
func TestInitialValuesOfLayersOfSequences(t *testing.T) {
	params := NewParamSet(3)
	b := NewBuilder("net", Train, params, Options{})
	x := b.UtteranceNorm("norm", b.Input(2, 64, 400, 5), 1e-5)
	x = b.ChannelBias("bias", b.FrequencyLinear("pool", x))
	b.LSTM("lstm", x, false)
	b.LinearConv("fc", x, 9, 1)
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	for name, bound := range map[string]float64{"pool.weight": 1 / math.Sqrt(400), "lstm.weight": 1 / math.Sqrt(16), "fc.weight": 1 / math.Sqrt(64)} {
		data := params.Get(name).Data
		low, high := slices.Min(data), slices.Max(data)
		if float64(high) > bound || float64(low) < -bound {
			t.Errorf("%s lies in [%g, %g], want ±%g", name, low, high, bound)
		}
		// 400 values and more: the deviation of the deviation is at most 2.3 % of it.
		if mean, std := moments(data); !(math.Abs(std/(bound/math.Sqrt(3))-1) <= 0.1) || !(math.Abs(mean) <= 0.1*bound) {
			t.Errorf("%s has mean %g and deviation %g, want 0 and %g", name, mean, std, bound/math.Sqrt(3))
		}
	}
	for name, want := range map[string]float32{"norm.weight": 1, "norm.bias": 0, "bias.bias": 0} {
		for _, v := range params.Get(name).Data {
			if v != want {
				t.Errorf("%s holds %g, want %g", name, v, want)
			}
		}
	}
	for name, kind := range map[string]Kind{"norm.weight": KindScale, "norm.bias": KindShift, "bias.bias": KindBias, "pool.weight": KindWeight, "pool.bias": KindBias, "lstm.weight": KindWeight} {
		if p := params.Get(name); p.Kind != kind {
			t.Errorf("%s is of kind %d, want %d", name, p.Kind, kind)
		}
	}
	if b := params.Get("pool.bias").Data; len(b) != 1 || !(math.Abs(float64(b[0])) <= 1/math.Sqrt(400)) {
		t.Errorf("pool.bias is %v", b)
	}
}

// A FrameTransform begins as the identity: row h of map c is value c·H + h of a frame.
func TestFrameTransformBeginsAsTheIdentity(t *testing.T) {
	params := NewParamSet(1)
	b := NewBuilder("net", Train, params, Options{})
	g, err := b.FinishUtterances(b.Flatten(b.FrameTransform("t", b.Input(2, 6, 1, 3), 2)))
	if err != nil {
		t.Fatal(err)
	}
	tape, err := NewTape(g, params)
	if err != nil {
		t.Fatal(err)
	}
	defer tape.Close()
	copy(g.Sequences.Lengths, []int32{3, 2})
	x := make([]float32, 36)
	for i := range x {
		x[i] = float32(i + 1)
	}
	r, err := tape.Train(x, []int32{4, -1}, StepOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(x)
	for row := range 6 {
		want[18+row*3+2] = 0 // the second utterance has two frames
	}
	if !slices.Equal(r.Logits, want) {
		t.Errorf("got %v, want %v", r.Logits, want)
	}
	// Only the first utterance has a label: the loss is its own, log Σ exp(z) - z[4].
	sum := 0.
	for _, z := range want[:18] {
		sum += math.Exp(float64(z) - 18)
	}
	if loss := 18 + math.Log(sum) - float64(want[4]); !(math.Abs(r.Loss-loss) <= 1e-5) {
		t.Errorf("loss %g, want %g", r.Loss, loss)
	}
}

// PyramidBins counts the windows of ceil(size/n) pixels that fit when each begins floor(size/n)
// after the one before.
func TestPyramidBinsCountsTheWindowsThatFit(t *testing.T) {
	for size := 1; size <= 30; size++ {
		for n := -1; n <= size+2; n++ {
			want := 0
			if n >= 1 && n <= size {
				for at := 0; at+int(math.Ceil(float64(size)/float64(n))) <= size; at += size / n {
					want++
				}
			}
			if got := PyramidBins(size, n); got != want {
				t.Errorf("level %d of %d pixels has %d bins, want %d", n, size, got, want)
			}
		}
	}
}
